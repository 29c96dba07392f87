#include "agent/model/edit/edit.h"

#include "agent/model/edit/editors.h"
#include "agent/model/limits.h"

namespace model {

namespace {

Outcome<Edited> finish(const Model& before, Draft&& draft, const Done& done) {
  if (const auto* fault = std::get_if<Fault>(&done)) return *fault;
  const Model& after = draft.model;
  const size_t services = services_of(after), members = after.members.size();
  if (services > kMostServices && services > services_of(before))
    return Fault{403, "Quota has been met for resources: Listener"};
  if (members > kMostMembers && members > before.members.size())
    return Fault{403, "Quota has been met for resources: Member"};
  return Edited{std::move(draft.model), std::get<Uuid>(done)};
}

Done no_such_kind() { return Fault{500, "no such kind of resource"}; }

Done create_in(Draft& draft, Kind kind, const Uuid& parent, const Body& body) {
  switch (kind) {
    case Kind::load_balancer:
      return create_load_balancer(draft, body);
    case Kind::listener:
      return create_listener(draft, body);
    case Kind::pool:
      return create_pool(draft, body);
    case Kind::member:
      return create_member(draft, parent, body);
    case Kind::health_monitor:
      return create_health_monitor(draft, body);
    case Kind::l7policy:
      return create_l7policy(draft, body);
    case Kind::l7rule:
      return create_l7rule(draft, parent, body);
  }
  return no_such_kind();
}

Done update_in(Draft& draft, Kind kind, const Uuid& parent, const Uuid& id, const Body& body) {
  switch (kind) {
    case Kind::load_balancer:
      return update_load_balancer(draft, id, body);
    case Kind::listener:
      return update_listener(draft, id, body);
    case Kind::pool:
      return update_pool(draft, id, body);
    case Kind::member:
      return update_member(draft, parent, id, body);
    case Kind::health_monitor:
      return update_health_monitor(draft, id, body);
    case Kind::l7policy:
      return update_l7policy(draft, id, body);
    case Kind::l7rule:
      return update_l7rule(draft, parent, id, body);
  }
  return no_such_kind();
}

Done remove_in(Draft& draft, Kind kind, const Uuid& parent, const Uuid& id, Cascade cascade) {
  switch (kind) {
    case Kind::load_balancer:
      return remove_load_balancer(draft, id, cascade);
    case Kind::listener:
      return remove_listener(draft, id);
    case Kind::pool:
      return remove_pool(draft, id);
    case Kind::member:
      return remove_member(draft, parent, id);
    case Kind::health_monitor:
      return remove_health_monitor(draft, id);
    case Kind::l7policy:
      return remove_l7policy(draft, id);
    case Kind::l7rule:
      return remove_l7rule(draft, parent, id);
  }
  return no_such_kind();
}

}  // namespace

Outcome<Edited> create(const Model& m, Kind kind, const Uuid& parent, const Body& body,
                       const Context& context) {
  Draft draft(m, context);
  Done done = create_in(draft, kind, parent, body);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> update(const Model& m, Kind kind, const Uuid& parent, const Uuid& id,
                       const Body& body, const Context& context) {
  Draft draft(m, context);
  Done done = update_in(draft, kind, parent, id, body);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> remove(const Model& m, Kind kind, const Uuid& parent, const Uuid& id,
                       Cascade cascade, const Context& context) {
  Draft draft(m, context);
  Done done = remove_in(draft, kind, parent, id, cascade);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> replace_members(const Model& m, const Uuid& pool, const Body& body,
                                Additive additive, const Context& context) {
  Draft draft(m, context);
  Done done = replace_all_members(draft, pool, body, additive);
  return finish(m, std::move(draft), done);
}

}  // namespace model
