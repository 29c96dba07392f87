// Ranges of addresses for load balancers, as the configuration has them: what they must be. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "netns/netns_spec.h"

namespace serve {

// Addresses of a connected network for load balancers that do not say theirs.
struct VipRangeConfig {
  std::string interface;
  base::IpPrefix subnet;        // one of its prefixes, as a network
  base::IpAddress first, last;  // inclusive
};

// Of the subnet: neither its own address, nor its broadcast address.
bool is_host(const base::IpPrefix& subnet, const base::IpAddress& address);

// Why they cannot all be: one has an address of another's, of the machine or of a router, as far as
// the layout knows; in words that begin with the field.
std::optional<std::string> fault_among(const std::vector<VipRangeConfig>& ranges,
                                       const netns::LayoutSpec& layout);

}  // namespace serve
