// A request and its answer as values. What carries them (session.h) and what decides about them
// (a door) meet here.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace http {

struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent: path and query, percent-encoded
  std::string host;    // the Host header, for links; may be empty
  std::string scheme;  // "http" or "https"
  std::string token;   // X-Auth-Token, or what Authorization bears; may be empty
  std::string body;
  std::string project = {};  // X-Project-Id; may be empty
};

// Where links begin: "http://localhost".
inline std::string origin_of(const Request& request) {
  return (request.scheme.empty() ? "http" : request.scheme) + "://" +
         (request.host.empty() ? "localhost" : request.host);
}

// A body that is made while it is sent. Asked for the next piece when the one before has left, so
// a slow reader slows it down. An empty piece ends it.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  virtual boost::asio::awaitable<std::string> next() = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // not sent when there is no body
  std::string body;
  std::unique_ptr<BodyStream> stream;                        // instead of `body`
  std::vector<std::pair<std::string, std::string>> headers;  // besides those of the message
};

using Handler = std::function<boost::asio::awaitable<Response>(Request)>;
// Looks at a request before its body is read: what it is told instead of being answered.
using Guard = std::function<std::optional<Response>(const Request&)>;
// How a door words what the server refuses by itself: no HTTP, too much, too slow.
using Words = std::function<Response(int status, const std::string& text)>;

}  // namespace http
