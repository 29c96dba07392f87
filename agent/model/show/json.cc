#include "agent/model/show/json.h"

#include <type_traits>

#include "agent/model/fields/field.h"
#include "agent/model/kinds.h"
#include "agent/model/relations.h"

namespace model {

namespace {

using nlohmann::json;

std::string status_of(const Common& resource, const Statuses& statuses) {
  auto status = statuses.find(resource.id);
  return text(status == statuses.end() ? OperatingStatus::offline : status->second);
}

template <class R>
json show_fields(const R& resource, const Statuses& statuses) {
  json shown = json::object();
  for (const Field<R>& field : table<R>())
    if (field.shown()) shown[std::string(field.name)] = field.value(resource);
  shown["operating_status"] = status_of(resource, statuses);
  return shown;
}

template <class R>
json ids_of(const std::vector<const R*>& resources) {
  json ids = json::array();
  for (const R* resource : resources) ids.push_back({{"id", resource->id.text()}});
  return ids;
}

// Children have their load balancer's project.
void add_project(const Model& m, const Uuid& load_balancer, json& shown) {
  auto lb = m.load_balancers.find(load_balancer);
  json project = nullptr;
  if (lb != m.load_balancers.end() && !lb->second.project_id.empty())
    project = lb->second.project_id;
  shown["project_id"] = project;
  shown["tenant_id"] = project;
}

json id_list(const Uuid& id) { return json::array({json{{"id", id.text()}}}); }

// How the resources that others refer to are found: one by one, or by an index of all.
struct Walk {
  const Model& m;

