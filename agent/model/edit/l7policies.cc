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

// What an action goes to, and the attributes that say so.
struct Redirect {
  PolicyAction action;
  const char* attribute;
  const char* nested;  // in a nested create
  const char* missing;
};
constexpr Redirect kRedirects[] = {
    {PolicyAction::redirect_to_pool, "redirect_pool_id", "redirect_pool",
     "redirect_pool_id or redirect_pool must not be None"},
    {PolicyAction::redirect_to_url, "redirect_url", "redirect_url",
     "redirect_url must not be None"},
    {PolicyAction::redirect_prefix, "redirect_prefix", "redirect_prefix",
     "redirect_prefix must not be None"},
};

bool sets(const Body& values, const Redirect& redirect) {
  return sets(values, redirect.attribute) || sets(values, redirect.nested);
}

bool has_target(const L7Policy& policy, const Redirect& redirect) {
  if (redirect.action == PolicyAction::redirect_to_pool) return policy.redirect_pool.has_value();
  return redirect.action == PolicyAction::redirect_to_url ? !policy.redirect_url.empty()
                                                          : !policy.redirect_prefix.empty();
}

void drop_other_targets(L7Policy& policy) {
  if (policy.action != PolicyAction::redirect_to_pool) policy.redirect_pool.reset();
  if (policy.action != PolicyAction::redirect_to_url) policy.redirect_url.clear();
  if (policy.action != PolicyAction::redirect_prefix) policy.redirect_prefix.clear();
}

// The redirect code: of those that answer with one, 302 unless it is said.
Refusal complete_code(L7Policy& policy, const Body& values) {
  const bool answers = policy.action == PolicyAction::redirect_to_url ||
                       policy.action == PolicyAction::redirect_prefix;
  if (!answers && sets(values, "redirect_http_code"))
    return bad_arguments("redirect_http_code cannot be used with action " +
                         std::string(word(policy.action)));
  if (!answers) policy.redirect_http_code.reset();
  if (answers && !policy.redirect_http_code) policy.redirect_http_code = 302;
  return std::nullopt;
}

// `policy` has been given `values`. A redirect that is set without an action is the new action;
// what the action has no use for goes.
Refusal complete_policy(L7Policy& policy, const Body& values) {
  const Redirect* said = nullptr;
  for (const Redirect& redirect : kRedirects) {
    if (!sets(values, redirect)) continue;
    if (said && said->action == PolicyAction::redirect_to_pool)
      return bad_arguments(
          "Cannot specify redirect_pool_id and redirect_url or redirect_prefix at the same time");
    if (said)
      return bad_arguments("Cannot specify redirect_url and redirect_prefix at the same time");
    said = &redirect;
  }
  if (said && !values.contains("action")) policy.action = said->action;
  if (said && policy.action != said->action)
    return bad_arguments(std::string(said->attribute) + " cannot be used with action " +
                         std::string(word(policy.action)));
  for (const Redirect& redirect : kRedirects)
    if (redirect.action == policy.action && !has_target(policy, redirect))
      return bad_arguments(redirect.missing);
  drop_other_targets(policy);
  return complete_code(policy, values);
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
  if (auto refusal = complete_policy(policy, values)) return *refusal;
  if (auto refusal = check_redirect_pool(draft, *listener, policy)) return *refusal;
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
  if (auto refusal = complete_policy(policy, values)) return *refusal;
  if (auto refusal = check_redirect_pool(draft, listener, policy)) return *refusal;
  draft.stamp_new(policy);
  draft.model.l7policies.emplace(policy.id, policy);
  place(draft, policy, wanted_position(values));
  return policy.id;
}

}  // namespace model
