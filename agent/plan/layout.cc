#include "agent/plan/layout.h"

namespace plan {

namespace {

// Length of the longest of `prefixes` that is a network with `address`; -1: none.
int best_length(const std::vector<base::IpPrefix>& prefixes, const base::IpAddress& address) {
  int best = -1;
  for (const base::IpPrefix& prefix : prefixes)
    if (prefix.length < prefix.address.bits() && prefix.contains(address))
      best = std::max(best, prefix.length);
  return best;
}

}  // namespace

bool is_unicast(const base::IpAddress& address) {
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast()) return false;
  return address != base::IpAddress::v4(0xffffffff);
}

bool is_wanted(const model::Common& resource) {
  return resource.provisioning_status != model::ProvisioningStatus::pending_delete;
}

std::set<base::IpAddress> vips_of(const model::LoadBalancer& lb) {
  std::set<base::IpAddress> vips;
  if (is_unicast(lb.vip_address)) vips.insert(lb.vip_address);
  for (const model::AdditionalVip& vip : lb.additional_vips)
    if (is_unicast(vip.ip_address)) vips.insert(vip.ip_address);
  return vips;
}

VipPlace place_of(const base::IpAddress& vip, const netns::Observed& observed,
                  const netns::LayoutSpec& configured) {
  VipPlace place{"lo", 0};
  int best = -1;
  for (const auto& [ifindex, link] : observed.links) {
    if (link.loopback) continue;
    if (const int length = best_length(link.addresses, vip); length > best) {
      best = length;
      place = {link.name, ifindex};
    }
  }
  for (const netns::InterfaceSpec& spec : configured.interfaces)
    if (const int length = best_length(spec.addresses, vip); length > best) {
      best = length;
      place = {spec.name, 0};
    }
  for (const auto& [ifindex, link] : observed.links)
    if (link.name == place.interface) place.ifindex = ifindex;
  return place;
}

netns::LayoutSpec make_layout(const model::Model& model, const netns::Observed& observed,
                              const netns::LayoutSpec& configured) {
  netns::LayoutSpec layout = configured;
  for (const auto& [id, lb] : model.load_balancers) {
    if (!is_wanted(lb)) continue;
    for (const base::IpAddress& vip : vips_of(lb))
      layout.vips.insert({vip, place_of(vip, observed, configured).interface});
  }
  for (const auto& [id, member] : model.members) {
    const model::Pool& pool = model.pools.at(member.pool);
    if (!is_wanted(member) || !is_wanted(pool) || !is_unicast(member.address)) continue;
    if (is_wanted(model.load_balancers.at(pool.load_balancer)))
      layout.next_hop_targets.insert(member.address);
  }
  return layout;
}

}  // namespace plan
