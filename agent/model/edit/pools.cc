#include "agent/model/edit/editors.h"
#include "agent/model/edit/pool_rules.h"
#include "agent/model/fields/read.h"

namespace model {

namespace {

const Place kPoolPlace{"pool_.pool", "pool"};

Outcome<Body> read_pool(const Body& body, unsigned use) {
  auto inner = unwrap("pool_", "pool", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields(kPoolPlace, table<Pool>(), std::get<Body>(inner), use);
}

// The listener that the new pool becomes the default of; null if none is named.
Outcome<Listener*> named_listener(Draft& draft, const Body& values) {
  auto given = values.find("listener_id");
  if (given == values.end() || given->is_null()) return nullptr;
  const auto& text = given->get_ref<const std::string&>();
  Listener* listener = draft.listener(*Uuid::parse(text));
  if (!listener) return not_found(Kind::listener, text);
  return listener;
}

// Of the session persistence: timing is looked at before a type that is nowhere.
Refusal check_change(const Pool& former, Pool& pool, const Body& values) {
  const auto untyped = keep_persistence_type(former, pool, values);
  const auto refusal = check_persistence(pool, values, Request::update);
  if (untyped && pool.session_persistence->persistence_timeout) return refusal;
  return untyped ? untyped : refusal;
}

}  // namespace

Done create_pool(Draft& draft, const Body& body) {
  auto values = read_pool(body, kCreate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Pool pool;
  assign(pool, std::get<Body>(values));
  auto named = named_listener(draft, std::get<Body>(values));
  if (auto* fault = std::get_if<Fault>(&named)) return *fault;
  Listener* listener = std::get<Listener*>(named);
  if (pool.load_balancer.is_nil() && !listener)
    return validation_failure("Must provide at least one of: loadbalancer_id, listener_id");
  if (pool.load_balancer.is_nil()) pool.load_balancer = listener->load_balancer;
  if (listener && listener->load_balancer != pool.load_balancer)
    return not_found(Kind::listener, listener->id.text());
  if (!draft.load_balancer(pool.load_balancer))
    return not_found(Kind::load_balancer, pool.load_balancer.text());
  if (listener)
    if (auto refusal = check_protocols(listener->protocol, pool.protocol)) return *refusal;
  if (auto refusal = check_persistence(pool, std::get<Body>(values), Request::create))
    return *refusal;
  if (auto refusal = draft.check_room(pool.load_balancer, Kind::pool)) return *refusal;
  if (listener && listener->default_pool)
    return Fault{409, "This listener already has a default pool"};
  if (auto refusal = draft.check_mutable(pool.load_balancer)) return *refusal;
  if (auto refusal = complete_pool(draft.context(), pool, std::get<Body>(values), Request::create))
    return *refusal;
  draft.stamp_new(pool);
  if (listener) {
    listener->default_pool = pool.id;
    draft.mark(*listener, ProvisioningStatus::pending_update);
  }
  draft.lock(pool.load_balancer);
  draft.model.pools.emplace(pool.id, pool);
  return pool.id;
}

Done update_pool(Draft& draft, const Uuid& id, const Body& body) {
  auto values = read_pool(body, kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Pool* pool = draft.pool(id);
  if (!pool) return not_found(Kind::pool, id.text());
  const Pool former = *pool;
  assign(*pool, std::get<Body>(values));
  if (auto refusal = check_change(former, *pool, std::get<Body>(values))) return *refusal;
  if (auto refusal = complete_pool(draft.context(), *pool, std::get<Body>(values), Request::update))
    return *refusal;
  if (auto refusal = draft.check_mutable(pool->load_balancer)) return *refusal;
  draft.mark(*pool, ProvisioningStatus::pending_update);
  draft.lock_users(*pool);
  draft.lock(pool->load_balancer);
  return id;
}

Done remove_pool(Draft& draft, const Uuid& id) {
  Pool* pool = draft.pool(id);
  if (!pool) return not_found(Kind::pool, id.text());
  for (const auto& [key, policy] : draft.model.l7policies)
    if (policy.redirect_pool == id)
      return Fault{409, "Pool " + id.text() + " is in use by L7 policy " + key.text()};
  if (auto refusal = draft.check_mutable(pool->load_balancer)) return *refusal;
  draft.mark(*pool, ProvisioningStatus::pending_delete);
  draft.lock_users(*pool);
  draft.lock(pool->load_balancer);
  for (auto& [key, listener] : draft.model.listeners)
    if (listener.default_pool == id) listener.default_pool.reset();
  for (auto& [key, member] : draft.model.members)
    if (member.pool == id) draft.mark(member, ProvisioningStatus::pending_delete);
  for (auto& [key, monitor] : draft.model.health_monitors)
    if (monitor.pool == id) draft.mark(monitor, ProvisioningStatus::pending_delete);
  return id;
}

}  // namespace model
