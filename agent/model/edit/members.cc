#include <map>
#include <set>
#include <utility>

#include "agent/model/edit/editors.h"
#include "agent/model/fields/read.h"

namespace model {

namespace {

Outcome<Body> read_member(const Body& body, unsigned use) {
  auto inner = unwrap("member_", "member", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields({"member_.member", "member"}, table<Member>(), std::get<Body>(inner), use);
}

using MemberKey = std::pair<base::IpAddress, uint16_t>;

// The members of a batch, each over what its (address, port) is now.
Outcome<std::vector<Member>> read_batch(const Draft& draft, const Uuid& pool, const Body& list) {
  std::map<MemberKey, const Member*> present;
  for (const auto& [id, member] : draft.model.members)
    if (member.pool == pool) present[{member.address, member.protocol_port}] = &member;
  std::vector<Member> members;
  for (size_t i = 0; i < list.size(); i++) {
    Place place{"members_.members", "members[" + std::to_string(i) + "]"};
    auto values = read_fields(place, table<Member>(), list[i], kCreate);
    if (auto* fault = std::get_if<Fault>(&values)) return *fault;
    Member member;
    assign(member, std::get<Body>(values));
    auto found = present.find({member.address, member.protocol_port});
    if (found != present.end()) {
      // What a creation gives a default to goes back to it; name, tags and subnet stay.
      Member fresh = *found->second;
      const Member by_default;
      fresh.admin_state_up = by_default.admin_state_up;
      fresh.weight = by_default.weight;
      fresh.backup = by_default.backup;
      fresh.monitor_address = by_default.monitor_address;
      fresh.monitor_port = by_default.monitor_port;
      assign(fresh, std::get<Body>(values));
      member = std::move(fresh);
    }
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace

Done create_member(Draft& draft, const Uuid& pool_id, const Body& body) {
  auto values = read_member(body, kCreate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  if (const Pool* pool = draft.pool(pool_id))
    if (auto refusal = draft.check_room(pool->load_balancer, Kind::member)) return *refusal;
  if (auto refusal = draft.check_pool(pool_id)) return *refusal;
  Pool& pool = *draft.pool(pool_id);
  Member member;
  assign(member, std::get<Body>(values));
  member.pool = pool_id;
  draft.stamp_new(member);
  MemberKeys taken = member_keys(draft.model, pool_id);
  if (auto refusal = check_member(draft.model, pool, member, taken)) return *refusal;
  draft.lock_above(pool);
  draft.model.members.emplace(member.id, member);
  return member.id;
}

Done update_member(Draft& draft, const Uuid& pool_id, const Uuid& id, const Body& body) {
  auto values = read_member(body, kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  Member* member = draft.member(pool_id, id);
  if (!member) return not_found(Kind::member, id.text());
  if (auto refusal = draft.check_pool(pool_id)) return *refusal;
  assign(*member, std::get<Body>(values));
  draft.mark(*member, ProvisioningStatus::pending_update);
  draft.lock_above(*draft.pool(pool_id));
  return id;
}

Done remove_member(Draft& draft, const Uuid& pool_id, const Uuid& id) {
  Member* member = draft.member(pool_id, id);
  if (!member) return not_found(Kind::member, id.text());
  if (auto refusal = draft.check_pool(pool_id)) return *refusal;
  draft.mark(*member, ProvisioningStatus::pending_delete);
  draft.lock_above(*draft.pool(pool_id));
  return id;
}

Done replace_all_members(Draft& draft, const Uuid& pool_id, const Body& body, Additive additive) {
  auto list = unwrap("members_", "members", body);
  if (auto* fault = std::get_if<Fault>(&list)) return *fault;
  auto checked = read_value("members", plain_type(ValueType::Form::objects), std::get<Body>(list));
  if (auto* fault = std::get_if<Fault>(&checked)) return *fault;
  if (auto refusal = draft.check_pool(pool_id)) return *refusal;
  auto outcome = read_batch(draft, pool_id, std::get<Body>(list));
  if (auto* fault = std::get_if<Fault>(&outcome)) return *fault;

  std::set<Uuid> named;
  std::vector<Member> added;
  for (Member& member : std::get<std::vector<Member>>(outcome)) {
    if (member.id.is_nil()) {
      member.pool = pool_id;
      draft.stamp_new(member);
      added.push_back(member);
    } else if (!named.insert(member.id).second) {
      added.push_back(member);  // twice in the request: refused below
    } else {
      Member& present = draft.model.members.at(member.id) = member;
      draft.mark(present, ProvisioningStatus::pending_update);
    }
  }
  Pool& pool = *draft.pool(pool_id);
  const MemberKeys taken_before = member_keys(draft.model, pool_id);
  MemberKeys taken = taken_before;
  for (const Member& member : added)
    if (auto refusal = check_member(draft.model, pool, member, taken)) return *refusal;
  const size_t present = taken_before.size();
  const size_t gone = additive == Additive::no ? present - named.size() : 0;
  const size_t more = added.size() > gone ? added.size() - gone : 0;
  if (auto refusal = draft.check_room(pool.load_balancer, Kind::member, more)) return *refusal;
  bool changed = !named.empty() || !added.empty();
  if (additive == Additive::no)
    for (auto& [id, member] : draft.model.members)
      if (member.pool == pool_id && !named.contains(id)) {
        draft.mark(member, ProvisioningStatus::pending_delete);
        changed = true;
      }
  for (Member& member : added) draft.model.members.emplace(member.id, member);
  if (changed) draft.lock_above(pool);
  return pool_id;
}

}  // namespace model
