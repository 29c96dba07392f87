#include "agent/serve/vip_ranges.h"

namespace serve {

namespace {

// Of these, none is an address of the machine or of a router, as far as the configuration knows.
std::optional<std::string> address_in(const VipRangeConfig& range,
                                      const netns::LayoutSpec& layout) {
  const auto holds = [&](const base::IpAddress& a) {
    return range.subnet.contains(a) && range.first <= a && a <= range.last;
  };
  for (const base::IpAddress& address : layout.floating)
    if (holds(address)) return address.text();
  for (const auto& interface : layout.interfaces) {
    for (const base::IpPrefix& own : interface.addresses)
      if (holds(own.address)) return own.address.text();
    for (const netns::RouteSpec& route : interface.routes)
      if (route.gateway && holds(*route.gateway)) return route.gateway->text();
  }
  return std::nullopt;
}

}  // namespace

bool is_host(const base::IpPrefix& subnet, const base::IpAddress& address) {
  if (!subnet.contains(address) || address == subnet.address) return false;
  if (address.family() == base::Family::ipv6) return true;
  bool ones = true;
  for (int bit = subnet.length; bit < address.bits(); bit++)
    ones = ones && (address.bytes()[bit / 8] >> (7 - bit % 8) & 1);
  return subnet.length > address.bits() - 2 || !ones;
}

std::optional<std::string> fault_among(const std::vector<VipRangeConfig>& ranges,
                                       const netns::LayoutSpec& layout) {
  for (size_t i = 0; i < ranges.size(); i++) {
    const VipRangeConfig& range = ranges[i];
    const std::string at = "vip_ranges[" + std::to_string(i) + "] ";
    if (const auto own = address_in(range, layout)) return at + "holds " + *own;
    for (size_t j = 0; j < i; j++)
      if (ranges[j].subnet == range.subnet && ranges[j].first <= range.last &&
          range.first <= ranges[j].last)
        return at + "has addresses of vip_ranges[" + std::to_string(j) + "]";
  }
  return std::nullopt;
}

}  // namespace serve
