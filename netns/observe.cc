// Network: reading the namespace.
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "netns/network.h"
#include "netns/records.h"
#include "netns/sysctl.h"

namespace netns {

namespace {

using base::IpAddress;
using base::IpPrefix;
using base::Result;
using base::Unit;

using Links = std::map<uint32_t, Link>;

Result<Unit> dump_links(Socket& socket, Links& links) {
  // Without counters: they are most of the answer.
  Message message(RTM_GETLINK, 0, ifinfomsg{});
  message.put(IFLA_EXT_MASK, uint32_t{RTEXT_FILTER_SKIP_STATS});
  return socket.dump(message, "read the links", [&](const nlmsghdr& m) {
    if (auto record = read_link(m)) links[record->link.ifindex] = std::move(record->link);
  });
}

bool is_vip(const std::set<VipSpec>& vips, const IpAddress& address) {
  return std::any_of(vips.begin(), vips.end(),
                     [&](const VipSpec& vip) { return vip.address == address; });
}

// Addresses of a subnet before host prefixes (which are what VIPs are, whoever brings them), VIPs
// of ours last.
int rank(const IpPrefix& prefix, const std::set<VipSpec>& vips) {
  if (is_vip(vips, prefix.address)) return 2;
  return prefix.length == prefix.address.bits() ? 1 : 0;
}

// What the kernel chose, unless that is a VIP: IPv6 prefers whatever has most bits in common with
// the destination. Else the best one that could have been chosen.
std::optional<IpAddress> source_for(const Hop& hop, const Link& link, const IpAddress& target,
                                    const std::set<VipSpec>& vips) {
  const IpAddress next = hop.gateway.value_or(target);
  auto chosen = std::find_if(link.addresses.begin(), link.addresses.end(),
                             [&](const IpPrefix& p) { return p.address == hop.source; });
  bool vip_like = chosen != link.addresses.end() && rank(*chosen, vips) > 0;
  if (hop.source && !vip_like && !is_vip(vips, *hop.source)) return hop.source;
  const IpPrefix* best = nullptr;
  auto order = [&](const IpPrefix& p) { return std::pair(rank(p, vips), !p.contains(next)); };
  for (const IpPrefix& p : link.addresses) {
    if (p.address.family() != target.family() || is_vip(vips, p.address)) continue;
    if (p.address.is_link_local() != target.is_link_local()) continue;
    if (best == nullptr || order(p) < order(*best)) best = &p;
  }
  if (best != nullptr) return best->address;
  return std::nullopt;
}

// In the order in which the kernel tells them.
size_t number_of(const State& state) {
  std::string text;
  const auto add = [&text](const auto&... words) { ((text += words, text += ' '), ...); };
  for (const Route& route : state.routes)
    add(std::to_string(route.ifindex), route.spec.destination.text(),
        route.spec.gateway ? route.spec.gateway->text() : "-", std::to_string(route.spec.table));
  for (const Rule& rule : state.rules)
    add(rule.spec.source.text(), std::to_string(rule.spec.table),
        std::to_string(rule.spec.priority));
  return std::hash<std::string>{}(text);
}

Message ask_for_route(const IpAddress& target) {
  rtmsg header{};
  header.rtm_family = address_family(target.family());
  header.rtm_dst_len = static_cast<uint8_t>(target.bits());
  Message message(RTM_GETROUTE, 0, header);
  message.put(RTA_DST, target);
  return message;
}

}  // namespace

Result<Network> Network::open(const Namespace& space) {
  Result<Socket> inside = Socket::open(space.fd());
  if (!inside) return std::move(inside).error();
  if (space.is_original()) return Network(space, *std::move(inside), std::nullopt);
  Result<Socket> outside = Socket::open(space.original_fd());
  if (!outside) return std::move(outside).error();
  return Network(space, *std::move(inside), *std::move(outside));
}

Result<Watch> Network::watch() const { return Watch::open(space_->fd(), Watch::Scope::everything); }

Result<std::optional<Watch>> Network::watch_outside() const {
  if (space_->is_original()) return std::optional<Watch>{};
  Result<Watch> watch = Watch::open(space_->original_fd(), Watch::Scope::links);
  if (!watch) return std::move(watch).error();
  return std::optional<Watch>(*std::move(watch));
}

Result<State> Network::observe(const LayoutSpec& want) {
  State state;
  auto done = observe_links(state);
  if (done) done = observe_addresses(state, want.vips);
  if (done) done = observe_routes(state);
  if (done) done = observe_neighbours(state);
  if (done) done = observe_hops(state, want);
  if (done) done = observe_sysctls(state, want);
  if (!done) return std::move(done).error();
  return state;
}

Result<Unit> Network::observe_links(State& state) {
  Result<Unit> read = dump_links(inside_, state.seen.links);
  if (read && outside_) read = dump_links(*outside_, state.outside);
  return read;
}

Result<Unit> Network::observe_addresses(State& state, const std::set<VipSpec>& vips) {
  std::vector<AddressRecord> records;
  Message message(RTM_GETADDR, 0, ifaddrmsg{});
  Result<Unit> read = inside_.dump(message, "read the addresses", [&](const nlmsghdr& m) {
    if (auto record = read_address(m)) records.push_back(*record);
  });
  if (!read) return read;
  for (const AddressRecord& record : records) state.addresses.push_back(record.address);
  // Primary first: IPv4 before IPv6, then by rank; else as the kernel has them.
  std::stable_sort(records.begin(), records.end(), [&](const auto& a, const auto& b) {
    auto key = [&](const AddressRecord& r) {
      const IpPrefix& prefix = r.address.prefix;
      return std::tuple(prefix.address.family(), prefix.address.is_link_local(), rank(prefix, vips),
                        !r.primary);
    };
    return key(a) < key(b);
  });
  for (const AddressRecord& record : records) {
    auto link = state.seen.links.find(record.address.ifindex);
    if (link != state.seen.links.end() && record.usable)
      link->second.addresses.push_back(record.address.prefix);
  }
  return Unit{};
}

Result<Unit> Network::observe_routes(State& state) {
  Message routes(RTM_GETROUTE, 0, rtmsg{});
  Result<Unit> read = inside_.dump(routes, "read the routes", [&](const nlmsghdr& m) {
    if (auto route = read_route(m)) state.routes.push_back(*route);
  });
  if (!read) return read;
  Message rules(RTM_GETRULE, 0, fib_rule_hdr{});
  read = inside_.dump(rules, "read the policy rules", [&](const nlmsghdr& m) {
    if (auto rule = read_rule(m)) state.rules.push_back(*rule);
  });
  state.seen.ways = number_of(state);
  return read;
}

Result<Unit> Network::observe_neighbours(State& state) {
  Message message(RTM_GETNEIGH, 0, ndmsg{});
  return inside_.dump(message, "read the neighbours", [&](const nlmsghdr& m) {
    auto record = read_neighbour(m);
    if (!record) return;
    if (record->mac) state.seen.neighbours[record->key] = *record->mac;
    if (record->managed)
      state.managed.insert(record->key);
    else if (record->permanent)
      state.permanent.insert(record->key);
  });
}

Result<Unit> Network::observe_hops(State& state, const LayoutSpec& want) {
  const std::vector<IpAddress> targets(want.next_hop_targets.begin(), want.next_hop_targets.end());
  return inside_.ask(
      targets.size(), "ask for the next hops", [&](size_t i) { return ask_for_route(targets[i]); },
      [&](size_t i, const nlmsghdr& m) {
        std::optional<Hop> hop = read_hop(m);
        auto link = hop ? state.seen.links.find(hop->ifindex) : state.seen.links.end();
        if (link == state.seen.links.end()) return;  // no route
        hop->source = source_for(*hop, link->second, targets[i], want.vips);
        auto neighbour =
            state.seen.neighbours.find({hop->ifindex, hop->gateway.value_or(targets[i])});
        if (neighbour != state.seen.neighbours.end()) hop->neighbour = neighbour->second;
        state.seen.hops[targets[i]] = *hop;
      });
}

Result<Unit> Network::observe_sysctls(State& state, const LayoutSpec& want) {
  std::set<std::string> keys = {accept_ra_key("default")};
  for (const auto& [key, value] : wanted_sysctls(want)) keys.insert(key);
  for (const InterfaceSpec& spec : want.interfaces) {
    keys.insert(accept_ra_key(spec.name));
    for (const auto& [key, value] : wanted_sysctls(spec.name)) keys.insert(key);
    for (const auto& [key, value] :
         advertisement_sysctls(spec.name, RouterAdvertisements::followed))
      keys.insert(key);
  }
  Result<Sysctls> values = run_in(space_->fd(), [&] { return read_sysctls(keys); });
  if (!values) return std::move(values).error();
  state.sysctls = *std::move(values);
  return Unit{};
}

}  // namespace netns
