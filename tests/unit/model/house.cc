#include "tests/unit/model/house.h"

#include <stdexcept>

namespace model {

Edited accepted(const Outcome<Edited>& outcome) {
  if (const auto* fault = std::get_if<Fault>(&outcome)) {
    // What follows would work on a model that is not there.
    throw std::runtime_error(std::to_string(fault->status) + ": " + fault->text);
  }
  return std::get<Edited>(outcome);
}

Fault refused(const Outcome<Edited>& outcome) {
  const auto* fault = std::get_if<Fault>(&outcome);
  return fault ? *fault : Fault{0, "accepted"};
}

Model settled(const Model& m) {
  std::set<Uuid> all;
  for (const auto& [id, lb] : m.load_balancers) all.insert(id);
  return finish_pending(m, Carried::out, all, kNow);
}

House::House() {
  json body = json::parse(R"({"loadbalancer": {"name": "web", "vip_address": "203.0.113.10",
      "project_id": "92b249e2-5855-4eca-a02e-cb937be41af9",
      "listeners": [{"name": "front", "protocol": "TCP", "protocol_port": 80,
        "default_pool": {"name": "back", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
          "members": [{"address": "192.0.2.11", "protocol_port": 8080}]}}]}})");
  Edited edited = accepted(create(Model{}, Kind::load_balancer, Uuid{}, body, kNow));
  model = settled(edited.model);
  lb = edited.id;
  listener = model.listeners.begin()->first;
  pool = model.pools.begin()->first;
  member = model.members.begin()->first;
}

static std::string envelope(Kind kind) {
  static const char* const kNames[] = {"loadbalancer",  "listener", "pool", "member",
                                       "healthmonitor", "l7policy", "rule"};
  return kNames[static_cast<size_t>(kind)];
}

Uuid House::id(Kind kind) const {
  if (kind == Kind::health_monitor) return model.health_monitors.begin()->first;
  if (kind == Kind::l7policy) return model.l7policies.begin()->first;
  if (kind == Kind::l7rule) return model.l7rules.begin()->first;
  const Uuid ids[] = {lb, listener, pool, member};
  return ids[static_cast<size_t>(kind)];
}

Outcome<Edited> House::make(Kind kind, json attributes) const {
  if (kind == Kind::listener && !attributes.contains("loadbalancer_id"))
    attributes["loadbalancer_id"] = lb.text();
  if (kind == Kind::pool && !attributes.contains("loadbalancer_id") &&
      !attributes.contains("listener_id"))
    attributes["loadbalancer_id"] = lb.text();
  if (kind == Kind::health_monitor && !attributes.contains("pool_id"))
    attributes["pool_id"] = pool.text();
  if (kind == Kind::l7policy || kind == Kind::l7rule) {
    if (model.l7policies.empty()) return with_policy().make(kind, attributes);
    if (kind == Kind::l7policy && !attributes.contains("listener_id"))
      attributes["listener_id"] = model.l7policies.begin()->second.listener.text();
  }
  return create(model, kind, parent(kind), {{envelope(kind), attributes}}, kNow);
}

Uuid House::parent(Kind kind) const {
  return kind == Kind::l7rule ? model.l7policies.begin()->first : pool;
}

House House::with_policy() const {
  House house = *this;
  if (!model.l7policies.empty()) return house;
  auto web = accepted(house.make(Kind::listener, {{"protocol", "HTTP"}, {"protocol_port", 81}}));
  house.model = settled(web.model);
  auto policy = accepted(
      create(house.model, Kind::l7policy, Uuid{},
             {{"l7policy", {{"action", "REJECT"}, {"listener_id", web.id.text()}}}}, kNow));
  house.model = settled(policy.model);
  auto rule = accepted(house.make(
      Kind::l7rule, {{"type", "PATH"}, {"compare_type", "STARTS_WITH"}, {"value", "/"}}));
  house.model = settled(rule.model);
  return house;
}

bool House::lacks(Kind kind) const {
  if (kind == Kind::health_monitor) return model.health_monitors.empty();
  return (kind == Kind::l7policy || kind == Kind::l7rule) && model.l7policies.empty();
}

House House::with(Kind kind) const {
  return kind == Kind::health_monitor ? watched() : with_policy();
}

House House::watched() const {
  House house = *this;
  if (model.health_monitors.empty())
    house.model =
        settled(accepted(make(Kind::health_monitor,
                              {{"type", "HTTP"}, {"delay", 5}, {"timeout", 3}, {"max_retries", 2}}))
                    .model);
  return house;
}

Outcome<Edited> House::change(Kind kind, const json& attributes) const {
  if (lacks(kind)) return with(kind).change(kind, attributes);
  return update(model, kind, parent(kind), id(kind), {{envelope(kind), attributes}}, kNow);
}

Outcome<Edited> House::take(Kind kind, Cascade cascade) const {
  if (lacks(kind)) return with(kind).take(kind, cascade);
  return remove(model, kind, parent(kind), id(kind), cascade, kNow);
}

json show_one(const Model& m, Kind kind, const Uuid& id) {
  switch (kind) {
    case Kind::load_balancer:
      return show(m, m.load_balancers.at(id));
    case Kind::listener:
      return show(m, m.listeners.at(id));
    case Kind::pool:
      return show(m, m.pools.at(id));
    case Kind::member:
      return show(m, m.members.at(id));
    case Kind::health_monitor:
      return show(m, m.health_monitors.at(id));
    case Kind::l7policy:
      return show(m, m.l7policies.at(id));
    case Kind::l7rule:
      return show(m, m.l7rules.at(id));
  }
  return nullptr;
}

}  // namespace model
