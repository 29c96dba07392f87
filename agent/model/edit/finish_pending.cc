#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "agent/model/edit/edit.h"

namespace model {

namespace {

enum class Fate { untouched, carried, failed, unserved };

// What became of each resource.
struct Fates {
  const std::set<Uuid>& load_balancers;
  Fate most;
  std::set<Uuid> unserved;  // of any kind

  Fate of(const Uuid& id, const Uuid& load_balancer) const {
    if (!load_balancers.contains(load_balancer)) return Fate::untouched;
    return unserved.contains(id) ? Fate::unserved : most;
  }
};

// Whether the resource is gone.
bool finish(Common& resource, Fate fate, Time now) {
  auto next = resource.provisioning_status;
  if (fate == Fate::untouched) return false;
  if (next == ProvisioningStatus::pending_delete && fate != Fate::failed) return true;
  if (fate == Fate::carried)
    next = ProvisioningStatus::active;
  else if (is_pending(next))
    next = ProvisioningStatus::error;
  if (next != resource.provisioning_status) {
    resource.provisioning_status = next;
    resource.updated_at = now;
  }
  return false;
}

template <class R, class FateOf>
void finish_all(std::map<Uuid, R>& all, Time now, FateOf fate_of) {
  for (auto it = all.begin(); it != all.end();)
    it = finish(it->second, fate_of(it->second), now) ? all.erase(it) : std::next(it);
}

// The listeners, and all that is theirs, used by them, or above them.
std::set<Uuid> around(const Model& m, const std::set<Uuid>& listeners) {
  std::set<Uuid> all = listeners;
  for (const Uuid& id : listeners) {
    const Listener& listener = m.listeners.at(id);
    all.insert(listener.load_balancer);
    if (listener.default_pool) all.insert(*listener.default_pool);
  }
  for (const auto& [id, policy] : m.l7policies) {
    if (!listeners.contains(policy.listener)) continue;
    all.insert(id);
    if (policy.redirect_pool) all.insert(*policy.redirect_pool);
  }
  for (const auto& [id, rule] : m.l7rules)
    if (all.contains(rule.policy)) all.insert(id);
  for (const auto& [id, member] : m.members)
    if (all.contains(member.pool)) all.insert(id);
  for (const auto& [id, monitor] : m.health_monitors)
    if (all.contains(monitor.pool)) all.insert(id);
  return all;
}

// Those that stay close up.
void renumber(Model& m) {
  std::map<Uuid, std::vector<L7Policy*>> policies;
  for (auto& [id, policy] : m.l7policies) policies[policy.listener].push_back(&policy);
  for (auto& [id, order] : policies) {
    std::sort(order.begin(), order.end(),
              [](const L7Policy* a, const L7Policy* b) { return a->position < b->position; });
    for (size_t i = 0; i < order.size(); i++) order[i]->position = static_cast<int>(i) + 1;
  }
}

Model finish_all(const Model& m, const Fates& fates, Time now) {
  Model next = m;
  const auto of_policy = [&](const L7Policy& policy) {
    return m.listeners.at(policy.listener).load_balancer;
  };
  const auto of_pool = [&](const Uuid& pool) { return m.pools.at(pool).load_balancer; };
  finish_all(next.l7rules, now, [&](const L7Rule& rule) {
    return fates.of(rule.id, of_policy(m.l7policies.at(rule.policy)));
  });
  finish_all(next.l7policies, now,
             [&](const L7Policy& policy) { return fates.of(policy.id, of_policy(policy)); });
  finish_all(next.health_monitors, now, [&](const HealthMonitor& monitor) {
    return fates.of(monitor.id, of_pool(monitor.pool));
  });
  finish_all(next.members, now,
             [&](const Member& member) { return fates.of(member.id, of_pool(member.pool)); });
  finish_all(next.listeners, now,
             [&](const Listener& l) { return fates.of(l.id, l.load_balancer); });
  finish_all(next.pools, now,
             [&](const Pool& pool) { return fates.of(pool.id, pool.load_balancer); });
  finish_all(next.load_balancers, now,
             [&](const LoadBalancer& lb) { return fates.of(lb.id, lb.id); });
  if (next.l7policies.size() < m.l7policies.size()) renumber(next);
  return next;
}

}  // namespace

Model finish_pending(const Model& m, Carried carried, const std::set<Uuid>& load_balancers,
                     const Context& context) {
  const Fate most = carried == Carried::out ? Fate::carried : Fate::failed;
  return finish_all(m, {load_balancers, most, {}}, context.now);
}

Model finish_without(const Model& m, const std::set<Uuid>& unserved,
                     const std::set<Uuid>& load_balancers, const Context& context) {
  return finish_all(m, {load_balancers, Fate::carried, around(m, unserved)}, context.now);
}

}  // namespace model
