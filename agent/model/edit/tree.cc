// The single-call create: a load balancer with listeners, policies, rules, pools, members and
// health monitors in one body. Pools are moved to the top and made first, so that listeners and
// policies can name them.
#include <map>
#include <set>

#include "agent/model/edit/catalog.h"
#include "agent/model/edit/editors.h"
#include "agent/model/edit/listener_rules.h"
#include "agent/model/edit/pool_rules.h"
#include "agent/model/edit/quotas.h"
#include "agent/model/edit/vips.h"
#include "agent/model/fields/read.h"

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

enum class May { only_define, refer };

Refusal collect(const Body& pool, const std::string& path, PoolBodies& pools, May may) {
  if (name_of(pool).empty())
    return at(
        validation_failure("Pools must be named when creating a fully populated loadbalancer."),
        path);
  if (may == May::refer && pool.size() == 1)
    pools.required.emplace(name_of(pool), path);
  else
    pools.all.push_back({pool, path});
  return std::nullopt;
}

// A listener's default_pool or a policy's redirect_pool, if it has one; read_fields has seen that
// it is an object.
const Body* pool_in(const Body& values, const char* attribute) {
  auto pool = values.find(attribute);
  return pool == values.end() || pool->is_null() ? nullptr : &*pool;
}

std::string indexed(const std::string& path, size_t i) {
  return path + "[" + std::to_string(i) + "]";
}
const std::string kListeners = "loadbalancer.listeners";
std::string policy_path(size_t listener, size_t policy) {
  return indexed(indexed(kListeners, listener) + ".l7policies", policy);
}

Refusal collect_referred(const Body& listeners, PoolBodies& found) {
  for (size_t i = 0; i < listeners.size(); i++) {
    if (const Body* pool = pool_in(listeners[i], "default_pool"))
      if (auto refusal =
              collect(*pool, indexed(kListeners, i) + ".default_pool", found, May::refer))
        return refusal;
    const Body& policies = listeners[i].at("l7policies");
    for (size_t j = 0; j < policies.size(); j++)
      if (const Body* pool = pool_in(policies[j], "redirect_pool"))
        if (auto refusal = collect(*pool, policy_path(i, j) + ".redirect_pool", found, May::refer))
          return refusal;
  }
  return std::nullopt;
}

Outcome<PoolBodies> collect_pools(const Body& pools, const Body& listeners) {
  PoolBodies found;
  for (size_t i = 0; i < pools.size(); i++)
    if (auto refusal = collect(pools[i], indexed("loadbalancer.pools", i), found, May::only_define))
      return *refusal;
  if (auto refusal = collect_referred(listeners, found)) return *refusal;
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
  if (auto refusal = draft.check_room(lb.id, Kind::member, list.size())) return refusal;
  MemberKeys taken;
  for (size_t i = 0; i < list.size(); i++) {
    Place place{"load_balancer.loadbalancer.pools.members", indexed(path + ".members", i)};
    auto values = read_fields(place, table<Member>(), list[i], kNested);
    if (auto* fault = std::get_if<Fault>(&values)) return *fault;
    Member member;
    assign(member, std::get<Body>(values));
    member.pool = pool.id;
    draft.stamp_new(member);
    if (auto refusal = check_member(draft.model, pool, member, taken))
      return at(*refusal, place.path);
    draft.model.members.emplace(member.id, std::move(member));
  }
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
  if (auto refusal = check_persistence(pool, std::get<Body>(values), Request::create))
    return at(*refusal, given.path);
  if (auto refusal = complete_pool(draft.context(), pool, std::get<Body>(values), Request::create))
    return at(*refusal, given.path);
  draft.stamp_new(pool);
  const Body members = std::get<Body>(values).value("members", Body());
  if (auto refusal = add_members(draft, lb, pool, members, given.path)) return *refusal;
  draft.model.pools.emplace(pool.id, pool);
  const Body monitor = std::get<Body>(values).value("healthmonitor", Body());
  if (auto refusal = add_monitor(draft, pool, monitor, given.path)) return *refusal;
  return pool.id;
}

using PoolIds = std::map<std::string, Uuid>;

Refusal add_policies(Draft& draft, const Listener& listener, const Body& policies,
                     const PoolIds& pools, const std::string& path) {
  if (!policies.empty())
    if (auto refusal = check_takes_policies(listener)) return refusal;
  for (size_t i = 0; i < policies.size(); i++) {
    const std::string where = indexed(path + ".l7policies", i);
    std::optional<Uuid> pool;
    if (const Body* named = pool_in(policies[i], "redirect_pool")) pool = pools.at(name_of(*named));
    Done done = add_l7policy(draft, listener, policies[i], pool);
    if (auto* fault = std::get_if<Fault>(&done)) return at(*fault, where);
    const L7Policy& policy = draft.model.l7policies.at(std::get<Uuid>(done));
    const Body& rules = policies[i].at("rules");
    if (auto refusal = check_rule_count(policy.id, rules.size())) return at(*refusal, where);
    for (size_t j = 0; j < rules.size(); j++)
      if (auto refusal = add_l7rule(draft, policy, rules[j]))
        return at(*refusal, indexed(where + ".rules", j));
  }
  return std::nullopt;
}

