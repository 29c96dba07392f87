#include "agent/model/edit/editors.h"
#include "agent/model/fields/read.h"
#include "agent/model/words.h"

namespace model {

namespace {

Fault invalid_state(const LoadBalancer& lb) {
  return {409, "Invalid state " + text(lb.provisioning_status) + " of loadbalancer resource " +
                   lb.id.text()};
}

}  // namespace

Done update_load_balancer(Draft& draft, const Uuid& id, const Body& body) {
  auto inner = unwrap("load_balancer", "loadbalancer", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  auto values = read_fields({"load_balancer.loadbalancer", "loadbalancer"}, table<LoadBalancer>(),
                            std::get<Body>(inner), kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  LoadBalancer* lb = draft.load_balancer(id);
  if (!lb) return not_found(Kind::load_balancer, id.text());
  if (is_pending(lb->provisioning_status)) return invalid_state(*lb);
  assign(*lb, std::get<Body>(values));
  draft.lock(id);
  return id;
}

Done renew_load_balancer(Draft& draft, const Uuid& id) {
  LoadBalancer* lb = draft.load_balancer(id);
  if (!lb) return not_found(Kind::load_balancer, id.text());
  if (is_pending(lb->provisioning_status)) return invalid_state(*lb);
  Model& m = draft.model;
  const auto renew_all = [&draft](auto& all, auto is_mine) {
    for (auto& [key, resource] : all)
      if (is_mine(resource)) draft.mark(resource, ProvisioningStatus::pending_update);
  };
  const auto of_listener = [&](const Listener& l) { return l.load_balancer == id; };
  const auto of_pool = [&](const Pool& pool) { return pool.load_balancer == id; };
  const auto of_policy = [&](const L7Policy& p) { return of_listener(m.listeners.at(p.listener)); };
  renew_all(m.listeners, of_listener);
  renew_all(m.pools, of_pool);
  renew_all(m.members, [&](const Member& one) { return of_pool(m.pools.at(one.pool)); });
  renew_all(m.health_monitors,
            [&](const HealthMonitor& one) { return of_pool(m.pools.at(one.pool)); });
  renew_all(m.l7policies, of_policy);
  renew_all(m.l7rules, [&](const L7Rule& r) { return of_policy(m.l7policies.at(r.policy)); });
  lb->renewals++;
  draft.lock(id);
  return id;
}

Done remove_load_balancer(Draft& draft, const Uuid& id, Cascade cascade) {
  LoadBalancer* lb = draft.load_balancer(id);
  if (!lb) return not_found(Kind::load_balancer, id.text());
  bool children = false;
  for (const auto& [key, l] : draft.model.listeners) children = children || l.load_balancer == id;
  for (const auto& [key, p] : draft.model.pools) children = children || p.load_balancer == id;
  if (children && cascade == Cascade::no)
    return validation_failure("Cannot delete Load Balancer " + id.text() + " - it has children");
  if (is_pending(lb->provisioning_status)) return invalid_state(*lb);

  draft.mark(*lb, ProvisioningStatus::pending_delete);
  for (auto& [key, listener] : draft.model.listeners)
    if (listener.load_balancer == id) draft.mark_gone(listener);
  for (auto& [key, pool] : draft.model.pools)
    if (pool.load_balancer == id) draft.mark(pool, ProvisioningStatus::pending_delete);
  for (auto& [key, member] : draft.model.members)
    if (draft.model.pools.at(member.pool).load_balancer == id)
      draft.mark(member, ProvisioningStatus::pending_delete);
  for (auto& [key, monitor] : draft.model.health_monitors)
    if (draft.model.pools.at(monitor.pool).load_balancer == id)
      draft.mark(monitor, ProvisioningStatus::pending_delete);
  return id;
}

}  // namespace model
