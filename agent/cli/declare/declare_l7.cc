#include "agent/cli/declare/declare_l7.h"

#include <algorithm>

#include "agent/cli/declare/difference.h"

namespace model {

namespace {

using nlohmann::json;

const std::string kPolicies = "/v2/lbaas/l7policies";

std::string id_of(const json& resource) { return resource.at("id").get<std::string>(); }

class Policies {
 public:
  explicit Policies(const PolicyComparison& comparison) : of_(comparison) {}

  std::vector<ApiRequest> requests() {
    match();
    remove_surplus();
    const json& wanted = of_.wanted;
    for (size_t i = 0; i < wanted.size(); i++)
      if (matches_[i])
        change(wanted[i], *matches_[i], i);
      else
        make(wanted[i], i);
    return std::move(requests_);
  }

 private:
  // To each wanted policy the one that is there: of its name, or the next without one.
  void match() {
    for (const json& policy : of_.present) left_.push_back(&policy);
    matches_.resize(of_.wanted.size(), nullptr);
    for (size_t i = 0; i < of_.wanted.size(); i++) {
      auto found = std::find_if(left_.begin(), left_.end(), [&](const json* policy) {
        return policy->at("name") == of_.wanted[i].at("name");
      });
      if (found == left_.end()) continue;
      matches_[i] = *found;
      left_.erase(found);
    }
  }

  std::string title_of(const json& policy, size_t index) const {
    const std::string name = policy.value("name", "");
    return "policy " + (name.empty() ? std::to_string(index + 1) : name) + " of " + of_.title;
  }

  void send(const char* method, const std::string& path, json body,
            std::vector<std::string> changes, std::string label = "") {
    requests_.push_back({method, path, std::move(body), std::move(label), std::move(changes)});
  }

  void remove_surplus() {
    for (const json& policy : of_.present) order_.push_back(id_of(policy));
    for (const json* policy : left_) {
      const size_t at = policy->at("position").get<size_t>() - 1;
      send("DELETE", kPolicies + "/" + id_of(*policy), nullptr,
           {"delete " + title_of(*policy, at)});
      order_.erase(std::find(order_.begin(), order_.end(), id_of(*policy)));
    }
  }

  json reference(const json& pool) const {
    return pool.is_null() ? json(nullptr) : json(of_.pool_reference(pool));
  }

  void make(const json& wanted, size_t index) {
    json body = creation<L7Policy>(wanted, Defaults::left_out);
    body["listener_id"] = of_.listener;
    body["position"] = index + 1;
    body.erase("redirect_pool_id");
    if (!wanted.at("redirect_pool_id").is_null())
      body["redirect_pool_id"] = reference(wanted.at("redirect_pool_id"));
    const std::string what = title_of(wanted, index);
    const std::string label = "<" + what + ">";
    send("POST", kPolicies, {{"l7policy", body}}, {"create " + what}, label);
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(index), label);
    for (const json& rule : wanted.at("rules")) make_rule(rule, label, what);
  }

  void change(const json& wanted, const json& present, size_t index) {
    const std::string what = title_of(wanted, index);
    json changed = differences<L7Policy>(wanted, present);
    changed.erase("position");
    changed.erase("redirect_pool_id");
    auto at = std::find(order_.begin(), order_.end(), id_of(present));
    if (at != order_.begin() + static_cast<std::ptrdiff_t>(index)) {
      changed["position"] = index + 1;
      order_.erase(at);
      order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(index), id_of(present));
    }
    auto lines = describe(what, changed, present);
    const json& pool = wanted.at("redirect_pool_id");
    if (reference(pool) != present.at("redirect_pool_id")) {
      changed["redirect_pool_id"] = reference(pool);
      lines.push_back("change redirect pool of " + what + " to " +
                      (pool.is_null() ? "none" : of_.pool_name(pool)));
    }
    if (!changed.empty())
      send("PUT", kPolicies + "/" + id_of(present), {{"l7policy", changed}}, std::move(lines));
    compare_rules(wanted.at("rules"), present, what);
  }

  static std::string text_of(const json& rule) {
    std::string text = plain(rule.at("type")) + " " + plain(rule.at("compare_type")) + " ";
    if (!rule.at("key").is_null()) text += plain(rule.at("key")) + " ";
    return text + plain(rule.at("value"));
  }

  void make_rule(const json& rule, const std::string& policy, const std::string& what) {
    send("POST", kPolicies + "/" + policy + "/rules",
         {{"rule", creation<L7Rule>(rule, Defaults::left_out)}},
         {"create rule " + text_of(rule) + " of " + what});
  }

  // Rules have no names and no order: those that are the same stay, others are made of what is
  // left.
  void compare_rules(const json& wanted, const json& policy, const std::string& what) {
    const std::string path = kPolicies + "/" + id_of(policy) + "/rules/";
    std::vector<const json*> left, missing;
    for (const json& rule : policy.at("rules")) left.push_back(&rule);
    for (const json& rule : wanted) {
      auto same = std::find_if(left.begin(), left.end(), [&](const json* there) {
        return differences<L7Rule>(rule, *there).empty();
      });
      if (same == left.end())
        missing.push_back(&rule);
      else
        left.erase(same);
    }
    for (const json* rule : missing) {
      if (left.empty()) {
        make_rule(*rule, id_of(policy), what);
        continue;
      }
      const json changed = differences<L7Rule>(*rule, *left.front());
      send("PUT", path + id_of(*left.front()), {{"rule", changed}},
           {"change rule " + text_of(*left.front()) + " of " + what + " to " + text_of(*rule)});
      left.erase(left.begin());
    }
    for (const json* rule : left)
      send("DELETE", path + id_of(*rule), nullptr,
           {"delete rule " + text_of(*rule) + " of " + what});
  }

  const PolicyComparison& of_;
  std::vector<const json*> matches_;  // by index of wanted; null: none is there
  std::vector<const json*> left_;     // there, and not wanted
  std::vector<std::string> order_;    // ids and labels, as they will be by now
  std::vector<ApiRequest> requests_;
};

}  // namespace

std::vector<ApiRequest> policy_requests(const PolicyComparison& comparison) {
  return Policies(comparison).requests();
}

}  // namespace model
