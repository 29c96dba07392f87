// Who belongs to whom: walks over a model in the order in which things were made.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "agent/model/model.h"

namespace model {

// Those that match, oldest first.
template <class R, class Match>
std::vector<const R*> select(const std::map<Uuid, R>& all, Match match) {
  std::vector<const R*> found;
  for (const auto& [id, resource] : all)
    if (match(resource)) found.push_back(&resource);
  std::stable_sort(found.begin(), found.end(),
                   [](const R* a, const R* b) { return a->created_at < b->created_at; });
  return found;
}

inline std::vector<const Listener*> listeners_of(const Model& m, const LoadBalancer& lb) {
  return select(m.listeners, [&](const Listener& l) { return l.load_balancer == lb.id; });
}
inline std::vector<const Listener*> listeners_of(const Model& m, const Pool& pool) {
  return select(m.listeners, [&](const Listener& l) { return l.default_pool == pool.id; });
}
inline std::vector<const Pool*> pools_of(const Model& m, const LoadBalancer& lb) {
  return select(m.pools, [&](const Pool& p) { return p.load_balancer == lb.id; });
}
inline std::vector<const Member*> members_of(const Model& m, const Pool& pool) {
  return select(m.members, [&](const Member& member) { return member.pool == pool.id; });
}

// The pool's monitor; null: it has none.
inline const HealthMonitor* monitor_of(const Model& m, const Pool& pool) {
  for (const auto& [id, monitor] : m.health_monitors)
    if (monitor.pool == pool.id) return &monitor;
  return nullptr;
}

}  // namespace model
