// HAProxy's processes as its master tells of them (`show proc`).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace haproxy {

struct Processes {
  pid_t master = 0;
  uint64_t reloads = 0, failed = 0;  // of the master
  std::optional<pid_t> worker;       // the one that accepts
  std::vector<pid_t> old_workers;    // those that still serve what they have

  friend bool operator==(const Processes&, const Processes&) = default;
};

// nullopt: not such a text.
std::optional<Processes> parse_processes(std::string_view text);

}  // namespace haproxy
