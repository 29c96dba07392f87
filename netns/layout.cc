#include "netns/layout.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "netns/sysctl.h"

namespace netns {

namespace {

constexpr uint32_t kMainTable = 254;

using base::IpAddress;
using base::IpPrefix;

const Link* find_link(const std::map<uint32_t, Link>& links, const InterfaceSpec& spec) {
  const Link* found = nullptr;
  for (const auto& [ifindex, link] : links) {
    if (link.loopback) continue;
    bool fits = spec.mac ? link.mac == *spec.mac : link.name == spec.name;
    // Several links can share a MAC (a bond's ports, a VLAN's parent): then the name decides.
    if (fits && (found == nullptr || link.name == spec.name)) found = &link;
  }
  return found;
}

bool same_destination(const RouteSpec& a, const RouteSpec& b) {
  return a.table == b.table && a.destination.network() == b.destination.network();
}

bool serves_as(const Route& route, uint32_t ifindex, const RouteSpec& want) {
  return route.ifindex == ifindex && same_destination(route.spec, want) &&
         route.spec.gateway == want.gateway &&
         (route.spec.prefsrc == want.prefsrc || (!want.prefsrc && route.owner == Owner::other));
}

struct WantedAddress {
  IpPrefix prefix;
  AddressKind kind;
};

// A link that is, or will be after the steps so far, in the namespace.
struct Present {
  const Link* link;             // as it is, maybe outside
  const InterfaceSpec* spec;    // nullptr: nobody asks for it
  std::string name;             // when the steps on links are done
  std::optional<uint32_t> now;  // ifindex inside; none: not moved in yet
};

class Differ {
 public:
  Differ(const LayoutSpec& want, const State& have) : want_(want), have_(have) {
    place_links();
    gather_routes();
  }

  std::vector<Step> run() {
    global_sysctls();
    moves_and_names();
    for (const Present& p : present_) link_settings(p);
    for (const Present& p : present_) new_addresses(p);
    new_routes();
    rules();
    old_routes();
    for (const Present& p : present_) old_addresses(p);
    neighbours();
    return std::move(steps_);
  }

 private:
  void place_links() {
    std::set<uint32_t> asked_for;
    for (const InterfaceSpec& spec : want_.interfaces) {
      if (const Link* in = find_link(have_.seen.links, spec)) {
        present_.push_back({in, &spec, spec.name, in->ifindex});
        asked_for.insert(in->ifindex);
      } else if (const Link* out = find_link(have_.outside, spec)) {
        present_.push_back({out, &spec, spec.name, std::nullopt});
      }
    }
    for (const auto& [ifindex, link] : have_.seen.links)
      if (!asked_for.contains(ifindex)) present_.push_back({&link, nullptr, link.name, ifindex});
  }

  void sysctl(const std::string& key, const std::string& value) {
    auto it = have_.sysctls.find(key);
    if (it == have_.sysctls.end() || it->second != value) steps_.push_back(SetSysctl{key, value});
  }

  void sysctls(const Sysctls& wanted) {
    // A kernel without IPv6 has none of its files.
    bool ipv6 = have_.sysctls.contains("net/ipv6/conf/all/forwarding");
    for (const auto& [key, value] : wanted)
      if (ipv6 || !key.starts_with("net/ipv6/")) sysctl(key, value);
  }

  void listen_to_routers(const std::string& interface) {
    auto it = have_.sysctls.find(accept_ra_key(interface));
    if (it != have_.sysctls.end() && it->second == "1") steps_.push_back(SetSysctl{it->first, "2"});
  }

  // Before links move in: they take over what "default" says.
  void global_sysctls() {
    listen_to_routers("default");
    sysctls(wanted_sysctls(want_));
  }

  void moves_and_names() {
    // A link that sits on the name of another and will be renamed steps aside first.
    std::map<std::string, std::string> aside;
    for (const Present& p : present_) {
      if (!p.now || p.link->name == p.name) continue;
      bool in_the_way = std::any_of(present_.begin(), present_.end(), [&](const Present& other) {
        return other.link != p.link && other.name == p.link->name;
      });
      if (!in_the_way) continue;
      aside[p.link->name] = "lbswap" + std::to_string(p.link->ifindex);
      steps_.push_back(RenameLink{p.link->name, aside[p.link->name]});
    }
    for (const Present& p : present_) {
      if (!p.now) {
        steps_.push_back(MoveLink{p.link->ifindex, p.link->name, p.name});
      } else if (p.link->name != p.name) {
        auto it = aside.find(p.link->name);
        steps_.push_back(RenameLink{it == aside.end() ? p.link->name : it->second, p.name});
      }
    }
  }

