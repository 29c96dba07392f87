// One HTTP/1.1 connection: requests in, answers out, until either side has had enough.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "agent/http/http.h"
#include "agent/http/transport.h"

namespace http {

struct Limits {
  uint32_t header_bytes = 16 * 1024;
  uint64_t body_bytes = 8 * 1024 * 1024;     // a nested create of 10,000 members and more
  std::chrono::milliseconds idle{60'000};    // between requests
  std::chrono::milliseconds header{10'000};  // from a request's first byte to its last header
  std::chrono::milliseconds body{30'000};    // from there to its end
  std::chrono::milliseconds write{30'000};   // for a reader to take a whole answer, or a piece
  // Over TCP, for who was not let in yet: from the connection to a whole request's headers.
  std::chrono::milliseconds first{5'000};
  int connections = 256;
  int strangers_of_a_source = 32;  // connections of one address that were not let in yet
};

struct Service {
  Limits limits;
  Handler handler;
  Guard guard;  // may be empty: everybody is answered
  Words words;  // may be empty: as fault_response() does
  // May be empty: everybody was let in before. Called once, when the guard has let a request in.
  std::function<void()> let_in = {};
};

// Serves `transport`, which has not been greeted yet, until it ends; it can be closed from outside
// at any time.
boost::asio::awaitable<void> serve(std::shared_ptr<Transport> transport, Service service);

// Answers once, whatever the request may be, and ends.
boost::asio::awaitable<void> turn_away(std::shared_ptr<Transport> transport, Limits limits,
                                       Response response);

// `words`, where there are none those of fault_response().
Response worded(const Words& words, int status, const std::string& text);

}  // namespace http
