#include "agent/model/edit/draft.h"

#include "agent/model/edit/quotas.h"
#include "agent/model/relations.h"

namespace model {

namespace {

template <class R>
R* find(std::map<Uuid, R>& all, const Uuid& id) {
  auto found = all.find(id);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace

LoadBalancer* Draft::load_balancer(const Uuid& id) { return find(model.load_balancers, id); }
Listener* Draft::listener(const Uuid& id) { return find(model.listeners, id); }
Pool* Draft::pool(const Uuid& id) { return find(model.pools, id); }

Member* Draft::member(const Uuid& pool, const Uuid& id) {
  Member* found = find(model.members, id);
  return found && found->pool == pool ? found : nullptr;
}

HealthMonitor* Draft::health_monitor(const Uuid& id) { return find(model.health_monitors, id); }

L7Policy* Draft::l7policy(const Uuid& id) { return find(model.l7policies, id); }

L7Rule* Draft::l7rule(const Uuid& policy, const Uuid& id) {
  L7Rule* found = find(model.l7rules, id);
  return found && found->policy == policy ? found : nullptr;
}

void Draft::stamp_new(Common& resource) {
  resource.id = Uuid::random();
  resource.provisioning_status = ProvisioningStatus::pending_create;
  resource.created_at = context_.now + std::chrono::microseconds(created_++);
  resource.updated_at.reset();
}

void Draft::mark(Common& resource, ProvisioningStatus status) {
  resource.provisioning_status = status;
  resource.updated_at = context_.now;
}

void Draft::lock(const Uuid& load_balancer) {
  mark(model.load_balancers.at(load_balancer), ProvisioningStatus::pending_update);
}

void Draft::lock_users(const Pool& pool) {
  for (const Listener* listener : listeners_of(model, pool))
    mark(model.listeners.at(listener->id), ProvisioningStatus::pending_update);
}

void Draft::lock_above(Pool& pool) {
  mark(pool, ProvisioningStatus::pending_update);
  lock_users(pool);
  lock(pool.load_balancer);
}

void Draft::lock_above(const L7Policy& policy) {
  Listener& above = model.listeners.at(policy.listener);
  mark(above, ProvisioningStatus::pending_update);
  lock(above.load_balancer);
}

void Draft::mark_gone(Listener& listener) {
  mark(listener, ProvisioningStatus::pending_delete);
  for (auto& [id, policy] : model.l7policies)
    if (policy.listener == listener.id) mark_gone(policy);
}

void Draft::mark_gone(L7Policy& policy) {
  mark(policy, ProvisioningStatus::pending_delete);
  for (auto& [id, rule] : model.l7rules)
    if (rule.policy == policy.id) mark(rule, ProvisioningStatus::pending_delete);
}

Refusal Draft::check_room(const Uuid& load_balancer, Kind kind, size_t more) const {
  return check_quota(model, model.load_balancers.at(load_balancer).project_id, kind, more);
}

Refusal Draft::check_mutable(const Uuid& load_balancer) {
  LoadBalancer* lb = find(model.load_balancers, load_balancer);
  if (!lb) return not_found(Kind::load_balancer, load_balancer.text());
  if (is_pending(lb->provisioning_status)) return immutable(Kind::load_balancer, load_balancer);
  return std::nullopt;
}

Refusal Draft::check_pool(const Uuid& id) {
  Pool* found = find(model.pools, id);
  if (!found) return not_found(Kind::pool, id.text());
  if (is_pending(found->provisioning_status)) return immutable(Kind::pool, id);
  return check_mutable(found->load_balancer);
}

Refusal Draft::check_policy(const Uuid& id) {
  L7Policy* found = find(model.l7policies, id);
  if (!found) return not_found(Kind::l7policy, id.text());
  if (is_pending(found->provisioning_status)) return immutable(Kind::l7policy, id);
  return check_mutable(model.listeners.at(found->listener).load_balancer);
}

}  // namespace model
