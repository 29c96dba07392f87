#include "agent/plan/layout.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_set>

#include "agent/plan/wanted.h"

namespace plan {

namespace {

// Many members share an address, and a set is made of sorted ones in linear time.
std::set<base::IpAddress> member_addresses(const model::Relations& related) {
  const model::Model& model = related.model();
  std::unordered_set<base::IpAddress, AddressHash> distinct;
  for (const auto& [id, pool] : model.pools) {
    if (!is_wanted(pool) || !is_wanted(model.load_balancers.at(pool.load_balancer))) continue;
    for (const model::Member* member : related.members_of(pool))
      if (is_wanted(*member) && is_unicast(member->address)) distinct.insert(member->address);
  }
  std::vector<base::IpAddress> addresses(distinct.begin(), distinct.end());
  std::sort(addresses.begin(), addresses.end());
  return {addresses.begin(), addresses.end()};
}

}  // namespace

Networks::Networks(const netns::Observed& observed, const netns::LayoutSpec& configured) {
  for (const auto& [ifindex, link] : observed.links) links_[link.name] = ifindex;
  for (const auto& [ifindex, link] : observed.links)
    if (!link.loopback) add(link.addresses, link.name);
  for (const netns::InterfaceSpec& spec : configured.interfaces) add(spec.addresses, spec.name);
  const auto loopback = links_.find("lo");
  loopback_ = {"lo", loopback == links_.end() ? 0 : loopback->second};
  floating_ = configured.floating;
}

void Networks::add(const std::vector<base::IpPrefix>& prefixes, const std::string& interface) {
  const auto there = links_.find(interface);
  for (const base::IpPrefix& prefix : prefixes)
    if (prefix.length < prefix.address.bits())
      networks_.push_back({prefix, {interface, there == links_.end() ? 0 : there->second}});
}

std::optional<base::IpAddress> Networks::floating_on(uint32_t ifindex, base::Family family) const {
  const auto own = std::find_if(floating_.begin(), floating_.end(), [&](const auto& address) {
    return address.family() == family && link_of(address).ifindex == ifindex;
  });
  return own == floating_.end() ? std::nullopt : std::optional(*own);
}

const VipLink& Networks::link_of(const base::IpAddress& vip) const {
  const Network* best = nullptr;
  for (const Network& network : networks_)
    if (network.prefix.contains(vip) &&
        (best == nullptr || network.prefix.length > best->prefix.length))
      best = &network;
  return best == nullptr ? loopback_ : best->link;
}

netns::LayoutSpec make_layout(const model::Relations& related, const Networks& networks,
                              const netns::LayoutSpec& configured) {
  netns::LayoutSpec layout = configured;
  for (const auto& [id, lb] : related.model().load_balancers) {
    if (!is_wanted(lb) || related.model().amphora) continue;
    for (const base::IpAddress& vip : vips_of(lb))
      layout.vips.insert(
          configured.pair_interface.empty()
              ? netns::VipSpec{vip, networks.link_of(vip).interface}
              : netns::VipSpec{vip, configured.pair_interface, netns::VipKeeper::keepalived});
  }
  // Without a VIP there is nothing that they go along with.
  if (!layout.vips.empty())
    for (const base::IpAddress& address : configured.floating)
      layout.vips.insert(
          {address, networks.link_of(address).interface, netns::VipKeeper::keepalived});
  layout.next_hop_targets.merge(member_addresses(related));
  return layout;
}

}  // namespace plan
