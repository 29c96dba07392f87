// Stream: bytes to and from a member, plain or through TLS.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

#include "health/state.h"

namespace health {

// How a call on a socket went: 0, or an errno. ETIME: the deadline passed; ECANCELED: cancelled.
struct Io {
  int error = 0;
  size_t bytes = 0;  // of a read; 0 without error: the peer has closed
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual boost::asio::awaitable<Io> write(std::string_view bytes) = 0;  // all of them
  virtual boost::asio::awaitable<Io> read(char* to, size_t room) = 0;    // at least one byte
  // What the error of a call says of the member. `before` introduces a deadline: "connected, but ".
  virtual Probed failed(int error, std::string_view before) const = 0;
};

}  // namespace health
