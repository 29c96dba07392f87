// What a heartbeat says (contract, 4.3 and 4.4): the model and what is known of it, as Octavia's
// health manager reads them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent/model/model.h"
#include "agent/model/show/status.h"
#include "health/heartbeat.h"

namespace octavia {

using base::Uuid;

// What HAProxy says of the listeners that are left to it, in its own words.
struct HaproxyReport {
  std::map<Uuid, std::string> listeners;            // "OPEN", "FULL"
  std::map<std::string, health::PoolReport> pools;  // by "<pool>:<listener>"

  friend bool operator==(const HaproxyReport&, const HaproxyReport&) = default;
};

struct Known {
  std::map<Uuid, model::CheckedState> members;  // by their health checks; not there: unknown
  std::set<Uuid> full;                          // listeners at their connection limit
  std::map<Uuid, uint64_t> connections;         // of listeners, now
  std::map<Uuid, health::Counters> counters;    // of listeners, since they exist
  std::optional<HaproxyReport> haproxy;         // none: it does not answer
  std::set<Uuid> by_haproxy = {};               // listeners that it serves
};

// Exactly the listeners that are enabled; those of HAProxy only as long as it answers. Advances
// `told`.
health::Heartbeat report(const model::Model& m, const Known& known, health::Told& told,
                         const std::string& amphora, uint64_t seq);

}  // namespace octavia
