// Network: changing the namespace.
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "netns/network.h"
#include "netns/records.h"
#include "netns/sysctl.h"

namespace netns {

namespace {

using base::Error;
using base::Family;
using base::IpPrefix;
using base::Result;
using base::Unit;

constexpr int kCreate = NLM_F_CREATE | NLM_F_EXCL;

// What the step wanted is already so.
Result<Unit> unless(int code, Result<Unit> result) {
  if (!result && result.error().code == code) return Unit{};
  return result;
}

Message link_message(int ifindex, unsigned flags, unsigned change) {
  ifinfomsg header{};
  header.ifi_index = ifindex;
  header.ifi_flags = flags;
  header.ifi_change = change;
  return Message(RTM_NEWLINK, 0, header);
}

Message address_message(uint16_t type, int flags, int ifindex, const IpPrefix& prefix) {
  ifaddrmsg header{};
  header.ifa_family = address_family(prefix.address.family());
  header.ifa_prefixlen = static_cast<uint8_t>(prefix.length);
  header.ifa_index = static_cast<uint32_t>(ifindex);
  Message message(type, flags, header);
  message.put(IFA_LOCAL, prefix.address).put(IFA_ADDRESS, prefix.address);
  return message;
}

Message route_message(uint16_t type, int flags, int ifindex, const RouteSpec& route) {
  const IpPrefix destination = route.destination.network();
  const Family family = destination.address.family();
  rtmsg header{};
  header.rtm_family = address_family(family);
  header.rtm_dst_len = static_cast<uint8_t>(destination.length);
  header.rtm_table =
      route.table < 256 ? static_cast<uint8_t>(route.table) : uint8_t{RT_TABLE_COMPAT};
  header.rtm_protocol = kProtocol;
  header.rtm_type = RTN_UNICAST;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  if (family == Family::ipv4 && !route.gateway) header.rtm_scope = RT_SCOPE_LINK;
  if (type == RTM_DELROUTE) header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  if (route.onlink && route.gateway) header.rtm_flags = RTNH_F_ONLINK;
  Message message(type, flags, header);
  message.put(RTA_TABLE, route.table).put(RTA_OIF, static_cast<uint32_t>(ifindex));
  if (destination.length > 0) message.put(RTA_DST, destination.address);
  if (route.prefsrc) message.put(RTA_PREFSRC, *route.prefsrc);
  if (route.gateway && route.gateway->family() == family) {
    message.put(RTA_GATEWAY, *route.gateway);
  } else if (route.gateway) {
    std::array<std::byte, sizeof(uint16_t) + 16> via{};
    const uint16_t af = address_family(route.gateway->family());
    std::memcpy(via.data(), &af, sizeof(af));
    std::memcpy(via.data() + sizeof(af), route.gateway->bytes(), route.gateway->size());
    message.put(RTA_VIA, std::span(via).first(sizeof(af) + route.gateway->size()));
  }
  return message;
}

Message rule_message(uint16_t type, int flags, const RuleSpec& rule) {
  const IpPrefix source = rule.source.network();
  fib_rule_hdr header{};
  header.family = address_family(source.address.family());
  header.src_len = static_cast<uint8_t>(source.length);
  header.table = rule.table < 256 ? static_cast<uint8_t>(rule.table) : uint8_t{RT_TABLE_COMPAT};
  header.action = FR_ACT_TO_TBL;
  Message message(type, flags, header);
  if (source.length > 0) message.put(FRA_SRC, source.address);
  message.put(FRA_TABLE, rule.table).put(FRA_PRIORITY, rule.priority).put(FRA_PROTOCOL, kProtocol);
  return message;
}

Message neighbour_message(const NeighbourKey& key, uint8_t flags, uint32_t more_flags) {
  ndmsg header{};
  header.ndm_family = address_family(key.address.family());
  header.ndm_ifindex = static_cast<int>(key.ifindex);
  header.ndm_flags = flags;
  Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, header);
  message.put(NDA_DST, key.address).put(NDA_FLAGS_EXT, more_flags).put(NDA_PROTOCOL, kProtocol);
  return message;
}

}  // namespace

struct Apply {
  Network& network;
  const std::string what;

  Result<Unit> send(Message message) { return network.inside_.request(message, what); }

