// What the network namespace should be, and what it is, as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ip.h"

namespace netns {

struct RouteSpec {
  base::IpPrefix destination{};              // length 0: default
  std::optional<base::IpAddress> gateway{};  // none: on link
  std::optional<base::IpAddress> prefsrc{};
  uint32_t table = 254;  // RT_TABLE_MAIN
  bool onlink = false;

  friend bool operator==(const RouteSpec&, const RouteSpec&) = default;
};

struct RuleSpec {
  base::IpPrefix source{};  // "from"
  uint32_t table = 1;
  uint32_t priority = 100;

  friend bool operator==(const RuleSpec&, const RuleSpec&) = default;
};

// What an interface does with the routers that advertise themselves (IPv6).
enum class RouterAdvertisements : uint8_t {
  as_before,  // who listened to them still does
  ignored,
  followed,  // addresses and routes come from them (SLAAC)
};

// One interface, as the configuration names it.
struct InterfaceSpec {
  std::string name{};  // in the namespace; also how it is found if `mac` is absent
  std::optional<base::MacAddress> mac{};  // how it is found, wherever it is and whatever its name
  std::optional<int> mtu{};
  std::vector<base::IpPrefix> addresses{};
  std::vector<RouteSpec> routes{};
  std::vector<RuleSpec> rules{};
  RouterAdvertisements advertisements = RouterAdvertisements::as_before;
  bool dhcp = false;  // an IPv4 address comes from a DHCP client; what it sets is not ours

  friend bool operator==(const InterfaceSpec&, const InterfaceSpec&) = default;
};

// Who sets and takes away a VIP.
enum class VipKeeper : uint8_t {
  us,
  keepalived,  // we neither add nor remove it, whether it is there or not
};

// An address the load balancer answers on: a host prefix on the interface, never a source.
struct VipSpec {
  base::IpAddress address;
  std::string interface;
  VipKeeper keeper = VipKeeper::us;

  auto operator<=>(const VipSpec&) const = default;
};

struct LayoutSpec {
  std::vector<InterfaceSpec> interfaces{};
  std::set<VipSpec> vips{};
  // Of a pair's node: the VIPs of load balancers are keepalived's, on this interface. "": no pair.
  std::string pair_interface{};
  // Of the same: addresses that go where the VIPs go, on the interface whose network has them.
  // Sources towards members there.
  std::vector<base::IpAddress> floating{};
  std::set<base::IpAddress> next_hop_targets{};  // members: their next hops are kept resolved
  uint16_t local_port_min = 61000, local_port_max = 65535;  // ip_local_port_range

  friend bool operator==(const LayoutSpec&, const LayoutSpec&) = default;
};

struct Link {
  uint32_t ifindex = 0;
  std::string name;
  base::MacAddress mac;
  int mtu = 0;
  bool up = false;
  bool loopback = false;
  std::vector<base::IpPrefix> addresses;  // usable ones (not tentative), primary first; VIPs too
  bool carrier = false;                   // the other end is there; `up` is what was asked for
  // Of a VLAN: the ifindex of what its frames, tagged, come by; 0: that is in another namespace.
  std::optional<uint32_t> trunk{};

  friend bool operator==(const Link&, const Link&) = default;
};

// Which way the kernel sends packets to a destination, and the L2 header for it.
struct Hop {
  uint32_t ifindex = 0;
  std::optional<base::IpAddress> gateway;     // none: on link
  std::optional<base::IpAddress> source;      // primary address of the egress interface, as the
                                              // kernel would choose it (prefsrc), never a VIP
  std::optional<base::MacAddress> neighbour;  // none: not resolved (yet)

  friend bool operator==(const Hop&, const Hop&) = default;
};

struct NeighbourKey {
  uint32_t ifindex = 0;
  base::IpAddress address;

  auto operator<=>(const NeighbourKey&) const = default;
};

// A network interface, as its namespace has it now.
struct Nic {
  uint32_t ifindex = 0;
  std::string name;
  base::MacAddress mac;
  std::vector<base::IpPrefix> addresses{};  // tentative ones too
  uint64_t transmitted = 0, received = 0;   // bytes

  friend bool operator==(const Nic&, const Nic&) = default;
};

// The namespace as it is.
struct Observed {
  std::map<uint32_t, Link> links;                       // by ifindex
  std::map<base::IpAddress, Hop> hops;                  // for each next_hop_target that has a route
  std::map<NeighbourKey, base::MacAddress> neighbours;  // usable ones (NUD_VALID)
  size_t ways = 0;  // of all routes and rules: another number, other routes or rules

  friend bool operator==(const Observed&, const Observed&) = default;
};

}  // namespace netns
