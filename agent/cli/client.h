// Client: HTTP over the control socket. Blocking; a connection for each request.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/cli/failure.h"

namespace cli {

struct Answer {
  int status = 0;
  std::string body;

  bool good() const { return status >= 200 && status < 300; }
  // The body read as JSON; null if it is none.
  nlohmann::json json() const;
  // Octavia's faultstring, or the status.
  std::string fault() const;
};

class Client {
 public:
  // `path`: of the socket.
  explicit Client(std::string path) : path_(std::move(path)) {}

  // An answer of whatever status; a failure (kUnreachable) is that there was none.
  OrFailure<Answer> ask(std::string_view method, std::string_view target,
                        const nlohmann::json& body = nullptr) const;
  // GET; an answer of another status than 2xx is a failure, with the agent's words.
  OrFailure<nlohmann::json> get(std::string_view target) const;
  // GET of JSON lines: `each` gets them as they come.
  OrFailure<Answer> stream(std::string_view target,
                           const std::function<void(std::string_view)>& each) const;

 private:
  std::string path_;
};

std::string percent_encode(std::string_view text);

}  // namespace cli
