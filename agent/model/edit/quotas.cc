#include "agent/model/edit/quotas.h"

#include <algorithm>
#include <array>

#include "agent/model/fields/read.h"
#include "agent/model/limits.h"

namespace model {

namespace {

using nlohmann::json;

struct Limit {
  Kind kind;
  std::optional<int> Quota::*of;
  int by_default;
};
constexpr std::array kLimits{
    Limit{Kind::load_balancer, &Quota::load_balancer, -1},
    Limit{Kind::listener, &Quota::listener, static_cast<int>(kMostServices)},
    Limit{Kind::pool, &Quota::pool, -1},
    Limit{Kind::health_monitor, &Quota::health_monitor, -1},
    Limit{Kind::member, &Quota::member, static_cast<int>(kMostMembers)},
    Limit{Kind::l7policy, &Quota::l7policy, -1},
    Limit{Kind::l7rule, &Quota::l7rule, -1},
};

const std::string& project_of(const Model&, const LoadBalancer& lb) { return lb.project_id; }
const std::string& project_of(const Model& m, const Listener& listener) {
  return m.load_balancers.at(listener.load_balancer).project_id;
}
const std::string& project_of(const Model& m, const Pool& pool) {
  return m.load_balancers.at(pool.load_balancer).project_id;
}
const std::string& project_of(const Model& m, const Member& member) {
  return project_of(m, m.pools.at(member.pool));
}
const std::string& project_of(const Model& m, const HealthMonitor& monitor) {
  return project_of(m, m.pools.at(monitor.pool));
}
const std::string& project_of(const Model& m, const L7Policy& policy) {
  return project_of(m, m.listeners.at(policy.listener));
}
const std::string& project_of(const Model& m, const L7Rule& rule) {
  return project_of(m, m.l7policies.at(rule.policy));
}

size_t count_of(const Model& m, const std::string& project, Kind kind) {
  return with_all(m, kind, [&](const auto& all) {
    return static_cast<size_t>(std::ranges::count_if(
        all, [&](const auto& entry) { return project_of(m, entry.second) == project; }));
  });
}

Quota filled(Quota quota) {
  for (const Limit& limit : kLimits)
    if (!(quota.*limit.of)) quota.*limit.of = limit.by_default;
  return quota;
}

json shown(const Quota& quota) {
  json out = json::object();
  for (const Field<Quota>& field : table<Quota>())
    out[std::string(field.name)] = field.value(quota);
  return out;
}

json shown_without_project(const Quota& quota) {
  json out = shown(filled(quota));
  out.erase("project_id");
  return out;
}

}  // namespace

Refusal check_quota(const Model& m, const std::string& project, Kind kind, size_t more) {
  const auto quota = m.catalog.quotas.find(project);
  if (quota == m.catalog.quotas.end() || more == 0) return std::nullopt;
  const auto limit = std::ranges::find(kLimits, kind, &Limit::kind);
  const std::optional<int> most = quota->second.*limit->of;
  if (!most || *most < 0) return std::nullopt;  // the machine's own limits hold anyway
  if (count_of(m, project, kind) + more <= static_cast<size_t>(*most)) return std::nullopt;
  return Fault{403, "Quota has been met for resources: " + std::string(names_of(kind).title)};
}

Outcome<Model> set_quota(const Model& m, const std::string& project, const json& body) {
  auto inner = unwrap("quotas", "quota", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  auto values =
      read_fields({"quotas.quota", "quota"}, table<Quota>(), std::get<json>(inner), kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Model next = m;
  Quota& quota = next.catalog.quotas[project];
  quota.project_id = project;
  assign(quota, std::get<json>(values));
  return next;
}

Outcome<Model> reset_quota(const Model& m, const std::string& project) {
  Model next = m;
  if (next.catalog.quotas.erase(project) == 0)
    return Fault{404, "Quotas " + project + " not found."};
  return next;
}

json quota_of(const Model& m, const std::string& project) {
  const auto found = m.catalog.quotas.find(project);
  return shown_without_project(found == m.catalog.quotas.end() ? Quota{} : found->second);
}

json default_quota() { return shown_without_project(Quota{}); }

std::vector<json> show_quotas(const Model& m) {
  std::vector<json> rows;
  for (const auto& [project, quota] : m.catalog.quotas) rows.push_back(shown(quota));
  return rows;
}

const Listable& listable_quotas() {
  static const Listable list{"quotas", "quotas_links", "project_id", shown(Quota{})};
  return list;
}

}  // namespace model
