#include "agent/cli/present.h"

#include <algorithm>
#include <vector>

#include "agent/cli/files.h"
#include "agent/model/show/json.h"

namespace cli {
namespace {

using nlohmann::json;

OrFailure<json> fetch_list(const Client& client, const std::string& path, const char* key) {
  auto got = client.get("/v2.0/lbaas/" + path);
  if (const auto* failure = std::get_if<Failure>(&got)) return *failure;
  json& body = std::get<json>(got);
  if (!body.is_object() || !body.contains(key) || !body[key].is_array())
    return Failure{kUnreachable, "the answer to " + path +
                                     " is not a list: is it the agent that "
                                     "listens on the socket?"};
  return std::move(body[key]);
}

// The pool's monitor as a nested create has it; null: none.
json monitor_of(const json& pool, const json& monitors) {
  for (const json& monitor : monitors)
    if (text_of(monitor, "id") == text_of(pool, "healthmonitor_id")) return monitor;
  return nullptr;
}

// The listener's policies by position, with their rules.
OrFailure<json> policies_of(const Client& client, const json& listener, const json& all) {
  std::vector<json> found;
  for (json policy : all) {
    if (text_of(policy, "listener_id") != text_of(listener, "id")) continue;
    auto rules = fetch_list(client, "l7policies/" + text_of(policy, "id") + "/rules", "rules");
    if (const auto* failure = std::get_if<Failure>(&rules)) return *failure;
    policy["rules"] = std::get<json>(std::move(rules));
    found.push_back(std::move(policy));
  }
  std::stable_sort(found.begin(), found.end(), [](const json& a, const json& b) {
    return a.value("position", 0) < b.value("position", 0);
  });
  return json(std::move(found));
}

// What is fetched once for all load balancers.
struct Shared {
  json monitors, policies;
};

OrFailure<json> expand(const Client& client, json lb, const Shared& shared) {
  const std::string filter = "?loadbalancer_id=" + text_of(lb, "id");
  auto listeners = fetch_list(client, "listeners" + filter, "listeners");
  if (const auto* failure = std::get_if<Failure>(&listeners)) return *failure;
  auto pools = fetch_list(client, "pools" + filter, "pools");
  if (const auto* failure = std::get_if<Failure>(&pools)) return *failure;
  for (json& pool : std::get<json>(pools)) {
    auto members = fetch_list(client, "pools/" + text_of(pool, "id") + "/members", "members");
    if (const auto* failure = std::get_if<Failure>(&members)) return *failure;
    pool["members"] = std::get<json>(std::move(members));
    pool["healthmonitor"] = monitor_of(pool, shared.monitors);
  }
  for (json& listener : std::get<json>(listeners)) {
    auto policies = policies_of(client, listener, shared.policies);
    if (const auto* failure = std::get_if<Failure>(&policies)) return *failure;
    listener["l7policies"] = std::get<json>(std::move(policies));
  }
  lb["listeners"] = std::get<json>(std::move(listeners));
  lb["pools"] = std::get<json>(std::move(pools));
  return lb;
}

}  // namespace

OrFailure<json> fetch_present(const Client& client, const std::string& which) {
  auto lbs = fetch_list(client, "loadbalancers", "loadbalancers");
  if (const auto* failure = std::get_if<Failure>(&lbs)) return *failure;
  auto monitors = fetch_list(client, "healthmonitors", "healthmonitors");
  if (const auto* failure = std::get_if<Failure>(&monitors)) return *failure;
  auto policies = fetch_list(client, "l7policies", "l7policies");
  if (const auto* failure = std::get_if<Failure>(&policies)) return *failure;
  const Shared shared{std::get<json>(std::move(monitors)), std::get<json>(std::move(policies))};
  json out = json::array();
  for (json& lb : std::get<json>(lbs)) {
    if (!which.empty() && text_of(lb, "id") != which && text_of(lb, "name") != which) continue;
    auto whole = expand(client, std::move(lb), shared);
    if (const auto* failure = std::get_if<Failure>(&whole)) return *failure;
    out.push_back(std::get<json>(std::move(whole)));
  }
  return out;
}

OrFailure<json> read_present(const std::string& state_file) {
  const auto state = read_json(state_file);
  if (const auto* failure = std::get_if<Failure>(&state)) return *failure;
  const auto loaded = model::load(std::get<json>(state));
  if (!loaded.ok()) return Failure{kMisused, state_file + ": " + loaded.error().message() + "."};
  json out = json::array();
  const auto statuses = model::operating_statuses(*loaded, {});
  for (const auto& [id, lb] : loaded->load_balancers)
    out.push_back(model::show_tree(*loaded, lb, statuses));
  return out;
}

}  // namespace cli
