// The single-call create: a load balancer with listeners, pools, members and
// health monitors in one body. Pools are
// moved to the top and made first, so that listeners can name them.
#include <map>
#include <set>

#include "agent/model/editors.h"
#include "agent/model/read.h"

namespace model {

namespace {

Fault at(Fault fault, const std::string& path) {
  if (fault.where.empty()) fault.where = path;
  return fault;
}

struct PoolBody {
  Body body;
  std::string path;
};

// The pools of one request by name, and those that listeners only refer to.
struct PoolBodies {
  std::vector<PoolBody> all;
  std::map<std::string, std::string> required;  // name to path
};

std::string name_of(const Body& pool) {
  auto name = pool.find("name");
  return name != pool.end() && name->is_string() ? name->get<std::string>() : "";
}

Refusal collect(const Body& pool, const std::string& path, PoolBodies& pools, bool may_refer) {
  if (name_of(pool).empty())
    return at(
        validation_failure("Pools must be named when creating a fully populated loadbalancer."),
        path);
  if (may_refer && pool.size() == 1)
    pools.required.emplace(name_of(pool), path);
  else
    pools.all.push_back({pool, path});
  return std::nullopt;
}

// A listener's default_pool, if it has one; read_fields has seen that it is an object.
const Body* default_pool_of(const Body& listener) {
  auto pool = listener.find("default_pool");
  return pool == listener.end() || pool->is_null() ? nullptr : &*pool;
}

Outcome<PoolBodies> collect_pools(const Body& pools, const Body& listeners) {
  PoolBodies found;
  for (size_t i = 0; i < pools.size(); i++)
    if (auto refusal =
            collect(pools[i], "loadbalancer.pools[" + std::to_string(i) + "]", found, false))
      return *refusal;
  for (size_t i = 0; i < listeners.size(); i++) {
    std::string path = "loadbalancer.listeners[" + std::to_string(i) + "].default_pool";
    if (const Body* pool = default_pool_of(listeners[i]))
      if (auto refusal = collect(*pool, path, found, true)) return *refusal;
  }
  std::set<std::string> names;
  for (const PoolBody& pool : found.all)
    if (!names.insert(name_of(pool.body)).second)
      return at(validation_failure(
                    "Pool names must be unique when creating a fully populated loadbalancer."),
                pool.path);
  for (const auto& [name, path] : found.required)
    if (!names.contains(name))
      return at(validation_failure("Pool '" + name +
                                   "' was referenced but no full definition was found."),
                path);
  return found;
}

Refusal add_members(Draft& draft, const LoadBalancer& lb, const Pool& pool, const Body& list,
                    const std::string& path) {
  std::vector<Member> members;
  for (size_t i = 0; i < list.size(); i++) {
    Place place{"load_balancer.loadbalancer.pools.members",
                path + ".members[" + std::to_string(i) + "]"};
    auto values = read_fields(place, table<Member>(), list[i], kNested);
    if (auto* fault = std::get_if<Fault>(&values)) return *fault;
    Member& member = members.emplace_back();
    assign(member, std::get<Body>(values));
    member.pool = pool.id;
    draft.stamp_new(member);
    // One by one only for the place of the error.
    if (auto refusal = check_members(Model{}, {lb, pool, {member}}))
      return at(*refusal, place.path);
  }
  if (auto refusal = check_members(draft.model, {lb, pool, members}))
    return at(*refusal, path + ".members");
  for (Member& member : members) draft.model.members.emplace(member.id, member);
  return std::nullopt;
}

Refusal add_monitor(Draft& draft, const Pool& pool, const Body& body, const std::string& path) {
  if (body.is_null()) return std::nullopt;
  const Place place{"load_balancer.loadbalancer.pools.healthmonitor", path + ".healthmonitor"};
  auto values = read_fields(place, table<HealthMonitor>(), body, kNested);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  auto refusal = add_health_monitor(draft, pool, std::get<Body>(values));
  if (refusal) return at(*refusal, place.path);
  return std::nullopt;
}

Done add_pool(Draft& draft, const LoadBalancer& lb, const PoolBody& given) {
  for (const char* attribute : {"protocol", "lb_algorithm"})
    if (!given.body.contains(attribute) || given.body[attribute].is_null())
      return at(validation_failure("Pool definition for '" + name_of(given.body) +
                                   "' missing required attribute: " + attribute),
                given.path);
  auto values = read_fields({"load_balancer.loadbalancer.pools", given.path}, table<Pool>(),
                            given.body, kNested);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Pool pool;
  assign(pool, std::get<Body>(values));
  pool.load_balancer = lb.id;
  draft.stamp_new(pool);
  Body members = std::get<Body>(values).value("members", Body());
  if (auto refusal = add_members(draft, lb, pool, members, given.path)) return *refusal;
  draft.model.pools.emplace(pool.id, pool);
  const Body monitor = std::get<Body>(values).value("healthmonitor", Body());
  if (auto refusal = add_monitor(draft, pool, monitor, given.path)) return *refusal;
  return pool.id;
}

Refusal add_listener(Draft& draft, const LoadBalancer& lb, const Body& values,
                     const std::map<std::string, Uuid>& pools) {
  Listener listener;
  assign(listener, values);
  listener.load_balancer = lb.id;
  draft.stamp_new(listener);
  if (const Body* pool = default_pool_of(values)) listener.default_pool = pools.at(name_of(*pool));
  if (auto refusal = check_listener(draft.model, lb, listener)) return refusal;
  draft.model.listeners.emplace(listener.id, listener);
  return std::nullopt;
}

// Listeners are read first, pools are made first.
Refusal add_children(Draft& draft, const LoadBalancer& lb, const Body& values) {
  Body listeners = Body::array();
  const Body given = values.value("listeners", Body());
  for (size_t i = 0; i < given.size(); i++) {
    std::string path = "loadbalancer.listeners[" + std::to_string(i) + "]";
    auto read = read_fields({"load_balancer.loadbalancer.listeners", path}, table<Listener>(),
                            given[i], kNested);
    if (auto* fault = std::get_if<Fault>(&read)) return *fault;
    listeners.push_back(std::get<Body>(read));
  }
  auto collected = collect_pools(values.value("pools", Body()), listeners);
  if (auto* fault = std::get_if<Fault>(&collected)) return *fault;
  std::map<std::string, Uuid> ids;
  for (const PoolBody& pool : std::get<PoolBodies>(collected).all) {
    Done done = add_pool(draft, lb, pool);
    if (auto* fault = std::get_if<Fault>(&done)) return *fault;
    ids.emplace(name_of(pool.body), std::get<Uuid>(done));
  }
  for (size_t i = 0; i < listeners.size(); i++)
    if (auto refusal = add_listener(draft, lb, listeners[i], ids))
      return at(*refusal, "loadbalancer.listeners[" + std::to_string(i) + "]");
  return std::nullopt;
}

// Somebody must say where the load balancer is; addresses are not allocated here.
Refusal check_vip_given(const Body& values) {
  auto given = [&](const char* name) { return values.contains(name) && !values[name].is_null(); };
  if (given("vip_address")) return std::nullopt;
  if (!given("vip_port_id") && !given("vip_network_id") && !given("vip_subnet_id"))
    return validation_failure(
        "VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.");
  return validation_failure("vip_address is missing; provider '" + std::string(kProvider) +
                            "' does not allocate addresses.");
}

}  // namespace

Done create_load_balancer(Draft& draft, const Body& body) {
  auto inner = unwrap("load_balancer", "loadbalancer", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  const Place place{"load_balancer.loadbalancer", "loadbalancer"};
  auto read = read_fields(place, table<LoadBalancer>(), std::get<Body>(inner), kCreate);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  Body values = std::get<Body>(read);
  if (auto refusal = check_vip_given(values)) return at(*refusal, place.path);
  for (const char* id : {"project_id", "tenant_id"})
    if (values.contains(id) && values[id].is_null()) values.erase(id);

  LoadBalancer lb;
  assign(lb, values);
  if (lb.provider.empty()) lb.provider = kProvider;
  draft.stamp_new(lb);
  if (auto refusal = check_provider(lb.provider)) return at(*refusal, place.path);
  if (auto refusal = check_vips(draft.model, lb)) return at(*refusal, place.path);
  draft.model.load_balancers.emplace(lb.id, lb);
  if (auto refusal = add_children(draft, lb, values)) return *refusal;
  return lb.id;
}

}  // namespace model
