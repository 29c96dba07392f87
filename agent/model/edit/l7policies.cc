#include <algorithm>
#include <optional>

#include "agent/model/edit/editors.h"
#include "agent/model/edit/listener_rules.h"
#include "agent/model/fields/read.h"
#include "agent/model/relations.h"
#include "agent/model/words.h"

namespace model {

namespace {

Outcome<Body> read_policy(const Body& body, unsigned use) {
  auto inner = unwrap("l7policy_", "l7policy", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields({"l7policy_.l7policy", "l7policy"}, table<L7Policy>(), std::get<Body>(inner),
                     use);
}

Fault bad_arguments(const std::string& why) { return {400, "Invalid L7 Policy arguments: " + why}; }

bool sets(const Body& values, const char* name) {
  auto given = values.find(name);
  return given != values.end() && !given->is_null();
}

// Where an action sends requests, and the attribute that says so.
struct Redirect {
  PolicyAction action;
  const char* attribute;
  const char* missing;
};
constexpr Redirect kRedirects[] = {
    {PolicyAction::redirect_to_pool, "redirect_pool_id",
     "redirect_pool_id or redirect_pool must not be None"},
    {PolicyAction::redirect_to_url, "redirect_url", "redirect_url must not be None"},
    {PolicyAction::redirect_prefix, "redirect_prefix", "redirect_prefix must not be None"},
};

bool sets(const Body& values, const Redirect& redirect) {
  return sets(values, redirect.attribute) ||
         (redirect.action == PolicyAction::redirect_to_pool && sets(values, "redirect_pool"));
}

// What the request says of where requests go, without what its own action has no use for.
Body without_useless(Body values) {
  if (!values.contains("action")) return values;
  const auto action = *from_word<PolicyAction>(values["action"].get_ref<const std::string&>());
  const auto drop = [&values](const char* attribute) { values.erase(attribute); };
  if (action == PolicyAction::reject || action == PolicyAction::redirect_to_url) {
    drop("redirect_pool_id");
    drop("redirect_pool");
  }
  if (action == PolicyAction::reject || action == PolicyAction::redirect_to_pool)
    drop("redirect_url");
  return values;
}

void drop_other_targets(L7Policy& policy) {
  if (policy.action != PolicyAction::redirect_to_pool) policy.redirect_pool.reset();
  if (policy.action != PolicyAction::redirect_to_url) policy.redirect_url.clear();
  if (policy.action != PolicyAction::redirect_prefix) policy.redirect_prefix.clear();
}

// `policy` has been given `values`. As in Octavia, a redirect that is set is the action, and brings
// its code: 302 where none is given; what the action has no use for goes.
Refusal complete_policy(L7Policy& policy, const Body& given) {
  if (sets(given, "action"))
    for (const Redirect& redirect : kRedirects)
      if (redirect.action == policy.action && !sets(given, redirect))
        return bad_arguments(redirect.missing);
  const Body values = without_useless(given);
  const auto& [pool, url, prefix] = kRedirects;
  if (sets(values, pool) && (sets(values, url) || sets(values, prefix)))
    return bad_arguments(
        "Cannot specify redirect_pool_id and redirect_url or redirect_prefix at the same time");
  const Redirect* said = nullptr;
  for (const Redirect* redirect : {&prefix, &url, &pool})
    if (sets(values, *redirect)) said = redirect;
  if (said) policy.action = said->action;
  drop_other_targets(policy);
  const bool answers = said && said->action != PolicyAction::redirect_to_pool;
  if (answers && !sets(values, "redirect_http_code")) policy.redirect_http_code = 302;
  const bool keeps =
      answers ||
      (!said && (given.contains("redirect_http_code") || policy.action != PolicyAction::reject));
  if (!keeps) policy.redirect_http_code.reset();
  return std::nullopt;
}

Refusal check_redirect_pool(const Draft& draft, const Listener& listener, const L7Policy& policy) {
  if (!policy.redirect_pool) return std::nullopt;
  auto pool = draft.model.pools.find(*policy.redirect_pool);
  if (pool == draft.model.pools.end() || pool->second.load_balancer != listener.load_balancer)
    return not_found(Kind::pool, policy.redirect_pool->text());
  if (auto refusal = check_protocols(listener.protocol, pool->second.protocol)) return refusal;
  if (pool->second.provisioning_status == ProvisioningStatus::pending_delete)
    return immutable(Kind::pool, pool->first);
  return std::nullopt;
}

std::optional<int> wanted_position(const Body& values) {
  if (!sets(values, "position")) return std::nullopt;
  return values["position"].get<int>();
}

// Puts the policy where it is wanted among those of its listener, which move up; none: last.
void place(Draft& draft, const L7Policy& placed, std::optional<int> wanted) {
  std::vector<L7Policy*> order;
  for (const L7Policy* policy : policies_of(draft.model, draft.model.listeners.at(placed.listener)))
    if (policy->id != placed.id) order.push_back(draft.l7policy(policy->id));
  const size_t at =
      wanted ? std::min(order.size(), static_cast<size_t>(*wanted) - 1) : order.size();
  order.insert(order.begin() + static_cast<std::ptrdiff_t>(at), draft.l7policy(placed.id));
  for (size_t i = 0; i < order.size(); i++) order[i]->position = static_cast<int>(i) + 1;
}

}  // namespace

Done create_l7policy(Draft& draft, const Body& body) {
  auto read = read_policy(body, kCreate);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  const Body& values = std::get<Body>(read);
  L7Policy policy;
  assign(policy, values);
  Listener* listener = draft.listener(policy.listener);
  if (!listener) return not_found(Kind::listener, policy.listener.text());
  if (listener->protocol == ListenerProtocol::prometheus) return no_children(listener->protocol);
  if (auto refusal = check_redirect_pool(draft, *listener, policy)) return *refusal;
  if (auto refusal = draft.check_room(listener->load_balancer, Kind::l7policy)) return *refusal;
  if (auto refusal = complete_policy(policy, values)) return *refusal;
  if (auto refusal = draft.check_mutable(listener->load_balancer)) return *refusal;
  if (auto refusal = check_takes_policies(*listener)) return *refusal;
  draft.stamp_new(policy);
  draft.model.l7policies.emplace(policy.id, policy);
  place(draft, policy, wanted_position(values));
  draft.lock_above(policy);
  return policy.id;
}

Done update_l7policy(Draft& draft, const Uuid& id, const Body& body) {
  auto read = read_policy(body, kUpdate);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  const Body& values = std::get<Body>(read);
  L7Policy* policy = draft.l7policy(id);
  if (!policy) return not_found(Kind::l7policy, id.text());
  if (values.empty()) return bad_arguments("Invalid update options");
  const Listener& listener = draft.model.listeners.at(policy->listener);
  const int position = policy->position;
  assign(*policy, values);
  policy->position = position;
  if (auto refusal = complete_policy(*policy, values)) return *refusal;
  if (auto refusal = check_redirect_pool(draft, listener, *policy)) return *refusal;
  if (auto refusal = draft.check_mutable(listener.load_balancer)) return *refusal;
  if (auto wanted = wanted_position(values)) place(draft, *policy, wanted);
  draft.mark(*policy, ProvisioningStatus::pending_update);
  draft.lock_above(*policy);
  return id;
}

Done remove_l7policy(Draft& draft, const Uuid& id) {
  L7Policy* policy = draft.l7policy(id);
  if (!policy) return not_found(Kind::l7policy, id.text());
  const Listener& listener = draft.model.listeners.at(policy->listener);
  if (auto refusal = draft.check_mutable(listener.load_balancer)) return *refusal;
  draft.mark_gone(*policy);
  draft.lock_above(*policy);
  return id;
}

Done add_l7policy(Draft& draft, const Listener& listener, const Body& values,
                  std::optional<Uuid> redirect_pool) {
  L7Policy policy;
  assign(policy, values);
  policy.listener = listener.id;
  policy.redirect_pool = redirect_pool;
  if (auto refusal = check_takes_policies(listener)) return *refusal;
  if (auto refusal = draft.check_room(listener.load_balancer, Kind::l7policy)) return *refusal;
  if (auto refusal = complete_policy(policy, values)) return *refusal;
  if (auto refusal = check_redirect_pool(draft, listener, policy)) return *refusal;
  draft.stamp_new(policy);
  draft.model.l7policies.emplace(policy.id, policy);
  place(draft, policy, wanted_position(values));
  return policy.id;
}

}  // namespace model
