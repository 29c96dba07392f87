// The way from the namespace as it is to the namespace as it should be. Pure; network.h reads the
// one and carries out the steps to the other.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "netns/netns_spec.h"

namespace netns {

// Who made an address, a route or a rule. Ours carry kProtocol in the kernel, so that they are
// recognised by an agent that does not remember having made them. Only ours are ever removed.
enum class Owner { us, other };

// rtm_protocol, FRA_PROTOCOL, IFA_PROTO and NDA_PROTOCOL of everything we add ('X'; free in
// iproute2's rt_protos).
inline constexpr uint8_t kProtocol = 88;

// On links that were brought in: IFLA_IFALIAS is this and the name they had.
inline constexpr char kAliasPrefix[] = "amphora-xdp: was ";

struct Address {
  uint32_t ifindex = 0;
  base::IpPrefix prefix;
  Owner owner = Owner::other;

  friend bool operator==(const Address&, const Address&) = default;
};

struct Route {
  uint32_t ifindex = 0;
  RouteSpec spec;  // `onlink` is not read back: it is a way of adding a route
  Owner owner = Owner::other;

  friend bool operator==(const Route&, const Route&) = default;
};

struct Rule {
  RuleSpec spec;
  Owner owner = Owner::other;

  friend bool operator==(const Rule&, const Rule&) = default;
};

// Everything a step could change, as it is.
struct State {
  Observed seen;
  std::map<uint32_t, Link> outside;  // the namespace the agent came from; empty: the same one
  std::vector<Address> addresses;    // tentative ones too, unlike in `seen`
  std::vector<Route> routes;         // unicast, every table but "local"
  std::vector<Rule> rules;           // "from ... lookup ..." and nothing else
  std::map<std::string, std::string> sysctls;  // see sysctl.h; those that a layout is about
  std::set<NeighbourKey> managed;              // kept resolved by the kernel at our request
  std::set<NeighbourKey> permanent;            // somebody's static entries

  friend bool operator==(const State&, const State&) = default;
};

// Steps name links as they are called when it is their turn.
struct MoveLink {
  uint32_t ifindex;  // outside
  std::string from, to;
};
struct RenameLink {
  std::string from, to;
};
struct SetMtu {
  std::string link;
  int mtu;
};
struct SetUp {
  std::string link;
};
struct SetSysctl {
  std::string key;  // path below /proc/sys
  std::string value;
};
enum class AddressKind { primary, vip };
struct AddAddress {
  std::string link;
  base::IpPrefix prefix;
  AddressKind kind;
};
struct RemoveAddress {
  std::string link;
  base::IpPrefix prefix;
};
struct AddRoute {
  std::string link;
  RouteSpec route;
};
// In one request, so that there is no moment without a route: `old_link` loses `old_route`.
struct ReplaceRoute {
  std::string link;
  RouteSpec route;
  std::string old_link;
  RouteSpec old_route;
};
struct RemoveRoute {
  std::string link;
  RouteSpec route;
};
struct AddRule {
  RuleSpec rule;
};
struct RemoveRule {
  RuleSpec rule;
};
struct ManageNeighbour {
  std::string link;
  NeighbourKey key;
};
struct ReleaseNeighbour {
  std::string link;
  NeighbourKey key;
};
using Step = std::variant<MoveLink, RenameLink, SetMtu, SetUp, SetSysctl, AddAddress, RemoveAddress,
                          AddRoute, ReplaceRoute, RemoveRoute, AddRule, RemoveRule, ManageNeighbour,
                          ReleaseNeighbour>;

// Nothing that is in use goes before what takes its place is there. One pass may open the way to
// more (routes make hops, hops make neighbours): done is when a diff of what is there is empty.
// Interfaces that are nowhere are left out: missing().
std::vector<Step> diff(const LayoutSpec& want, const State& have);
std::string describe(const Step& step);  // "add address 192.0.2.10/32 to eth1"

// Names of the wanted interfaces that are neither inside nor outside (not plugged yet).
std::vector<std::string> missing(const LayoutSpec& want, const State& have);

}  // namespace netns
