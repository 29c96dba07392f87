// What HAProxy's workers count, as values (`show stat`), and what their servers do.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "haproxy/haproxy_spec.h"

namespace haproxy {

// A process that counts for itself, from zero.
struct WorkerId {
  pid_t pid = 0;
  uint64_t start = 0;  // clock ticks since boot

  auto operator<=>(const WorkerId&) const = default;
};

struct Traffic {
  uint64_t bytes_in = 0, bytes_out = 0;
  uint64_t current = 0, total = 0;  // connections of frontends, sessions of the others
  uint64_t errors = 0;  // of requests on frontends, of connections and answers elsewhere

  friend bool operator==(const Traffic&, const Traffic&) = default;
};

struct FrontendStats {
  std::string status;  // "OPEN", "FULL", "STOP"
  Traffic traffic;

  friend bool operator==(const FrontendStats&, const FrontendStats&) = default;
};

struct ServerStats {
  std::string status;  // "UP", "DOWN 1/2", "no check", "MAINT", "DRAIN"
  std::string
      reason;  // of the last check: "L4CON: Connection refused", "L7STS/503: ..."; empty: none yet
  Traffic traffic;

  friend bool operator==(const ServerStats&, const ServerStats&) = default;
};

struct BackendStats {
  std::string status;  // "UP", "DOWN"
  Traffic traffic;
  std::map<base::Uuid, ServerStats> servers;  // by member

  friend bool operator==(const BackendStats&, const BackendStats&) = default;
};

struct WorkerStats {
  WorkerId worker;
  bool current = false;  // the one that accepts; the others serve what they still have
  bool last = false;     // nothing will be added: the worker ends when this is read
  bool answers = true;   // false: it did not this time, and the rest is what it said before
  std::map<base::Uuid, FrontendStats> frontends;  // by listener
  std::map<BackendId, BackendStats> backends;

  friend bool operator==(const WorkerStats&, const WorkerStats&) = default;
};

// Fills frontends and backends of `into` from the CSV of `show stat`; lines of proxies that are not
// ours are left out. false: not such a text.
bool parse_stats(std::string_view csv, WorkerStats& into);

// Of a server that is checked, by its status. A server that drains passes its checks. nullopt:
// nobody checks it, or it is not known yet.
std::optional<Health> health_of(std::string_view status);

// Fields of one line of CSV, without the quotes.
std::vector<std::string> csv_fields(std::string_view line);

// Whether a worker that is to end (of whose `show info` this is) waits for nothing but `held`
// connections of the agent's own.
bool is_drained(std::string_view info, uint64_t held);

}  // namespace haproxy
