#include "agent/model/draft.h"

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

void Draft::stamp_new(Common& resource) {
  resource.id = Uuid::random();
  resource.provisioning_status = ProvisioningStatus::pending_create;
  resource.created_at = now_ + std::chrono::microseconds(created_++);
  resource.updated_at.reset();
}

void Draft::mark(Common& resource, ProvisioningStatus status) {
  resource.provisioning_status = status;
  resource.updated_at = now_;
}

void Draft::lock(const Uuid& load_balancer) {
  mark(model.load_balancers.at(load_balancer), ProvisioningStatus::pending_update);
}

void Draft::lock_users(const Pool& pool) {
  for (auto& [id, listener] : model.listeners)
    if (listener.default_pool == pool.id) mark(listener, ProvisioningStatus::pending_update);
}

void Draft::lock_above(Pool& pool) {
  mark(pool, ProvisioningStatus::pending_update);
  lock_users(pool);
  lock(pool.load_balancer);
}

Refusal Draft::check_mutable(const Uuid& load_balancer) {
  LoadBalancer* lb = find(model.load_balancers, load_balancer);
  if (!lb) return not_found(Kind::load_balancer, load_balancer.text());
  if (lb->provisioning_status != ProvisioningStatus::active)
    return immutable(Kind::load_balancer, load_balancer);
  return std::nullopt;
}

Refusal Draft::check_pool(const Uuid& id) {
  Pool* found = find(model.pools, id);
  if (!found) return not_found(Kind::pool, id.text());
  if (found->provisioning_status != ProvisioningStatus::active) return immutable(Kind::pool, id);
  return check_mutable(found->load_balancer);
}

}  // namespace model
