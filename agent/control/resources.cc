#include "agent/control/resources.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agent/http/response.h"
#include "agent/model/relations.h"
#include "agent/model/show/json.h"
#include "agent/model/show/query.h"

namespace control {
namespace {

using model::Fault;
using model::Kind;
using model::Model;
using nlohmann::json;

// The parent that children are asked of must be there, and have the one that is asked for.
std::optional<Fault> check_parent(const Model& m, const Call& call) {
  if (call.kind == Kind::member) {
    if (!m.pools.contains(call.parent)) return not_found(Kind::pool, call.parent.text());
    const auto member = m.members.find(call.id);
    if (member != m.members.end() && member->second.pool != call.parent)
      return not_found(Kind::member, call.id.text());
  }
  if (call.kind == Kind::l7rule) {
    if (!m.l7policies.contains(call.parent)) return not_found(Kind::l7policy, call.parent.text());
    const auto rule = m.l7rules.find(call.id);
    if (rule != m.l7rules.end() && rule->second.policy != call.parent)
      return not_found(Kind::l7rule, call.id.text());
  }
  return std::nullopt;
}

json wrap(const std::string& key, json value) {
  json out = json::object();
  out[key] = std::move(value);
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
  return model::show(view.model, call.kind, id, view.statuses).value_or(json());
}

bool is_set(const Call& call, std::string_view flag) {
  for (const auto& [name, value] : call.query)
    if (name == flag) return value == "true" || value == "True" || value == "1";
  return false;
}

// A load balancer is its project's; others are their load balancer's.
json with_project(const Call& call) {
  json body = call.body;
  const auto lb = body.find("loadbalancer");
  if (call.kind != Kind::load_balancer || call.project.empty() || lb == body.end() ||
      !lb->is_object())
    return body;
  const auto says = [&](const char* name) { return lb->contains(name) && !(*lb)[name].is_null(); };
  if (!says("project_id") && !says("tenant_id")) (*lb)["project_id"] = call.project;
  return body;
}

}  // namespace

http::Response show(const View& view, const Call& call) {
  if (const auto fault = check_parent(view.model, call)) return http::fault_response(*fault);
  auto resource = model::show(view.model, call.kind, call.id, view.statuses);
  if (!resource) return http::fault_response(not_found(call.kind, call.id.text()));
  return http::json_response(
      200, wrap(model::singular(call.kind), model::select_fields(*resource, call.query)));
}

http::Response list(const View& view, const Call& call) {
  if (const auto fault = check_parent(view.model, call)) return http::fault_response(*fault);
  auto rows = model::show_all(view.model, call.kind, call.parent, view.statuses);
  const auto page = model::list(model::listable(call.kind), std::move(rows), call.query,
                                call.origin + call.collection, call.parent);
  if (const auto* fault = std::get_if<Fault>(&page)) return http::fault_response(*fault);
  return http::json_response(200, std::get<json>(page));
}

http::Response status_tree(const View& view, const Call& call) {
  const Model& m = view.model;
  const auto found = m.load_balancers.find(call.id);
  if (found == m.load_balancers.end())
    return http::fault_response(not_found(call.kind, call.id.text()));
  return http::json_response(200,
                             wrap("statuses", model::status_tree(m, found->second, view.statuses)));
}

model::Outcome<model::Edited> edit(const Model& m, const Call& call,
                                   const model::Context& context) {
  switch (call.action) {
    case Action::create:
      return model::create(m, call.kind, call.parent, with_project(call), context);
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

http::Response edited(const View& view, const base::Uuid& id, const Call& call) {
  if (call.action == Action::remove) return http::empty_response(204);
  if (call.action == Action::replace_members) return http::empty_response(202);
  return http::json_response(call.action == Action::create ? 201 : 200,
                             wrap(model::singular(call.kind), shown_after(view, id, call)));
}

}  // namespace control