  void link_settings(const Present& p) {
    if (p.link->loopback && !p.link->up) steps_.push_back(SetUp{p.name});
    if (p.spec == nullptr) return;
    sysctls(wanted_sysctls(p.name));
    if (p.spec->advertisements == RouterAdvertisements::as_before)
      listen_to_routers(p.name);
    else
      sysctls(advertisement_sysctls(p.name, p.spec->advertisements));
    if (p.spec->mtu && *p.spec->mtu != p.link->mtu) steps_.push_back(SetMtu{p.name, *p.spec->mtu});
    if (!p.now || !p.link->up) steps_.push_back(SetUp{p.name});
  }

  std::vector<WantedAddress> wanted_addresses(const Present& p) const {
    std::vector<WantedAddress> out;
    if (p.spec != nullptr)
      for (const IpPrefix& prefix : p.spec->addresses)
        out.push_back({prefix, AddressKind::primary});
    for (const VipSpec& vip : want_.vips) {
      bool listed = std::any_of(out.begin(), out.end(), [&](const WantedAddress& a) {
        return a.prefix.address == vip.address;
      });
      if (vip.interface == p.name && vip.keeper == VipKeeper::us && !listed)
        out.push_back({IpPrefix{vip.address, vip.address.bits()}, AddressKind::vip});
    }
    return out;
  }

  std::vector<Address> addresses_of(const Present& p) const {
    std::vector<Address> out;
    std::copy_if(have_.addresses.begin(), have_.addresses.end(), std::back_inserter(out),
                 [&](const Address& a) { return p.now && a.ifindex == *p.now; });
    return out;
  }

  // What somebody else put there may have any prefix length if it is a VIP; and if it is IPv6,
  // which has an address once per link.
  static bool serves_as(const Address& have, const WantedAddress& want) {
    if (have.prefix.address != want.prefix.address) return false;
    const bool any_length =
        want.kind == AddressKind::vip || want.prefix.address.family() == base::Family::ipv6;
    return have.prefix.length == want.prefix.length || (have.owner == Owner::other && any_length);
  }

  void new_addresses(const Present& p) {
    const std::vector<Address> have = addresses_of(p);
    for (const WantedAddress& want : wanted_addresses(p)) {
      if (std::any_of(have.begin(), have.end(), [&](auto& a) { return serves_as(a, want); }))
        continue;
      for (const Address& a : have)
        if (a.owner == Owner::us && a.prefix.address == want.prefix.address)
          steps_.push_back(RemoveAddress{p.name, a.prefix});
      steps_.push_back(AddAddress{p.name, want.prefix, want.kind});
    }
  }

  void old_addresses(const Present& p) {
    const std::vector<WantedAddress> wanted = wanted_addresses(p);
    for (const Address& a : addresses_of(p)) {
      if (a.owner == Owner::other) continue;
      // One that is wanted with another length was dealt with when that one came.
      bool keep = std::any_of(wanted.begin(), wanted.end(), [&](const WantedAddress& want) {
        return want.prefix.address == a.prefix.address;
      });
      if (!keep && !want_.vips.contains({a.prefix.address, p.name, VipKeeper::keepalived}))
        steps_.push_back(RemoveAddress{p.name, a.prefix});
    }
  }

  std::string name_of(uint32_t ifindex) const {
    for (const Present& p : present_)
      if (p.now == ifindex) return p.name;
    return "if" + std::to_string(ifindex);
  }

  // Routes of links that are here or coming. Of several to one destination the first counts: a
  // table holds one.
  struct WantedRoute {
    const Present* on;
    const RouteSpec* spec;
  };
  void gather_routes() {
    for (const Present& p : present_) {
      if (p.spec == nullptr) continue;
      for (const RouteSpec& want : p.spec->routes)
        if (std::none_of(routes_.begin(), routes_.end(), [&](const WantedRoute& other) {
              return same_destination(*other.spec, want);
            }))
          routes_.push_back({&p, &want});
    }
  }

