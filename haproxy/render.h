// The text of haproxy.cfg. Pure and deterministic: the same values, the same bytes.
#pragma once

#include <cstdint>
#include <string>

#include "haproxy/haproxy_spec.h"

namespace haproxy {

// What the text says about the machine.
struct Surroundings {
  std::string stats_socket;       // mode 0600
  std::string server_state_file;  // read when a worker starts
  uint64_t descriptors = 1024;    // RLIMIT_NOFILE's hard limit
  std::string user, group;        // of the workers; empty: those of the agent
  std::string log_socket;         // empty: no log
  std::string group_of_uploads;   // an uploaded text has a user alone
  unsigned threads = 1;           // of a worker

  friend bool operator==(const Surroundings&, const Surroundings&) = default;
};

std::string render(const Spec& spec, const Surroundings& around);

// Connections that the workers may have at a time: what the frontends allow, within what the
// descriptors are enough for. At least 1.
uint64_t max_connections(const Spec& spec, uint64_t descriptors);

// Octavia's for a listener without a limit.
inline constexpr int kUnlimited = 50000;

// Of the one exporter backend.
inline constexpr const char* kMetricsBackend = "metrics";

}  // namespace haproxy
