#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "agent/model/edit/edit.h"

namespace model {

namespace {

bool is_pending(ProvisioningStatus status) {
  return status != ProvisioningStatus::active && status != ProvisioningStatus::error;
}

struct Finishing {
  Carried carried;
  Time now;

  // Whether the resource is gone.
  bool operator()(Common& resource) const {
    if (carried == Carried::out &&
        resource.provisioning_status == ProvisioningStatus::pending_delete)
      return true;
    auto next = resource.provisioning_status;
    if (carried == Carried::out)
      next = ProvisioningStatus::active;
    else if (is_pending(next))
      next = ProvisioningStatus::error;
    if (next != resource.provisioning_status) {
      resource.provisioning_status = next;
      resource.updated_at = now;
    }
    return false;
  }
};

template <class R, class Concerned>
void finish_all(std::map<Uuid, R>& all, const Finishing& finishing, Concerned concerned) {
  for (auto it = all.begin(); it != all.end();)
    it = concerned(it->second) && finishing(it->second) ? all.erase(it) : std::next(it);
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

}  // namespace

Model finish_pending(const Model& m, Carried carried, const std::set<Uuid>& load_balancers,
                     const Context& context) {
  Model next = m;
  const Finishing finishing{carried, context.now};
  finish_all(next.l7rules, finishing, [&](const L7Rule& rule) {
    const L7Policy& policy = m.l7policies.at(rule.policy);
    return load_balancers.contains(m.listeners.at(policy.listener).load_balancer);
  });
  finish_all(next.l7policies, finishing, [&](const L7Policy& policy) {
    return load_balancers.contains(m.listeners.at(policy.listener).load_balancer);
  });
  finish_all(next.health_monitors, finishing, [&](const HealthMonitor& monitor) {
    return load_balancers.contains(m.pools.at(monitor.pool).load_balancer);
  });
  finish_all(next.members, finishing, [&](const Member& member) {
    return load_balancers.contains(m.pools.at(member.pool).load_balancer);
  });
  finish_all(next.listeners, finishing,
             [&](const Listener& l) { return load_balancers.contains(l.load_balancer); });
  finish_all(next.pools, finishing,
             [&](const Pool& pool) { return load_balancers.contains(pool.load_balancer); });
  finish_all(next.load_balancers, finishing,
             [&](const LoadBalancer& lb) { return load_balancers.contains(lb.id); });
  if (next.l7policies.size() < m.l7policies.size()) renumber(next);
  return next;
}

}  // namespace model
