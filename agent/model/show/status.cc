#include "agent/model/show/status.h"

#include <algorithm>
#include <vector>

#include "agent/model/edit/pool_rules.h"

namespace model {

namespace {

using enum OperatingStatus;

// A resource that is being changed or removed still is there.
bool is_present(const Common& resource) {
  return resource.provisioning_status != ProvisioningStatus::pending_create &&
         resource.provisioning_status != ProvisioningStatus::error;
}
bool is_on(const Common& resource) { return resource.admin_state_up && is_present(resource); }

// A pool with what belongs to it.
struct Group {
  const Pool& pool;
  std::vector<const Member*> members;  // without those that are about to go
  bool monitored = false;
  bool serves = false;  // a listener that is on, of a load balancer that is
};

class RollUp {
 public:
  RollUp(const Model& m, const Findings& findings) : m_(m), findings_(findings) {}

  Statuses statuses() && {
    for (const auto& [id, lb] : m_.load_balancers) statuses_[id] = is_on(lb) ? online : offline;
    for (const auto& [id, listener] : m_.listeners) add(listener);
    for (const auto& [id, monitor] : m_.health_monitors)
      statuses_[id] = is_on(monitor) ? online : offline;
    for (const auto& [id, policy] : m_.l7policies) statuses_[id] = is_on(policy) ? online : offline;
    for (const auto& [id, rule] : m_.l7rules) statuses_[id] = is_on(rule) ? online : offline;
    for (const auto& [id, group] : groups()) add(group);
    return std::move(statuses_);
  }

 private:
  std::map<Uuid, Group> groups() const {
    std::map<Uuid, Group> groups;
    for (const auto& [id, pool] : m_.pools) groups.emplace(id, Group{pool, {}});
    for (const auto& [id, member] : m_.members) groups.at(member.pool).members.push_back(&member);
    for (const auto& [id, monitor] : m_.health_monitors)
      groups.at(monitor.pool).monitored = monitor.admin_state_up;
    for (const auto& [id, listener] : m_.listeners)
      if (listener.default_pool && serves(listener))
        groups.at(*listener.default_pool).serves = true;
    for (const auto& [id, rule] : m_.l7rules) {
      // A policy without rules sends nobody anywhere.
      const L7Policy& policy = m_.l7policies.at(rule.policy);
      if (policy.redirect_pool && is_on(policy) && serves(m_.listeners.at(policy.listener)))
        groups.at(*policy.redirect_pool).serves = true;
    }
    return groups;
  }

  bool serves(const Listener& listener) const {
    return is_on(listener) && is_on(m_.load_balancers.at(listener.load_balancer));
  }

  void add(const Listener& listener) {
    statuses_[listener.id] = serves(listener) ? online : offline;
    if (!serves(listener)) return;
    if (findings_.lossy_listeners.contains(listener.id)) worsen(listener.load_balancer, degraded);
    if (!findings_.full_listeners.contains(listener.id)) return;
    statuses_[listener.id] = degraded;
    worsen(listener.load_balancer, degraded);
  }

  void add(const Group& group) {
    bool any_down = false, any_usable = false;
    size_t counted = 0;
    for (const Member* member : group.members) {
      OperatingStatus status = statuses_[member->id] = of_member(*member, group);
      if (member->provisioning_status == ProvisioningStatus::pending_delete) continue;
      counted++;
      any_down = any_down || status == error;
      any_usable = any_usable || (member->admin_state_up && member->weight > 0 && status != error);
    }
    OperatingStatus& pool = statuses_[group.pool.id] = online;
    if (!is_on(group.pool) || !group.serves) {
      pool = offline;
      return;
    }
    // Without a monitor nobody takes a UDP pool down, not even its weights.
    bool can_be_down = group.monitored || !has_datagrams(group.pool.protocol);
    if (counted > 0 && !any_usable && can_be_down)
      pool = error;
    else if (any_down)
      pool = degraded;
    worsen(group.pool.load_balancer, pool);
  }

  OperatingStatus of_member(const Member& member, const Group& group) const {
    if (!member.admin_state_up) return offline;
    if (!group.monitored)
      return member.weight == 0 && has_datagrams(group.pool.protocol) ? draining : no_monitor;
    auto found = findings_.members.find(member.id);
    CheckedState state = found == findings_.members.end() ? CheckedState::unknown : found->second;
    if (state == CheckedState::down) return error;
    if (state == CheckedState::unknown) return offline;
    return member.weight == 0 ? draining : online;
  }

  void worsen(const Uuid& load_balancer, OperatingStatus to) {
    OperatingStatus& status = statuses_.at(load_balancer);
    if (status == offline || status == error) return;
    if (to == error || to == degraded) status = to;
  }

  const Model& m_;
  const Findings& findings_;
  Statuses statuses_;
};

}  // namespace

Statuses operating_statuses(const Model& m, const Findings& findings) {
  return RollUp(m, findings).statuses();
}

}  // namespace model
