// Fault: why a request is refused, as the API answers it; and the shapes of what may be refused.
#pragma once

#include <optional>
#include <string>
#include <variant>

namespace model {

// {"faultcode","faultstring","debuginfo"} with an HTTP status.
struct Fault {
  int status = 400;
  std::string text;  // the faultstring; names the field
  // The object of the body that it is about ("loadbalancer.listeners[0]"), for those who wrote the
  // body as a file. Not part of the answer.
  std::string where = {};
  // More for people than the text says, where Octavia's words leave it out: the debuginfo.
  std::string detail = {};
};

// A value, or why there is none.
template <class T>
using Outcome = std::variant<T, Fault>;

// Of a check: what is wrong, or nothing.
using Refusal = std::optional<Fault>;

}  // namespace model
