// What the kernel says in its messages, as values. Each reader takes one message of its kind and
// gives nothing for those that are none of our business.
#pragma once

#include <linux/netlink.h>

#include <optional>
#include <string>

#include "netns/layout.h"

namespace netns {

struct LinkRecord {
  Link link;
  std::string alias;
};

struct AddressRecord {
  Address address;
  bool usable = false;  // as a source, now: not tentative, not a duplicate, not temporary
  bool primary = true;  // IPv4: first of its subnet
};

struct NeighbourRecord {
  NeighbourKey key;
  std::optional<base::MacAddress> mac;  // none: not usable (any more)
  bool permanent = false;               // a static entry
  bool managed = false;                 // by the kernel at our request
};

std::optional<LinkRecord> read_link(const nlmsghdr& message);        // RTM_NEWLINK
std::optional<AddressRecord> read_address(const nlmsghdr& message);  // RTM_NEWADDR
std::optional<Route> read_route(const nlmsghdr& message);            // RTM_NEWROUTE
std::optional<Rule> read_rule(const nlmsghdr& message);              // RTM_NEWRULE
std::optional<NeighbourRecord> read_neighbour(
    const nlmsghdr& message);  // RTM_NEWNEIGH, RTM_DELNEIGH
// The answer to RTM_GETROUTE for one destination: no neighbour yet, `source` as the kernel chose
// it.
std::optional<Hop> read_hop(const nlmsghdr& message);

}  // namespace netns
