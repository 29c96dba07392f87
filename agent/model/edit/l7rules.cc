#include "agent/model/edit/editors.h"
#include "agent/model/fields/l7_text.h"
#include "agent/model/fields/read.h"
#include "agent/model/limits.h"
#include "agent/model/relations.h"

namespace model {

namespace {

Outcome<Body> read_rule(const Body& body, unsigned use) {
  auto inner = unwrap("rule_", "rule", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields({"rule_.rule", "rule"}, table<L7Rule>(), std::get<Body>(inner), use);
}

Fault cannot_parse(const std::string& why) { return {400, "Error parsing L7Rule: " + why}; }

std::string type_of(const L7Rule& rule) { return "L7rule type " + std::string(word(rule.type)); }

bool has_key(RuleType type) {
  return type == RuleType::header || type == RuleType::cookie || type == RuleType::ssl_dn_field;
}

Refusal check_key(const L7Rule& rule) {
  if (!has_key(rule.type)) {
    if (!rule.key.empty()) return invalid_rule(type_of(rule) + " does not use the \"key\" field.");
    return std::nullopt;
  }
  if (rule.type == RuleType::ssl_dn_field) {
    if (rule.key.empty())
      return invalid_rule(type_of(rule) + " needs to specify a key and a value.");
    if (!is_dn_field(rule.key)) return invalid_rule("Invalid L7rule distinguished name field.");
    return std::nullopt;
  }
  if (rule.key.empty()) return invalid_rule("L7 rule type requires a key");
  if (!is_token(rule.key)) return cannot_parse("Invalid characters in key");
  return std::nullopt;
}

Refusal check_compare_type(const L7Rule& rule) {
  using enum RuleType;
  const bool equal = rule.compare_type == CompareType::equal_to;
  if (rule.type == file_type && !equal && rule.compare_type != CompareType::regex)
    return invalid_rule("invalid comparison type for rule type");
  if ((rule.type == ssl_conn_has_cert || rule.type == ssl_verify_result) && !equal)
    return invalid_rule(type_of(rule) + " only supports the EQUAL_TO compare type.");
  return std::nullopt;
}

bool says_true(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text == "true";
}

Refusal check_value(const L7Rule& rule) {
  using enum RuleType;
  if (rule.value.empty()) return invalid_rule("L7 rule type requires a value");
  if (rule.type == ssl_conn_has_cert && !says_true(rule.value))
    return invalid_rule("L7rule value " + rule.value + " is not a boolean True string.");
  if (rule.type == ssl_verify_result && !is_integer(rule.value))
    return invalid_rule(type_of(rule) + " needs a int value, which is >= 0");
  if (rule.compare_type == CompareType::regex) {
    if (auto why = regex_error(rule.value))
      return cannot_parse("Unable to parse regular expression: " + *why);
    return std::nullopt;
  }
  if (rule.type == cookie && !is_cookie_value(rule.value))
    return cannot_parse("Invalid characters in cookie value");
  if (rule.type == header && !is_header_value(rule.value))
    return cannot_parse("Invalid characters in header value");
  // A distinguished name may have blanks, as it stands.
  if (rule.type != cookie && rule.type != ssl_dn_field && !is_header_value(rule.value))
    return cannot_parse("Invalid characters in comparison value");
  return std::nullopt;
}

// What `values` have made of the rule. A key that its type has no use for goes unless it is set.
Refusal complete_rule(L7Rule& rule, const Body& values) {
  if (!has_key(rule.type) && !values.contains("key")) rule.key.clear();
  if (auto refusal = check_key(rule)) return refusal;
  if (auto refusal = check_compare_type(rule)) return refusal;
  return check_value(rule);
}

}  // namespace

Done create_l7rule(Draft& draft, const Uuid& policy_id, const Body& body) {
  auto values = read_rule(body, kCreate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  L7Policy* policy = draft.l7policy(policy_id);
  if (!policy) return not_found(Kind::l7policy, policy_id.text());
  L7Rule rule;
  assign(rule, std::get<Body>(values));
  rule.policy = policy_id;
  if (auto refusal = complete_rule(rule, std::get<Body>(values))) return *refusal;
  if (auto refusal = check_rule_count(policy_id, rules_of(draft.model, *policy).size() + 1))
    return *refusal;
  const Uuid& lb = draft.model.listeners.at(policy->listener).load_balancer;
  if (auto refusal = draft.check_room(lb, Kind::l7rule)) return *refusal;
  if (auto refusal = draft.check_policy(policy_id)) return *refusal;
  draft.stamp_new(rule);
  draft.model.l7rules.emplace(rule.id, rule);
  draft.mark(*policy, ProvisioningStatus::pending_update);
  draft.lock_above(*policy);
  return rule.id;
}

Done update_l7rule(Draft& draft, const Uuid& policy_id, const Uuid& id, const Body& body) {
  auto values = read_rule(body, kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  L7Rule* rule = draft.l7rule(policy_id, id);
  if (!rule) return not_found(Kind::l7rule, id.text());
  assign(*rule, std::get<Body>(values));
  if (auto refusal = complete_rule(*rule, std::get<Body>(values))) return *refusal;
  if (auto refusal = draft.check_policy(policy_id)) return *refusal;
  draft.mark(*rule, ProvisioningStatus::pending_update);
  L7Policy& policy = *draft.l7policy(policy_id);
  draft.mark(policy, ProvisioningStatus::pending_update);
  draft.lock_above(policy);
  return id;
}

Done remove_l7rule(Draft& draft, const Uuid& policy_id, const Uuid& id) {
  L7Rule* rule = draft.l7rule(policy_id, id);
  if (!rule) return not_found(Kind::l7rule, id.text());
  if (auto refusal = draft.check_policy(policy_id)) return *refusal;
  draft.mark(*rule, ProvisioningStatus::pending_delete);
  L7Policy& policy = *draft.l7policy(policy_id);
  draft.mark(policy, ProvisioningStatus::pending_update);
  draft.lock_above(policy);
  return id;
}

Refusal add_l7rule(Draft& draft, const L7Policy& policy, const Body& values) {
  L7Rule rule;
  assign(rule, values);
  rule.policy = policy.id;
  const Uuid& lb = draft.model.listeners.at(policy.listener).load_balancer;
  if (auto refusal = draft.check_room(lb, Kind::l7rule)) return refusal;
  if (auto refusal = complete_rule(rule, values)) return refusal;
  draft.stamp_new(rule);
  draft.model.l7rules.emplace(rule.id, rule);
  return std::nullopt;
}

Refusal check_rule_count(const Uuid& policy, size_t rules) {
  if (rules > kMostRules) return Fault{409, "Too many rules on L7 policy " + policy.text()};
  return std::nullopt;
}

}  // namespace model
