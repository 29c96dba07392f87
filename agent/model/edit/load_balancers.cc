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