  // Names change while steps are carried out: asked for each time.
  Result<int> index_of(const std::string& name) {
    std::optional<uint32_t> found;
    Message message(RTM_GETLINK, 0, ifinfomsg{});
    message.put(IFLA_IFNAME, name);
    Result<Unit> asked = network.inside_.ask(
        1, what, [&](size_t) { return std::move(message); },
        [&](size_t, const nlmsghdr& m) {
          if (auto record = read_link(m)) found = record->link.ifindex;
        });
    if (!asked) return std::move(asked).error();
    if (!found) return Error{ENODEV, what};
    return static_cast<int>(*found);
  }

  // `make` gets the index of the link.
  template <class F>
  Result<Unit> on_link(const std::string& link, F make) {
    Result<int> ifindex = index_of(link);
    if (!ifindex) return std::move(ifindex).error();
    return send(make(*ifindex));
  }

  Result<Unit> operator()(const MoveLink& s) {
    if (!network.outside_) return Error{ENODEV, what};
    Message message = link_message(static_cast<int>(s.ifindex), 0, 0);
    message.put(IFLA_NET_NS_FD, static_cast<uint32_t>(network.space_->fd()))
        .put(IFLA_IFNAME, s.to)
        .put(IFLA_IFALIAS, kAliasPrefix + s.from);
    return network.outside_->request(message, what);
  }

  Result<Unit> operator()(const RenameLink& s) {
    Result<int> ifindex = index_of(s.from);
    if (!ifindex) return std::move(ifindex).error();
    auto rename = [&] {
      Message message = link_message(*ifindex, 0, 0);
      message.put(IFLA_IFNAME, s.to);
      return send(std::move(message));
    };
    Result<Unit> renamed = rename();
    if (renamed || renamed.error().code != EBUSY) return renamed;
    // Kernels before 6.2 rename only what is down. The diff that follows sets it up again.
    Result<Unit> down = send(link_message(*ifindex, 0, IFF_UP));
    return down ? rename() : down;
  }

  Result<Unit> operator()(const SetMtu& s) {
    return on_link(s.link, [&](int ifindex) {
      Message message = link_message(ifindex, 0, 0);
      message.put(IFLA_MTU, static_cast<uint32_t>(s.mtu));
      return message;
    });
  }

  Result<Unit> operator()(const SetUp& s) {
    return on_link(s.link, [&](int ifindex) { return link_message(ifindex, IFF_UP, IFF_UP); });
  }

  Result<Unit> operator()(const SetSysctl& s) {
    auto written = run_in(network.space_->fd(), [&] { return write_sysctl(s.key, s.value); });
    if (!written && !network.space_->name().empty())
      return Error{written.error().code,
                   written.error().what + " in network namespace " + network.space_->name()};
    return written;
  }

  Result<Unit> operator()(const AddAddress& s) {
    return unless(EEXIST, on_link(s.link, [&](int ifindex) {
                    Message message = address_message(RTM_NEWADDR, kCreate, ifindex, s.prefix);
                    message.put(IFA_PROTO, kProtocol);
                    if (s.kind == AddressKind::vip && s.prefix.address.family() == Family::ipv6)
                      mark_vip(message);
                    return message;
                  }));
  }

  // Nobody else has it, so nothing waits for duplicates to show up; and deprecated, so that IPv6
  // does not choose an address that may move away as the source of our own connections.
  static void mark_vip(Message& message) {
    constexpr uint32_t kForever = ~uint32_t{0};
    const ifa_cacheinfo lifetime{
        .ifa_prefered = 0, .ifa_valid = kForever, .cstamp = 0, .tstamp = 0};
    message.put(IFA_FLAGS, uint32_t{IFA_F_NODAD})
        .put(IFA_CACHEINFO, std::as_bytes(std::span(&lifetime, 1)));
  }

  Result<Unit> operator()(const RemoveAddress& s) {
    return unless(EADDRNOTAVAIL, on_link(s.link, [&](int ifindex) {
                    return address_message(RTM_DELADDR, 0, ifindex, s.prefix);
                  }));
  }

  Result<Unit> operator()(const AddRoute& s) {
    return on_link(s.link, [&](int ifindex) {
      return route_message(RTM_NEWROUTE, kCreate, ifindex, s.route);
    });
  }

