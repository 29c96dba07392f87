// Addresses that load balancers get which do not say one: a range for each subnet of a connected
// network, as the agent is configured. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ip.h"

namespace model {

struct VipRange {
  std::string network_id, subnet_id;  // as clients name them
  base::IpPrefix subnet;
  base::IpAddress first, last;  // inclusive, of `subnet`

  friend bool operator==(const VipRange&, const VipRange&) = default;
};

using VipRanges = std::vector<VipRange>;

// The lowest that nobody has; nullopt: there is none left.
std::optional<base::IpAddress> free_address(const VipRange& range,
                                            const std::set<base::IpAddress>& taken);

}  // namespace model
