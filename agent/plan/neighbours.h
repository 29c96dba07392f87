// Next hops from what netns observed: L2 headers for the datapath.
#pragma once

#include <map>
#include <optional>

#include "agent/datapath/tables.h"
#include "netns/netns_spec.h"

namespace plan {

// Out of `link` to `neighbour`; without one it is unresolved, and the kernel forwards and resolves.
lb_nexthop next_hop(const netns::Link& link, const std::optional<base::MacAddress>& neighbour);

// Every usable neighbour on every link that is up: what Datapath::resolve wants to know.
std::map<lb_nexthop_key, lb_nexthop, datapath::BytesLess<lb_nexthop_key>> neighbours(
    const netns::Observed& observed);

}  // namespace plan
