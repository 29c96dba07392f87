// Next hops from what netns observed: L2 headers for the datapath.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "agent/datapath/tables.h"
#include "netns/netns_spec.h"

namespace plan {

// Out of `link` to `neighbour`; without one it is unresolved, and the kernel forwards and resolves.
lb_nexthop next_hop(const netns::Link& link, const std::optional<base::MacAddress>& neighbour);

// Every usable neighbour on every link that is up: what Datapath::resolve wants to know.
std::map<lb_nexthop_key, lb_nexthop, datapath::BytesLess<lb_nexthop_key>> neighbours(
    const netns::Observed& observed);

// What a plan would change in `applied` if nothing but neighbours is other in `now` than in
// `planned`, of which the plan behind `applied` was made: next hops towards members, nothing else.
// Work for each member's address, no plan. nullopt: links or routes have changed too, and it takes
// a plan. Client-side next hops are not in tables: they go by neighbours().
std::optional<std::vector<datapath::Step>> next_hops(const datapath::Tables& applied,
                                                     const netns::Observed& planned,
                                                     const netns::Observed& now);

}  // namespace plan