  Result<Unit> operator()(const ReplaceRoute& s) {
    return on_link(s.link, [&](int ifindex) {
      return route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, ifindex, s.route);
    });
  }

  Result<Unit> operator()(const RemoveRoute& s) {
    return unless(ESRCH, on_link(s.link, [&](int ifindex) {
                    return route_message(RTM_DELROUTE, 0, ifindex, s.route);
                  }));
  }

  Result<Unit> operator()(const AddRule& s) {
    return unless(EEXIST, send(rule_message(RTM_NEWRULE, kCreate, s.rule)));
  }

  Result<Unit> operator()(const RemoveRule& s) {
    return unless(ENOENT, send(rule_message(RTM_DELRULE, 0, s.rule)));
  }

  // "Learned elsewhere" keeps it out of garbage collection and its limits.
  Result<Unit> operator()(const ManageNeighbour& s) {
    return send(neighbour_message(s.key, NTF_EXT_LEARNED, NTF_EXT_MANAGED));
  }

  // The entry stays for as long as the kernel has a use for it.
  Result<Unit> operator()(const ReleaseNeighbour& s) {
    return send(neighbour_message(s.key, NTF_USE, 0));
  }
};

Result<Unit> Network::apply(const Step& step) {
  return std::visit(Apply{*this, describe(step)}, step);
}

Result<Network::Arranged> Network::arrange(const LayoutSpec& want) {
  // Links, then addresses and routes on them, then the neighbours they lead to, and once more for a
  // change in between.
  constexpr int kRounds = 5;
  Arranged out;
  std::set<std::string> failed;
  for (int round = 0;; ++round) {
    Result<State> state = observe(want);
    if (!state) return std::move(state).error();
    out.state = *std::move(state);
    const std::vector<Step> steps = diff(want, out.state);
    const bool stuck = std::all_of(steps.begin(), steps.end(),
                                   [&](const Step& s) { return failed.contains(describe(s)); });
    if (stuck || round == kRounds) break;
    out.errors.clear();
    failed.clear();
    for (const Step& step : steps) {
      Result<Unit> applied = apply(step);
      if (applied) {
        out.done.push_back(describe(step));
      } else {
        failed.insert(describe(step));
        out.errors.push_back(std::move(applied).error());
      }
    }
  }
  out.missing = netns::missing(want, out.state);
  return out;
}

Result<Unit> Network::withdraw() {
  const LayoutSpec nothing;
  Result<State> state = observe(nothing);
  if (!state) return std::move(state).error();
  std::optional<Error> failure;
  auto note = [&](Result<Unit> outcome) {
    if (!outcome && !failure) failure = std::move(outcome).error();
  };
  for (const Step& step : diff(nothing, *state)) {
    if (std::holds_alternative<RemoveAddress>(step) || std::holds_alternative<RemoveRoute>(step) ||
        std::holds_alternative<RemoveRule>(step))
      note(apply(step));
  }
  // Gateways of routes that stay are wanted by any layout.
  for (const NeighbourKey& key : state->managed)
    note(apply(ReleaseNeighbour{"if" + std::to_string(key.ifindex), key}));
  note(give_back_links());
  if (failure) return *std::move(failure);
  return Unit{};
}

Result<Unit> Network::give_back_links() {
  if (!outside_) return Unit{};
  std::vector<LinkRecord> records;
  Message dump(RTM_GETLINK, 0, ifinfomsg{});
  Result<Unit> outcome = inside_.dump(dump, "read the links", [&](const nlmsghdr& m) {
    if (auto record = read_link(m)) records.push_back(*std::move(record));
  });
  for (const LinkRecord& record : records) {
    if (!record.alias.starts_with(kAliasPrefix)) continue;
    const std::string name = record.alias.substr(std::strlen(kAliasPrefix));
    Message message = link_message(static_cast<int>(record.link.ifindex), 0, 0);
    message.put(IFLA_NET_NS_FD, static_cast<uint32_t>(space_->original_fd()))
        .put(IFLA_IFNAME, name)
        .put(IFLA_IFALIAS, std::string());
    Result<Unit> moved = inside_.request(message, "give back " + record.link.name + " as " + name);
    if (!moved) outcome = std::move(moved);
  }
  return outcome;
}

}  // namespace netns