  bool is_wanted(const Route& route) const {
    return std::any_of(routes_.begin(), routes_.end(), [&](const WantedRoute& want) {
      return want.on->now && netns::serves_as(route, *want.on->now, *want.spec);
    });
  }

  void new_routes() {
    for (const WantedRoute& want : routes_) new_route(*want.on, *want.spec);
  }

  // The kernel makes the route to the subnet of an address when it gets the address.
  static bool comes_with_an_address(const Present& p, const RouteSpec& want) {
    if (want.gateway || want.prefsrc || want.table != kMainTable) return false;
    const auto& addresses = p.spec->addresses;
    return std::any_of(addresses.begin(), addresses.end(), [&](const IpPrefix& a) {
      return a.length < a.address.bits() && a.network() == want.destination.network();
    });
  }

  void new_route(const Present& p, const RouteSpec& want) {
    if (comes_with_an_address(p, want)) return;
    for (const Route& route : have_.routes)
      if (p.now && netns::serves_as(route, *p.now, want)) return;
    for (size_t i = 0; i < have_.routes.size(); ++i) {
      const Route& old = have_.routes[i];
      if (old.owner != Owner::us || !same_destination(old.spec, want) || is_wanted(old)) continue;
      if (!replaced_.insert(i).second) continue;
      steps_.push_back(ReplaceRoute{p.name, want, name_of(old.ifindex), old.spec});
      return;
    }
    steps_.push_back(AddRoute{p.name, want});
  }

  void old_routes() {
    for (size_t i = 0; i < have_.routes.size(); ++i) {
      const Route& route = have_.routes[i];
      if (route.owner == Owner::us && !replaced_.contains(i) && !is_wanted(route))
        steps_.push_back(RemoveRoute{name_of(route.ifindex), route.spec});
    }
  }

  void rules() {
    std::vector<RuleSpec> wanted;
    for (const InterfaceSpec& spec : want_.interfaces)
      for (const RuleSpec& rule : spec.rules)
        if (std::find(wanted.begin(), wanted.end(), rule) == wanted.end()) wanted.push_back(rule);
    for (const RuleSpec& rule : wanted) {
      if (std::none_of(have_.rules.begin(), have_.rules.end(),
                       [&](const Rule& have) { return have.spec == rule; }))
        steps_.push_back(AddRule{rule});
    }
    for (const Rule& have : have_.rules) {
      if (have.owner == Owner::us &&
          std::find(wanted.begin(), wanted.end(), have.spec) == wanted.end())
        steps_.push_back(RemoveRule{have.spec});
    }
  }

  void keep_resolved(std::set<NeighbourKey>& keys, uint32_t ifindex, const IpAddress& address) {
    auto it = have_.seen.links.find(ifindex);
    NeighbourKey key{ifindex, address};
    if (it == have_.seen.links.end() || it->second.loopback || !it->second.up) return;
    if (!have_.permanent.contains(key)) keys.insert(key);
  }

  void neighbours() {
    std::set<NeighbourKey> wanted;
    for (const auto& [target, hop] : have_.seen.hops)
      if (want_.next_hop_targets.contains(target))
        keep_resolved(wanted, hop.ifindex, hop.gateway.value_or(target));
    for (const Route& route : have_.routes)
      if (route.spec.gateway) keep_resolved(wanted, route.ifindex, *route.spec.gateway);
    for (const NeighbourKey& key : wanted)
      if (!have_.managed.contains(key))
        steps_.push_back(ManageNeighbour{name_of(key.ifindex), key});
    for (const NeighbourKey& key : have_.managed)
      if (!wanted.contains(key)) steps_.push_back(ReleaseNeighbour{name_of(key.ifindex), key});
  }

  const LayoutSpec& want_;
  const State& have_;
  std::vector<Present> present_;
  std::vector<WantedRoute> routes_;  // into present_
  std::set<size_t> replaced_;        // indexes of have_.routes that gave way
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> diff(const LayoutSpec& want, const State& have) {
  return Differ(want, have).run();
}

std::vector<std::string> missing(const LayoutSpec& want, const State& have) {
  std::vector<std::string> out;
  for (const InterfaceSpec& spec : want.interfaces)
    if (!find_link(have.seen.links, spec) && !find_link(have.outside, spec))
      out.push_back(spec.name);
  return out;
}

}  // namespace netns
