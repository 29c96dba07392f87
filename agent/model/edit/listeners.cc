#include "agent/model/edit/editors.h"
#include "agent/model/edit/listener_rules.h"
#include "agent/model/fields/read.h"

namespace model {

namespace {

const Place kListenerPlace{"listener_.listener", "listener"};

Outcome<Body> read_listener(const Body& body, unsigned use) {
  auto inner = unwrap("listener_", "listener", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields(kListenerPlace, table<Listener>(), std::get<Body>(inner), use);
}

}  // namespace

Done create_listener(Draft& draft, const Body& body) {
  auto values = read_listener(body, kCreate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Listener listener;
  assign(listener, std::get<Body>(values));
  if (!draft.load_balancer(listener.load_balancer))
    return not_found(Kind::load_balancer, listener.load_balancer.text());
  const LoadBalancer& lb = *draft.load_balancer(listener.load_balancer);
  if (auto refusal = draft.check_room(lb.id, Kind::listener)) return *refusal;
  if (auto refusal = check_default_pool(draft.model, lb, listener)) return *refusal;
  if (auto refusal = draft.check_mutable(listener.load_balancer)) return *refusal;
  draft.stamp_new(listener);
  if (auto refusal =
          complete_listener(draft.context(), listener, std::get<Body>(values), Request::create))
    return *refusal;
  if (auto refusal = check_listener(draft.model, lb, listener)) return *refusal;
  if (listener.default_pool)
    draft.mark(*draft.pool(*listener.default_pool), ProvisioningStatus::pending_update);
  draft.lock(lb.id);
  draft.model.listeners.emplace(listener.id, listener);
  return listener.id;
}

Done update_listener(Draft& draft, const Uuid& id, const Body& body) {
  auto values = read_listener(body, kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Listener* listener = draft.listener(id);
  if (!listener) return not_found(Kind::listener, id.text());
  assign(*listener, std::get<Body>(values));
  if (auto refusal =
          complete_listener(draft.context(), *listener, std::get<Body>(values), Request::update))
    return *refusal;
  const LoadBalancer& lb = *draft.load_balancer(listener->load_balancer);
  if (auto refusal = check_listener(draft.model, lb, *listener)) return *refusal;
  if (auto refusal = check_default_pool(draft.model, lb, *listener)) return *refusal;
  if (auto refusal = draft.check_mutable(lb.id)) return *refusal;
  draft.mark(*listener, ProvisioningStatus::pending_update);
  draft.lock(lb.id);
  return id;
}

Done remove_listener(Draft& draft, const Uuid& id) {
  Listener* listener = draft.listener(id);
  if (!listener) return not_found(Kind::listener, id.text());
  if (auto refusal = draft.check_mutable(listener->load_balancer)) return *refusal;
  draft.mark_gone(*listener);
  draft.lock(listener->load_balancer);
  return id;
}

}  // namespace model
