#include "agent/model/edit/edit.h"

#include <array>

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

// How a kind is made, changed and taken away; what a kind has no use for is left out.
struct Editor {
  Kind kind;
  Done (*create)(Draft&, const Uuid& parent, const Body&);
  Done (*update)(Draft&, const Uuid& parent, const Uuid& id, const Body&);
  Done (*remove)(Draft&, const Uuid& parent, const Uuid& id, Cascade);
};

// Of a kind that is found by its id.
template <auto Create, auto Update, auto Remove>
constexpr Editor of(Kind kind) {
  return {kind, [](Draft& draft, const Uuid&, const Body& body) { return Create(draft, body); },
          [](Draft& draft, const Uuid&, const Uuid& id, const Body& body) {
            return Update(draft, id, body);
          },
          [](Draft& draft, const Uuid&, const Uuid& id, Cascade) { return Remove(draft, id); }};
}

// Of a kind that is found within its parent.
template <auto Create, auto Update, auto Remove>
constexpr Editor of_child(Kind kind) {
  return {kind, Create, Update, [](Draft& draft, const Uuid& parent, const Uuid& id, Cascade) {
            return Remove(draft, parent, id);
          }};
}

constexpr std::array kEditors{
    Editor{Kind::load_balancer,
           [](Draft& draft, const Uuid&, const Body& body) {
             return create_load_balancer(draft, body);
           },
           [](Draft& draft, const Uuid&, const Uuid& id, const Body& body) {
             return update_load_balancer(draft, id, body);
           },
           [](Draft& draft, const Uuid&, const Uuid& id, Cascade cascade) {
             return remove_load_balancer(draft, id, cascade);
           }},
    of<create_listener, update_listener, remove_listener>(Kind::listener),
    of<create_pool, update_pool, remove_pool>(Kind::pool),
    of_child<create_member, update_member, remove_member>(Kind::member),
    of<create_health_monitor, update_health_monitor, remove_health_monitor>(Kind::health_monitor),
    of<create_l7policy, update_l7policy, remove_l7policy>(Kind::l7policy),
    of_child<create_l7rule, update_l7rule, remove_l7rule>(Kind::l7rule),
};

const Editor& editor_of(Kind kind) {
  for (const Editor& editor : kEditors)
    if (editor.kind == kind) return editor;
  __builtin_unreachable();  // every kind has a row
}

}  // namespace

Outcome<Edited> create(const Model& m, Kind kind, const Uuid& parent, const Body& body,
                       const Context& context) {
  Draft draft(m, context);
  Done done = editor_of(kind).create(draft, parent, body);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> update(const Model& m, Kind kind, const Uuid& parent, const Uuid& id,
                       const Body& body, const Context& context) {
  Draft draft(m, context);
  Done done = editor_of(kind).update(draft, parent, id, body);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> remove(const Model& m, Kind kind, const Uuid& parent, const Uuid& id,
                       Cascade cascade, const Context& context) {
  Draft draft(m, context);
  Done done = editor_of(kind).remove(draft, parent, id, cascade);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> renew(const Model& m, const Uuid& id, const Context& context) {
  Draft draft(m, context);
  Done done = renew_load_balancer(draft, id);
  return finish(m, std::move(draft), done);
}

Outcome<Edited> replace_members(const Model& m, const Uuid& pool, const Body& body,
                                Additive additive, const Context& context) {
  Draft draft(m, context);
  Done done = replace_all_members(draft, pool, body, additive);
  return finish(m, std::move(draft), done);
}

}  // namespace model