  const Model& model() const { return m; }
  template <class R>
  auto listeners_of(const R& of) const {
    return model::listeners_of(m, of);
  }
  template <class R>
  auto pools_of(const R& of) const {
    return model::pools_of(m, of);
  }
  auto members_of(const Pool& pool) const { return model::members_of(m, pool); }
  auto policies_of(const Listener& listener) const { return model::policies_of(m, listener); }
  auto rules_of(const L7Policy& policy) const { return model::rules_of(m, policy); }
  auto monitor_of(const Pool& pool) const { return model::monitor_of(m, pool); }
};

const Uuid& load_balancer_of(const Model& m, const Uuid& pool) {
  static const Uuid kNone;
  auto found = m.pools.find(pool);
  return found == m.pools.end() ? kNone : found->second.load_balancer;
}

const Uuid& load_balancer_of(const Model& m, const L7Policy& policy) {
  static const Uuid kNone;
  auto found = m.listeners.find(policy.listener);
  return found == m.listeners.end() ? kNone : found->second.load_balancer;
}

template <class Related>
json show_one(const Related& related, const LoadBalancer& lb, const Statuses& statuses) {
  json shown = show_fields(lb, statuses);
  shown["listeners"] = ids_of(related.listeners_of(lb));
  shown["pools"] = ids_of(related.pools_of(lb));
  return shown;
}

template <class Related>
json show_one(const Related& related, const Listener& listener, const Statuses& statuses) {
  json shown = show_fields(listener, statuses);
  add_project(related.model(), listener.load_balancer, shown);
  shown["loadbalancers"] = id_list(listener.load_balancer);
  shown["l7policies"] = ids_of(related.policies_of(listener));
  // Younger than the API that clients know: only where it means something.
  if (listener.protocol != ListenerProtocol::terminated_https)
    for (const char* name : {"hsts_max_age", "hsts_include_subdomains", "hsts_preload"})
      shown.erase(name);
  return shown;
}

template <class Related>
json show_one(const Related& related, const Pool& pool, const Statuses& statuses) {
  json shown = show_fields(pool, statuses);
  add_project(related.model(), pool.load_balancer, shown);
  shown["loadbalancers"] = id_list(pool.load_balancer);
  shown["listeners"] = ids_of(related.listeners_of(pool));
  shown["members"] = ids_of(related.members_of(pool));
  const HealthMonitor* monitor = related.monitor_of(pool);
  if (monitor) shown["healthmonitor_id"] = monitor->id.text();
  return shown;
}

template <class Related>
json show_one(const Related& related, const Member& member, const Statuses& statuses) {
  json shown = show_fields(member, statuses);
  add_project(related.model(), load_balancer_of(related.model(), member.pool), shown);
  return shown;
}

template <class Related>
json show_one(const Related& related, const HealthMonitor& monitor, const Statuses& statuses) {
  json shown = show_fields(monitor, statuses);
  add_project(related.model(), load_balancer_of(related.model(), monitor.pool), shown);
  shown["pools"] = id_list(monitor.pool);
  return shown;
}

template <class Related>
json show_one(const Related& related, const L7Policy& policy, const Statuses& statuses) {
  json shown = show_fields(policy, statuses);
  add_project(related.model(), load_balancer_of(related.model(), policy), shown);
  shown["rules"] = ids_of(related.rules_of(policy));
  return shown;
}

template <class Related>
json show_one(const Related& related, const L7Rule& rule, const Statuses& statuses) {
  json shown = show_fields(rule, statuses);
  auto policy = related.model().l7policies.find(rule.policy);
  add_project(related.model(),
              policy == related.model().l7policies.end()
                  ? Uuid{}
                  : load_balancer_of(related.model(), policy->second),
              shown);
  return shown;
}

json policy_tree(const Relations& related, const L7Policy& policy, const Statuses& statuses) {
  json shown = show_one(related, policy, statuses);
  shown["rules"] = json::array();
  for (const L7Rule* rule : related.rules_of(policy))
    shown["rules"].push_back(show_one(related, *rule, statuses));
  return shown;
}

json listener_tree(const Relations& related, const Listener& listener, const Statuses& statuses) {
  json shown = show_one(related, listener, statuses);
  shown.erase("loadbalancers");
  shown["l7policies"] = json::array();
  for (const L7Policy* policy : related.policies_of(listener))
    shown["l7policies"].push_back(policy_tree(related, *policy, statuses));
  return shown;
}

json pool_tree(const Relations& related, const Pool& pool, const Statuses& statuses) {
  json shown = show_one(related, pool, statuses);
  shown.erase("loadbalancers");
  shown.erase("healthmonitor_id");
  const HealthMonitor* monitor = related.monitor_of(pool);
  shown["healthmonitor"] = monitor ? show_one(related, *monitor, statuses) : json();
  if (monitor) shown["healthmonitor"].erase("pools");
  shown["members"] = json::array();
  for (const Member* member : related.members_of(pool))
    shown["members"].push_back(show_one(related, *member, statuses));
  return shown;
}

// What the status tree says of every resource.
json brief(const Common& resource, const Statuses& statuses) {
  return {{"id", resource.id.text()},
          {"name", resource.name},
          {"operating_status", status_of(resource, statuses)},
          {"provisioning_status", text(resource.provisioning_status)}};
}

json brief_pool(const Relations& related, const Pool& pool, const Statuses& statuses) {
  json out = brief(pool, statuses);
  if (const HealthMonitor* monitor = related.monitor_of(pool)) {
    out["health_monitor"] = brief(*monitor, statuses);
    out["health_monitor"]["type"] = text(monitor->type);
  }
  out["members"] = json::array();
  for (const Member* member : related.members_of(pool)) {
    json shown = brief(*member, statuses);
    shown["address"] = member->address.text();
    shown["protocol_port"] = member->protocol_port;
    out["members"].push_back(std::move(shown));
  }
  return out;
}

// What has only a parent needs no index.
template <class R>
using Lookup =
    std::conditional_t<std::is_same_v<R, Member> || std::is_same_v<R, L7Rule>, Walk, Relations>;

bool is_of(const Member& member, const Uuid& parent) { return member.pool == parent; }
bool is_of(const L7Rule& rule, const Uuid& parent) { return rule.policy == parent; }
template <class R>
bool is_of(const R&, const Uuid&) {
  return true;  // is asked for without a parent
}

}  // namespace

json show(const Model& m, const LoadBalancer& lb, const Statuses& statuses) {
  return show_one(Walk{m}, lb, statuses);
}
json show(const Model& m, const Listener& listener, const Statuses& statuses) {
  return show_one(Walk{m}, listener, statuses);
}
json show(const Model& m, const Pool& pool, const Statuses& statuses) {
  return show_one(Walk{m}, pool, statuses);
}
json show(const Model& m, const Member& member, const Statuses& statuses) {
  return show_one(Walk{m}, member, statuses);
}
json show(const Model& m, const HealthMonitor& monitor, const Statuses& statuses) {
  return show_one(Walk{m}, monitor, statuses);
}
json show(const Model& m, const L7Policy& policy, const Statuses& statuses) {
  return show_one(Walk{m}, policy, statuses);
}
json show(const Model& m, const L7Rule& rule, const Statuses& statuses) {
  return show_one(Walk{m}, rule, statuses);
}

std::optional<json> show(const Model& m, Kind kind, const Uuid& id, const Statuses& statuses) {
  return with_all(m, kind, [&](const auto& all) -> std::optional<json> {
    auto found = all.find(id);
    if (found == all.end()) return std::nullopt;
    return show_one(Walk{m}, found->second, statuses);
  });
}

std::vector<json> show_all(const Model& m, Kind kind, const Uuid& parent,
                           const Statuses& statuses) {
  return with_all(m, kind, [&](const auto& all) {
    using R = typename std::decay_t<decltype(all)>::mapped_type;
    const Lookup<R> related{m};
    std::vector<json> shown;
    for (const auto& [id, resource] : all)
      if (is_of(resource, parent)) shown.push_back(show_one(related, resource, statuses));
    return shown;
  });
}

json show_tree(const Model& m, const LoadBalancer& lb, const Statuses& statuses) {
  const Relations related(m);
  json tree = show_one(related, lb, statuses);
  tree["listeners"] = json::array();
  for (const Listener* listener : related.listeners_of(lb))
    tree["listeners"].push_back(listener_tree(related, *listener, statuses));
  tree["pools"] = json::array();
  for (const Pool* pool : related.pools_of(lb))
    tree["pools"].push_back(pool_tree(related, *pool, statuses));
  return tree;
}

json status_tree(const Model& m, const LoadBalancer& lb, const Statuses& statuses) {
  const Relations related(m);
  json tree = brief(lb, statuses);
  tree["listeners"] = json::array();
  for (const Listener* listener : related.listeners_of(lb)) {
    json shown = brief(*listener, statuses);
    shown["pools"] = json::array();
    for (const Pool* pool : related.pools_of(*listener))
      shown["pools"].push_back(brief_pool(related, *pool, statuses));
    tree["listeners"].push_back(std::move(shown));
  }
  json out = json::object();
  out["loadbalancer"] = std::move(tree);
  return out;
}

}  // namespace model
