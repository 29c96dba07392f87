#include "agent/model/edit/vips.h"

#include <algorithm>
#include <set>

#include "agent/model/fields/value.h"
#include "agent/model/vip_ranges.h"

namespace model {

namespace {

using base::Family;
using base::IpAddress;

// The configuration's ranges, and what is taken of them.
struct Allocation {
  const VipRanges& ranges;
  std::set<IpAddress> taken;
};

const VipRange* range_of_subnet(const VipRanges& ranges, const std::string& subnet_id) {
  const auto found = std::ranges::find(ranges, subnet_id, &VipRange::subnet_id);
  return found == ranges.end() ? nullptr : &*found;
}

Fault no_range(const std::string& of) {
  return validation_failure(
      "vip_address is missing, and vip_ranges in the agent's configuration "
      "has no range of " +
      of + " to allocate one from.");
}

// As the networking service says it.
Fault exhausted(const std::string& network_id) {
  return {409, "No more IP addresses available on network " + network_id + "."};
}

Outcome<const VipRange*> allocate(Allocation& from, const std::vector<const VipRange*>& ranges,
                                  const std::string& what, IpAddress& out) {
  for (const VipRange* range : ranges)
    if (const auto address = free_address(*range, from.taken)) {
      from.taken.insert(*address);
      out = *address;
      return range;
    }
  if (ranges.empty()) return no_range(what);
  return exhausted(ranges.front()->network_id);
}

// Of the network or subnet that is named; IPv4 first, as Octavia picks.
std::vector<const VipRange*> candidates(const VipRanges& ranges, const LoadBalancer& lb) {
  std::vector<const VipRange*> found;
  for (const VipRange& range : ranges) {
    const bool named = lb.vip_subnet_id.empty() ? range.network_id == lb.vip_network_id
                                                : range.subnet_id == lb.vip_subnet_id;
    if (named) found.push_back(&range);
  }
  std::ranges::stable_sort(found, {}, [](const VipRange* range) {
    return range->subnet.address.family() == Family::ipv4 ? 0 : 1;
  });
  return found;
}

Refusal place_primary(Allocation& from, LoadBalancer& lb, Vip primary) {
  if (primary == Vip::said) {
    for (const VipRange& range : from.ranges)
      if (lb.vip_subnet_id.empty() && range.network_id == lb.vip_network_id &&
          range.subnet.contains(lb.vip_address))
        lb.vip_subnet_id = range.subnet_id;
    return std::nullopt;
  }
  if (lb.vip_subnet_id.empty() && lb.vip_network_id.empty() && lb.vip_port_id.empty())
    return validation_failure(
        "VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.");
  const std::string what = !lb.vip_subnet_id.empty()    ? "vip_subnet_id " + lb.vip_subnet_id
                           : !lb.vip_network_id.empty() ? "vip_network_id " + lb.vip_network_id
                                                        : "vip_port_id " + lb.vip_port_id;
  auto range = allocate(from, candidates(from.ranges, lb), what, lb.vip_address);
  if (auto* fault = std::get_if<Fault>(&range)) return *fault;
  lb.vip_subnet_id = std::get<const VipRange*>(range)->subnet_id;
  return std::nullopt;
}

Refusal place_additional(Allocation& from, LoadBalancer& lb) {
  for (AdditionalVip& vip : lb.additional_vips) {
    const VipRange* range = range_of_subnet(from.ranges, vip.subnet_id);
    if (range && !lb.vip_network_id.empty() && range->network_id != lb.vip_network_id)
      return validation_failure("All VIP subnets must belong to the same network.");
    if (vip.ip_address != IpAddress{}) continue;
    std::vector<const VipRange*> ranges;
    if (range) ranges.push_back(range);
    auto done =
        allocate(from, ranges, "additional_vips' subnet_id " + vip.subnet_id, vip.ip_address);
    if (auto* fault = std::get_if<Fault>(&done)) return *fault;
  }
  return std::nullopt;
}

// VIPs, and where members are.
std::set<IpAddress> all_taken(const Model& m) {
  std::set<IpAddress> all;
  for (const auto& [id, member] : m.members) all.insert(member.address);
  for (const auto& [id, lb] : m.load_balancers)
    for (const IpAddress& vip : vips_of(lb)) all.insert(vip);
  return all;
}

}  // namespace

Refusal place_vips(const Draft& draft, LoadBalancer& lb, Vip primary) {
  static const VipRanges kNone;
  const auto& configured = draft.context().vip_ranges;
  Allocation from{configured ? *configured : kNone, all_taken(draft.model)};
  for (const IpAddress& said : vips_of(lb)) from.taken.insert(said);
  const VipRange* range = range_of_subnet(from.ranges, lb.vip_subnet_id);
  if (range && lb.vip_network_id.empty()) lb.vip_network_id = range->network_id;
  if (range && lb.vip_network_id != range->network_id)
    return Fault{400, "Subnet " + lb.vip_subnet_id + " not found."};
  if (auto refusal = place_primary(from, lb, primary)) return refusal;
  if (auto refusal = place_additional(from, lb)) return refusal;
  if (lb.vip_port_id.empty()) lb.vip_port_id = Uuid::random().text();
  return std::nullopt;
}

}  // namespace model
