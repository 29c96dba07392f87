// The state file: the tables' saved attributes of every resource. What cannot be read as a whole
// is refused as a whole.
#include <set>

#include "agent/model/edit/rules.h"
#include "agent/model/fields/field.h"
#include "agent/model/show/json.h"
#include "agent/model/show/state_text.h"

namespace model {

namespace {

using base::Error;
using base::Result;
using base::Unit;
using nlohmann::json;

constexpr int kVersion = 1;

template <class R>
json save_one(const R& resource) {
  json saved = json::object();
  for (const Field<R>& field : table<R>())
    if (field.saved()) saved[std::string(field.name)] = field.value(resource);
  return saved;
}

template <class Key, class R>
json save_all(const std::map<Key, R>& resources) {
  json all = json::array();
  for (const auto& [id, resource] : resources) all.push_back(save_one(resource));
  return all;
}

Error damaged(const std::string& where, const std::string& why) {
  return Error{0, "state: " + where + ": " + why};
}

template <class R>
Result<R> load_one(const std::string& where, const json& saved) {
  if (!saved.is_object()) return damaged(where, "is not an object");
  R resource;
  size_t known = 0;
  for (const Field<R>& field : table<R>()) {
    if (!field.saved()) continue;
    std::string name(field.name);
    auto value = saved.find(name);
    if (value == saved.end() && field.since == Since::later) continue;
    if (value == saved.end()) return damaged(where + "." + name, "is missing");
    known++;
    if (value->is_null()) {
      // Whether it may be null: what is saved of a resource that has the default.
      if (!field.by_default().is_null()) return damaged(where + "." + name, "is null");
      continue;
    }
    auto outcome = read_value(field.name, field.type, *value);
    if (auto* fault = std::get_if<Fault>(&outcome)) return damaged(where + "." + name, fault->text);
    field.put(resource, std::get<json>(outcome));
  }
  if (known == saved.size()) return resource;
  for (const auto& [key, value] : saved.items()) {
    bool mine = false;
    for (const Field<R>& field : table<R>()) mine = mine || (field.saved() && field.name == key);
    if (!mine) return damaged(where + "." + key, "is unknown");
  }
  return resource;
}

std::string key_text(const Uuid& id) { return id.text(); }
const std::string& key_text(const std::string& name) { return name; }

template <class Key, class R>
Result<Unit> load_all(const json& state, const std::string& name, std::map<Key, R>& into) {
  auto all = state.find(name);
  if (all == state.end() || !all->is_array()) return damaged(name, "is not a list");
  for (size_t i = 0; i < all->size(); i++) {
    std::string where = name + "[" + std::to_string(i) + "]";
    auto resource = load_one<R>(where, (*all)[i]);
    if (!resource) return resource.error();
    const Key key = key_of(*resource);
    if (!into.emplace(key, std::move(*resource)).second)
      return damaged(where, key_text(key) + " is given twice");
  }
  return Unit{};
}

Result<Unit> check_l7_references(const Model& m) {
  for (const auto& [id, policy] : m.l7policies) {
    auto listener = m.listeners.find(policy.listener);
    if (listener == m.listeners.end())
      return damaged("l7policy " + id.text() + ".listener_id", "names no listener");
    if (!policy.redirect_pool) continue;
    auto pool = m.pools.find(*policy.redirect_pool);
    if (pool == m.pools.end() || pool->second.load_balancer != listener->second.load_balancer)
      return damaged("l7policy " + id.text() + ".redirect_pool_id",
                     "names no pool of its load balancer");
  }
  for (const auto& [id, rule] : m.l7rules)
    if (!m.l7policies.contains(rule.policy))
      return damaged("l7rule " + id.text() + ".l7policy_id", "names no policy");
  return Unit{};
}

Result<Unit> check_references(const Model& m) {
  for (const auto& [id, pool] : m.pools)
    if (!m.load_balancers.contains(pool.load_balancer))
      return damaged("pool " + id.text() + ".loadbalancer_id", "names no load balancer");
  for (const auto& [id, listener] : m.listeners) {
    if (!m.load_balancers.contains(listener.load_balancer))
      return damaged("listener " + id.text() + ".loadbalancer_id", "names no load balancer");
    if (!listener.default_pool) continue;
    auto pool = m.pools.find(*listener.default_pool);
    if (pool == m.pools.end() || pool->second.load_balancer != listener.load_balancer)
      return damaged("listener " + id.text() + ".default_pool_id",
                     "names no pool of its load balancer");
  }
  for (const auto& [id, member] : m.members)
    if (!m.pools.contains(member.pool))
      return damaged("member " + id.text() + ".pool_id", "names no pool");
  for (const auto& [id, monitor] : m.health_monitors)
    if (!m.pools.contains(monitor.pool))
      return damaged("health monitor " + id.text() + ".pool_id", "names no pool");
  return check_l7_references(m);
}

// What two resources may not share.
Result<Unit> check_unique(const Model& m) {
  std::set<base::IpAddress> vips;
  for (const auto& [id, lb] : m.load_balancers)
    for (const base::IpAddress& vip : vips_of(lb))
      if (!vips.insert(vip).second)
        return damaged("load balancer " + id.text() + ".vip_address",
                       vip.text() + " is used twice");
  std::set<std::tuple<Uuid, L4, uint16_t>> ports;
  for (const auto& [id, listener] : m.listeners)
    if (!ports.emplace(listener.load_balancer, l4_of(listener.protocol), listener.protocol_port)
             .second)
      return damaged("listener " + id.text() + ".protocol_port",
                     std::to_string(listener.protocol_port) + " is used twice");
  std::set<std::tuple<Uuid, base::IpAddress, uint16_t>> members;
  for (const auto& [id, member] : m.members)
    if (!members.emplace(member.pool, member.address, member.protocol_port).second)
      return damaged(
          "member " + id.text() + ".address",
          base::Endpoint{member.address, member.protocol_port}.text() + " is given twice");
  std::set<Uuid> watched;
  for (const auto& [id, monitor] : m.health_monitors)
    if (!watched.insert(monitor.pool).second)
      return damaged("health monitor " + id.text() + ".pool_id",
                     "pool " + monitor.pool.text() + " has two");
  return Unit{};
}

}  // namespace

// use(name, map): the lists of a catalog. Those that are empty are not written, so that agents of
// before there were any read the file.
template <class C, class Use>
void each_of_catalog(C& catalog, Use&& use) {
  use("flavor_profiles", catalog.flavor_profiles);
  use("flavors", catalog.flavors);
  use("availability_zone_profiles", catalog.availability_zone_profiles);
  use("availability_zones", catalog.availability_zones);
  use("quotas", catalog.quotas);
}

json save(const Model& m) {
  json saved = {{"version", kVersion},
                {"load_balancers", save_all(m.load_balancers)},
                {"listeners", save_all(m.listeners)},
                {"pools", save_all(m.pools)},
                {"members", save_all(m.members)},
                {"health_monitors", save_all(m.health_monitors)},
                {"l7policies", save_all(m.l7policies)},
                {"l7rules", save_all(m.l7rules)}};
  each_of_catalog(m.catalog, [&saved](const char* name, const auto& all) {
    if (!all.empty()) saved[name] = save_all(all);
  });
  return saved;
}

// Both maps are in the order of ids: lines that have no resource any more are passed on the way.
template <class R>
void StateText::write(std::string_view name, const std::map<Uuid, R>& resources, Lines<R>& lines,
                      std::string& out) {
  out.append(",\n\"").append(name).append("\": [");
  auto line = lines.begin();
  const char* separator = "\n";
  for (const auto& [id, resource] : resources) {
    while (line != lines.end() && line->first < id) line = lines.erase(line);
    if (line == lines.end() || line->first != id)
      line = lines.emplace_hint(line, id, Line<R>{resource, save_one(resource).dump()});
    else if (!(line->second.resource == resource))
      line->second = {resource, save_one(resource).dump()};
    out.append(separator).append(line->second.text);
    separator = ",\n";
    ++line;
  }
  lines.erase(line, lines.end());
  out.append("]");
}

std::string StateText::of(const Model& m) {
  std::string out = "{\"version\": " + std::to_string(kVersion);
  write("load_balancers", m.load_balancers, load_balancers_, out);
  write("listeners", m.listeners, listeners_, out);
  write("pools", m.pools, pools_, out);
  write("members", m.members, members_, out);
  write("health_monitors", m.health_monitors, health_monitors_, out);
  write("l7policies", m.l7policies, l7policies_, out);
  write("l7rules", m.l7rules, l7rules_, out);
  each_of_catalog(m.catalog, [&out](const char* name, const auto& all) {
    if (!all.empty()) out.append(",\n\"").append(name).append("\": ").append(save_all(all).dump());
  });
  out += "}\n";
  return out;
}

namespace {

Result<Unit> load_catalog(const json& state, Catalog& catalog) {
  Result<Unit> loaded = Unit{};
  each_of_catalog(catalog, [&](const char* name, auto& all) {
    if (loaded && state.contains(name)) loaded = load_all(state, name, all);
  });
  if (!loaded) return loaded;
  for (const auto& [id, flavor] : catalog.flavors)
    if (!catalog.flavor_profiles.contains(flavor.profile))
      return damaged("flavor " + id.text() + ".flavor_profile_id", "names no profile");
  for (const auto& [name, zone] : catalog.availability_zones)
    if (!catalog.availability_zone_profiles.contains(zone.profile))
      return damaged("availability zone " + name + ".availability_zone_profile_id",
                     "names no profile");
  return Unit{};
}

}  // namespace

Result<Model> load(const json& state) {
  if (!state.is_object()) return Error{0, "state: is not a JSON object"};
  auto version = state.find("version");
  if (version == state.end() || *version != kVersion)
    return damaged("version",
                   "is " + (version == state.end() ? "missing" : version->dump(-1, ' ', true)) +
                       ", this agent reads version " + std::to_string(kVersion));
  static const std::set<std::string> kKeys{
      "version", "load_balancers",  "listeners",          "pools",
      "members", "health_monitors", "l7policies",         "l7rules",
      "flavors", "flavor_profiles", "availability_zones", "availability_zone_profiles",
      "quotas"};
  for (const auto& [key, value] : state.items())
    if (!kKeys.contains(key)) return damaged(key, "is unknown");
  Model m;
  if (auto r = load_all(state, "load_balancers", m.load_balancers); !r) return r.error();
  if (auto r = load_all(state, "listeners", m.listeners); !r) return r.error();
  if (auto r = load_all(state, "pools", m.pools); !r) return r.error();
  if (auto r = load_all(state, "members", m.members); !r) return r.error();
  // Files from before there were any do not have the list.
  if (state.contains("health_monitors"))
    if (auto r = load_all(state, "health_monitors", m.health_monitors); !r) return r.error();
  if (state.contains("l7policies"))
    if (auto r = load_all(state, "l7policies", m.l7policies); !r) return r.error();
  if (state.contains("l7rules"))
    if (auto r = load_all(state, "l7rules", m.l7rules); !r) return r.error();
  if (auto r = load_catalog(state, m.catalog); !r) return r.error();
  if (auto r = check_references(m); !r) return r.error();
  if (auto r = check_unique(m); !r) return r.error();
  return m;
}

}  // namespace model
