#include "agent/model/json.h"

#include "agent/model/field.h"
#include "agent/model/relations.h"

namespace model {

namespace {

using nlohmann::json;

template <class R>
json show_fields(const R& resource, const Statuses& statuses) {
  json shown = json::object();
  for (const Field<R>& field : table<R>())
    if (field.shown()) shown[std::string(field.name)] = field.value(resource);
  auto status = statuses.find(resource.id);
  shown["operating_status"] =
      text(status == statuses.end() ? OperatingStatus::offline : status->second);
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

}  // namespace

json show(const Model& m, const LoadBalancer& lb, const Statuses& statuses) {
  json shown = show_fields(lb, statuses);
  shown["listeners"] = ids_of(listeners_of(m, lb));
  shown["pools"] = ids_of(pools_of(m, lb));
  return shown;
}

json show(const Model& m, const Listener& listener, const Statuses& statuses) {
  json shown = show_fields(listener, statuses);
  add_project(m, listener.load_balancer, shown);
  shown["loadbalancers"] = id_list(listener.load_balancer);
  return shown;
}

json show(const Model& m, const Pool& pool, const Statuses& statuses) {
  json shown = show_fields(pool, statuses);
  add_project(m, pool.load_balancer, shown);
  shown["loadbalancers"] = id_list(pool.load_balancer);
  shown["listeners"] = ids_of(listeners_of(m, pool));
  shown["members"] = ids_of(members_of(m, pool));
  const HealthMonitor* monitor = monitor_of(m, pool);
  if (monitor) shown["healthmonitor_id"] = monitor->id.text();
  return shown;
}

json show(const Model& m, const Member& member, const Statuses& statuses) {
  json shown = show_fields(member, statuses);
  auto pool = m.pools.find(member.pool);
  add_project(m, pool == m.pools.end() ? Uuid{} : pool->second.load_balancer, shown);
  return shown;
}

json show(const Model& m, const HealthMonitor& monitor, const Statuses& statuses) {
  json shown = show_fields(monitor, statuses);
  auto pool = m.pools.find(monitor.pool);
  add_project(m, pool == m.pools.end() ? Uuid{} : pool->second.load_balancer, shown);
  shown["pools"] = id_list(monitor.pool);
  return shown;
}

json show_tree(const Model& m, const LoadBalancer& lb, const Statuses& statuses) {
  json tree = show(m, lb, statuses);
  tree["listeners"] = json::array();
  for (const Listener* listener : listeners_of(m, lb)) {
    json shown = show(m, *listener, statuses);
    shown.erase("loadbalancers");
    tree["listeners"].push_back(std::move(shown));
  }
  tree["pools"] = json::array();
  for (const Pool* pool : pools_of(m, lb)) {
    json shown = show(m, *pool, statuses);
    shown.erase("loadbalancers");
    shown.erase("healthmonitor_id");
    const HealthMonitor* monitor = monitor_of(m, *pool);
    shown["healthmonitor"] = monitor ? show(m, *monitor, statuses) : json();
    if (monitor) shown["healthmonitor"].erase("pools");
    shown["members"] = json::array();
    for (const Member* member : members_of(m, *pool))
      shown["members"].push_back(show(m, *member, statuses));
    tree["pools"].push_back(std::move(shown));
  }
  return tree;
}

}  // namespace model