Refusal add_listener(Draft& draft, const LoadBalancer& lb, const Body& values, const PoolIds& pools,
                     const std::string& path) {
  Listener listener;
  assign(listener, values);
  listener.load_balancer = lb.id;
  draft.stamp_new(listener);
  if (const Body* pool = pool_in(values, "default_pool"))
    listener.default_pool = pools.at(name_of(*pool));
  if (auto refusal = check_default_pool(draft.model, lb, listener)) return refusal;
  if (auto refusal = complete_listener(draft.context(), listener, values, Request::create))
    return refusal;
  if (auto refusal = check_listener(draft.model, lb, listener)) return refusal;
  draft.model.listeners.emplace(listener.id, listener);
  return add_policies(draft, listener, values.at("l7policies"), pools, path);
}

// The elements of values[attribute], read by `read`, in its place; none if it is not there.
template <class Read>
Refusal read_list(Body& values, const char* attribute, Read read) {
  const Body given = values.value(attribute, Body());
  Body list = Body::array();
  for (size_t i = 0; i < given.size(); i++) {
    Outcome<Body> one = read(given[i], i);
    if (auto* fault = std::get_if<Fault>(&one)) return *fault;
    list.push_back(std::move(std::get<Body>(one)));
  }
  values[attribute] = std::move(list);
  return std::nullopt;
}

Outcome<Body> read_nested_policy(const Body& given, const std::string& path) {
  const std::string argument = "load_balancer.loadbalancer.listeners.l7policies";
  auto read = read_fields({argument, path}, table<L7Policy>(), given, kNested);
  if (std::holds_alternative<Fault>(read)) return read;
  auto refusal = read_list(std::get<Body>(read), "rules", [&](const Body& rule, size_t i) {
    return read_fields({argument + ".rules", indexed(path + ".rules", i)}, table<L7Rule>(), rule,
                       kNested);
  });
  if (refusal) return *refusal;
  return read;
}

Outcome<Body> read_nested_listener(const Body& given, size_t listener) {
  auto read = read_fields({"load_balancer.loadbalancer.listeners", indexed(kListeners, listener)},
                          table<Listener>(), given, kNested);
  if (std::holds_alternative<Fault>(read)) return read;
  auto refusal = read_list(std::get<Body>(read), "l7policies", [&](const Body& policy, size_t i) {
    return read_nested_policy(policy, policy_path(listener, i));
  });
  if (refusal) return *refusal;
  return read;
}

// Listeners are read first, pools are made first.
Refusal add_children(Draft& draft, const LoadBalancer& lb, Body values) {
  if (auto refusal = read_list(values, "listeners", read_nested_listener)) return refusal;
  const Body& listeners = values.at("listeners");
  auto collected = collect_pools(values.value("pools", Body()), listeners);
  if (auto* fault = std::get_if<Fault>(&collected)) return *fault;
  const size_t pools = std::get<PoolBodies>(collected).all.size();
  if (auto refusal = draft.check_room(lb.id, Kind::pool, pools)) return refusal;
  PoolIds ids;
  for (const PoolBody& pool : std::get<PoolBodies>(collected).all) {
    Done done = add_pool(draft, lb, pool);
    if (auto* fault = std::get_if<Fault>(&done)) return *fault;
    ids.emplace(name_of(pool.body), std::get<Uuid>(done));
  }
  if (auto refusal = draft.check_room(lb.id, Kind::listener, listeners.size())) return refusal;
  for (size_t i = 0; i < listeners.size(); i++) {
    const std::string path = indexed(kListeners, i);
    if (auto refusal = add_listener(draft, lb, listeners[i], ids, path)) return at(*refusal, path);
  }
  return std::nullopt;
}

}  // namespace

Done create_load_balancer(Draft& draft, const Body& body) {
  auto inner = unwrap("load_balancer", "loadbalancer", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  const Place place{"load_balancer.loadbalancer", "loadbalancer"};
  auto read = read_fields(place, table<LoadBalancer>(), std::get<Body>(inner), kCreate);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  Body values = std::get<Body>(read);
  for (const char* id : {"project_id", "tenant_id"})
    if (values.contains(id) && values[id].is_null()) values.erase(id);

  LoadBalancer lb;
  assign(lb, values);
  draft.stamp_new(lb);
  const Vip primary = values.contains("vip_address") ? Vip::said : Vip::to_allocate;
  if (auto refusal = place_vips(draft, lb, primary)) return at(*refusal, place.path);
  if (auto refusal = check_offers(draft.model, lb)) return at(*refusal, place.path);
  if (lb.provider.empty()) lb.provider = kProvider;
  if (auto refusal = check_provider(lb.provider)) return at(*refusal, place.path);
  if (auto refusal = check_vips(draft.model, lb)) return at(*refusal, place.path);
  if (auto refusal = check_quota(draft.model, lb.project_id, Kind::load_balancer, 1))
    return at(*refusal, place.path);
  draft.model.load_balancers.emplace(lb.id, lb);
  if (auto refusal = add_children(draft, lb, values)) return *refusal;
  return lb.id;
}

}  // namespace model
