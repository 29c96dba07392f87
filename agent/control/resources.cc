#include "agent/control/resources.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agent/control/response.h"
#include "agent/model/json.h"
#include "agent/model/query.h"
#include "agent/model/relations.h"

namespace control {
namespace {

using model::Fault;
using model::Kind;
using model::Model;
using nlohmann::json;

template <class Resource>
std::optional<json> shown(const View& view, const std::map<base::Uuid, Resource>& resources,
                          const base::Uuid& id) {
  const auto found = resources.find(id);
  if (found == resources.end()) return std::nullopt;
  return model::show(view.model, found->second, view.statuses);
}

std::optional<json> shown(const View& view, Kind kind, const base::Uuid& id) {
  const Model& m = view.model;
  switch (kind) {
    case Kind::load_balancer:
      return shown(view, m.load_balancers, id);
    case Kind::listener:
      return shown(view, m.listeners, id);
    case Kind::pool:
      return shown(view, m.pools, id);
    case Kind::member:
      return shown(view, m.members, id);
    case Kind::health_monitor:
      return shown(view, m.health_monitors, id);
  }
  return std::nullopt;
}

// The pool that members are asked of must be there, and have the member.
std::optional<Fault> check_parent(const Model& m, const Call& call) {
  if (call.kind != Kind::member) return std::nullopt;
  if (!m.pools.contains(call.parent)) return not_found(Kind::pool, call.parent.text());
  const auto member = m.members.find(call.id);
  if (member != m.members.end() && member->second.pool != call.parent)
    return not_found(Kind::member, call.id.text());
  return std::nullopt;
}

json wrap(const std::string& key, json value) {
  json out = json::object();
  out[key] = std::move(value);
  return out;
}

// What the status tree says of a resource.
json brief(const json& whole, std::initializer_list<const char*> more = {}) {
  json out = json::object();
  for (const char* key : {"id", "name", "operating_status", "provisioning_status"})
    out[key] = whole.value(key, json());
  for (const char* key : more) out[key] = whole.value(key, json());
  return out;
}

json pool_status(const View& view, const model::Pool& pool) {
  const Model& m = view.model;
  json out = brief(model::show(m, pool, view.statuses));
  if (const auto* monitor = model::monitor_of(m, pool))
    out["health_monitor"] = brief(model::show(m, *monitor, view.statuses), {"type"});
  out["members"] = json::array();
  for (const model::Member* member : model::members_of(m, pool))
    out["members"].push_back(
        brief(model::show(m, *member, view.statuses), {"address", "protocol_port"}));
  return out;
}

json listener_status(const View& view, const model::Listener& listener) {
  json out = brief(model::show(view.model, listener, view.statuses));
  out["pools"] = json::array();
  if (listener.default_pool)
    out["pools"].push_back(pool_status(view, view.model.pools.at(*listener.default_pool)));
  return out;
}

// A create that named children is answered with all of them.
bool is_nested(const json& body) {
  const auto lb = body.find("loadbalancer");
  if (lb == body.end() || !lb->is_object()) return false;
  return lb->contains("listeners") || lb->contains("pools");
}

json shown_after(const View& view, const base::Uuid& id, const Call& call) {
  if (call.action == Action::create && call.kind == Kind::load_balancer && is_nested(call.body))
    return model::show_tree(view.model, view.model.load_balancers.at(id), view.statuses);
  return shown(view, call.kind, id).value_or(json());
}

bool is_set(const Call& call, std::string_view flag) {
  for (const auto& [name, value] : call.query)
    if (name == flag) return value == "true" || value == "True" || value == "1";
  return false;
}

}  // namespace

Response show(const View& view, const Call& call) {
  if (const auto fault = check_parent(view.model, call)) return fault_response(*fault);
  auto resource = shown(view, call.kind, call.id);
  if (!resource) return fault_response(not_found(call.kind, call.id.text()));
  return json_response(
      200, wrap(model::singular(call.kind), model::select_fields(*resource, call.query)));
}

Response list(const View& view, const Call& call, const std::string& host) {
  const Model& m = view.model;
  if (const auto fault = check_parent(m, call)) return fault_response(*fault);
  std::vector<json> rows;
  const auto add = [&](const auto& resources) {
    for (const auto& [id, resource] : resources)
      rows.push_back(model::show(m, resource, view.statuses));
  };
  switch (call.kind) {
    case Kind::load_balancer:
      add(m.load_balancers);
      break;
    case Kind::listener:
      add(m.listeners);
      break;
    case Kind::pool:
      add(m.pools);
      break;
    case Kind::member:
      for (const auto& [id, member] : m.members)
        if (member.pool == call.parent) rows.push_back(model::show(m, member, view.statuses));
      break;
    case Kind::health_monitor:
      add(m.health_monitors);
      break;
  }
  const std::string href = "http://" + (host.empty() ? "localhost" : host) + call.collection;
  const auto page = model::list(call.kind, std::move(rows), call.query, href);
  if (const auto* fault = std::get_if<Fault>(&page)) return fault_response(*fault);
  return json_response(200, std::get<json>(page));
}

Response status_tree(const View& view, const Call& call) {
  const Model& m = view.model;
  const auto found = m.load_balancers.find(call.id);
  if (found == m.load_balancers.end()) return fault_response(not_found(call.kind, call.id.text()));
  json tree = brief(model::show(m, found->second, view.statuses));
  tree["listeners"] = json::array();
  for (const model::Listener* listener : model::listeners_of(m, found->second))
    tree["listeners"].push_back(listener_status(view, *listener));
  return json_response(200, wrap("statuses", wrap("loadbalancer", std::move(tree))));
}

model::Outcome<model::Edited> edit(const Model& m, const Call& call,
                                   const model::Context& context) {
  switch (call.action) {
    case Action::create:
      return model::create(m, call.kind, call.parent, call.body, context);
    case Action::update:
      return model::update(m, call.kind, call.parent, call.id, call.body, context);
    case Action::remove:
      return model::remove(m, call.kind, call.parent, call.id,
                           is_set(call, "cascade") ? model::Cascade::yes : model::Cascade::no,
                           context);
    case Action::replace_members:
      return model::replace_members(
          m, call.parent, call.body,
          is_set(call, "additive_only") ? model::Additive::yes : model::Additive::no, context);
    default:
      return Fault{500, "The route changes nothing."};
  }
}

Response edited(const View& view, const base::Uuid& id, const Call& call) {
  if (call.action == Action::remove) return empty_response(204);
  if (call.action == Action::replace_members) return empty_response(202);
  return json_response(call.action == Action::create ? 201 : 200,
                       wrap(model::singular(call.kind), shown_after(view, id, call)));
}

}  // namespace control
