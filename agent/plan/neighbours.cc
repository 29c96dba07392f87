#include "agent/plan/neighbours.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "agent/datapath/abi.h"

namespace plan {

namespace {

// A link without an Ethernet address (loopback, tunnels) has no header to write.
bool has_ethernet(const netns::Link& link) {
  return !link.loopback && link.mac != base::MacAddress{};
}

bool same_way(const netns::Hop& a, const netns::Hop& b) {
  return a.ifindex == b.ifindex && a.gateway == b.gateway && a.source == b.source;
}

bool only_neighbours_differ(const netns::Observed& a, const netns::Observed& b) {
  return a.links == b.links && std::equal(a.hops.begin(), a.hops.end(), b.hops.begin(),
                                          b.hops.end(), [](const auto& x, const auto& y) {
                                            return x.first == y.first &&
                                                   same_way(x.second, y.second);
                                          });
}

}  // namespace

lb_nexthop next_hop(const netns::Link& link, const std::optional<base::MacAddress>& neighbour) {
  constexpr int kMostMtu = std::numeric_limits<decltype(lb_nexthop::mtu)>::max();
  lb_nexthop hop{};
  std::copy(link.mac.bytes.begin(), link.mac.bytes.end(), hop.src_mac);
  hop.ifindex = link.ifindex;
  hop.mtu = static_cast<decltype(hop.mtu)>(std::clamp(link.mtu, 0, kMostMtu));
  if (neighbour && *neighbour != base::MacAddress{} && link.up && has_ethernet(link)) {
    std::copy(neighbour->bytes.begin(), neighbour->bytes.end(), hop.dst_mac);
    hop.flags = LB_NEXTHOP_RESOLVED;
  }
  return hop;
}

std::map<lb_nexthop_key, lb_nexthop, datapath::BytesLess<lb_nexthop_key>> neighbours(
    const netns::Observed& observed) {
  std::map<lb_nexthop_key, lb_nexthop, datapath::BytesLess<lb_nexthop_key>> hops;
  for (const auto& [key, mac] : observed.neighbours) {
    const auto link = observed.links.find(key.ifindex);
    if (link == observed.links.end()) continue;
    const lb_nexthop hop = next_hop(link->second, mac);
    if ((hop.flags & LB_NEXTHOP_RESOLVED) == 0) continue;
    hops[{datapath::to_abi(key.address), key.ifindex, datapath::to_abi(key.address.family())}] =
        hop;
  }
  return hops;
}

std::optional<std::vector<datapath::Step>> next_hops(const datapath::Tables& applied,
                                                     const netns::Observed& planned,
                                                     const netns::Observed& now) {
  if (!only_neighbours_differ(planned, now)) return std::nullopt;
  std::vector<datapath::Step> steps;
  for (const auto& [address, have] : applied.destinations) {
    if (have.ifindex == 0) continue;  // planned without a way to it, which neighbours do not open
    const auto hop = now.hops.find(address);
    const auto link = hop == now.hops.end() ? now.links.end() : now.links.find(hop->second.ifindex);
    if (link == now.links.end()) return std::nullopt;
    const lb_nexthop want = next_hop(link->second, hop->second.neighbour);
    if (std::memcmp(&have, &want, sizeof(want)) == 0) continue;
    steps.push_back(datapath::PutDestination{address, want});
  }
  return steps;
}

}  // namespace plan
