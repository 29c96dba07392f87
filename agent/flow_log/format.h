// A log-format of HAProxy's, for connections that HAProxy did not carry: the same fields, written
// the same way. What is not known of them is what HAProxy writes for it: "-", 0 or -1. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip.h"

namespace flow_log {

// One that has ended.
struct Connection {
  using Time = std::chrono::system_clock::time_point;

  base::Endpoint client, vip;     // where it came from, and to
  base::Endpoint source, member;  // where it went on from, and to
  std::string frontend, backend, server;
  uint64_t bytes_in = 0, bytes_out = 0;  // from the client, to it
  std::optional<Time> begun;             // none: before anybody looked
  Time ended{};
  std::string state = "--";  // why it ended and when, as HAProxy's %ts
};

// Who writes the log.
struct Host {
  std::string name;
  int pid = 0;
};

class Format {
 public:
  // Any text: a variable that is not known is "-" in every line.
  static Format parse(std::string_view text);

  // Without an end of line.
  std::string line(const Connection& connection, const Host& host) const;

 private:
  enum class Quotes : uint8_t { none, around };
  struct Literal {
    std::string text;
  };
  struct Blank {};
  struct Variable {
    std::string name;  // "": an expression, which nobody can evaluate here
    Quotes quotes = Quotes::none;
  };
  using Part = std::variant<Literal, Blank, Variable>;
  class Parser;

  std::vector<Part> parts_;
};

}  // namespace flow_log
