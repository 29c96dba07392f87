// What is probed, how, and what came of it: the values between the planner, the prober and those
// who show statuses.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/uuid.h"

namespace health {

enum class Type : uint8_t { ping, tcp, http, https, tls_hello, udp_connect, sctp };
enum class HttpVersion : uint8_t { v1_0, v1_1 };

struct CodeRange {
  int first = 200, last = 200;  // HTTP status codes, both included

  auto operator<=>(const CodeRange&) const = default;
};

struct Target {
  base::Uuid member;        // the key: a member has one monitor
  base::Endpoint endpoint;  // monitor address and port where given, else the member's; ping: port 0
  Type type = Type::tcp;
  std::chrono::milliseconds delay{5000};    // from probe to probe; below 100 ms is taken as 100 ms
  std::chrono::milliseconds timeout{5000};  // of a whole probe, at most `delay`; 0: `delay`
  int rise = 3;  // successes in a row that bring a member up (max_retries), >= 1
  int fall = 3;  // failures in a row that take it down (max_retries_down), >= 1

  // HTTP and HTTPS.
  std::string method = "GET";
  HttpVersion version = HttpVersion::v1_0;
  std::string path = "/";
  std::vector<CodeRange> expected = {CodeRange{}};  // parse_expected_codes()
  std::string domain_name;  // Host (1.1) and the name asked for in TLS; empty: none

  auto operator<=>(const Target&) const = default;
};

// Those that nobody else in the namespace connects from; without any, the kernel chooses.
struct SourcePorts {
  uint16_t first = 0, count = 0;
};

enum class State : uint8_t {
  up,
  down,
  unknown  // we could not probe (no descriptor, no privilege): no fault of the member
};

struct Health {
  State state = State::up;
  // Whether new flows may go there: what the last probes that told anything decided. Differs from
  // `state` only while that is unknown.
  bool usable = true;
  // Of the last probe: "connected", "HTTP 200", "connection refused", "HTTP 503, expected 200",
  // "no answer within 5 s", "not probed yet".
  std::string reason = "not probed yet";
  std::chrono::system_clock::time_point last_change;  // of `state`; of being known at first
  std::chrono::microseconds latency{0};               // of the last probe, success or not
  uint64_t probes = 0;                                // results so far; 0: not probed yet

  auto operator<=>(const Health&) const = default;
};

const char* to_text(Type type);    // Octavia's word: "PING", "TLS-HELLO"
const char* to_text(State state);  // "up", "down", "unknown"

}  // namespace health
