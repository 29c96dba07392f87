#include "netns/records.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <array>

#include "netns/netlink.h"

namespace netns {

namespace {

using base::Family;
using base::IpAddress;
using base::IpPrefix;

// Of linux/if.h, which does not go together with net/if.h.
constexpr unsigned kLowerUp = 1u << 16;

constexpr int kValid =
    NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

Owner owner_of(uint8_t protocol) { return protocol == kProtocol ? Owner::us : Owner::other; }

IpAddress unspecified(Family family) {
  constexpr std::array<uint8_t, 16> kZero{};
  return IpAddress::from_bytes(family, kZero.data());
}

// Same family, or another one in an RTA_VIA (an IPv4 route by way of an IPv6 router).
std::optional<IpAddress> gateway_in(const Attributes& attributes, Family family) {
  if (attributes.has(RTA_GATEWAY)) return attributes.address(RTA_GATEWAY, family);
  std::span<const uint8_t> via = attributes.bytes(RTA_VIA);
  uint16_t af = 0;
  if (via.size() < sizeof(af)) return std::nullopt;
  std::memcpy(&af, via.data(), sizeof(af));
  std::optional<Family> via_family = family_of(static_cast<uint8_t>(af));
  via = via.subspan(sizeof(af));
  if (!via_family || via.size() != unspecified(*via_family).size()) return std::nullopt;
  return IpAddress::from_bytes(*via_family, via.data());
}

template <class Header>
bool is(const nlmsghdr& message, uint16_t type) {
  return message.nlmsg_type == type && fits<Header>(message);
}

}  // namespace

std::optional<LinkRecord> read_link(const nlmsghdr& message) {
  if (!is<ifinfomsg>(message, RTM_NEWLINK)) return std::nullopt;
  const auto& header = header_of<ifinfomsg>(message);
  if (header.ifi_family != AF_UNSPEC) return std::nullopt;  // a bridge's view of its port
  Attributes attributes(message, sizeof(header));
  LinkRecord out;
  out.link.ifindex = static_cast<uint32_t>(header.ifi_index);
  out.link.name = attributes.text(IFLA_IFNAME).value_or("");
  out.link.mac = attributes.mac(IFLA_ADDRESS).value_or(base::MacAddress{});
  out.link.mtu = static_cast<int>(attributes.u32(IFLA_MTU).value_or(0));
  out.link.up = header.ifi_flags & IFF_UP;
  out.link.carrier = header.ifi_flags & kLowerUp;
  out.link.loopback = header.ifi_flags & IFF_LOOPBACK;
  // Others say what they are on, too: a veth, what its other end is.
  if (Attributes(attributes.bytes(IFLA_LINKINFO)).text(IFLA_INFO_KIND) == "vlan")
    out.link.trunk = attributes.has(IFLA_LINK_NETNSID) ? 0 : attributes.u32(IFLA_LINK).value_or(0);
  out.alias = attributes.text(IFLA_IFALIAS).value_or("");
  return out;
}

std::optional<AddressRecord> read_address(const nlmsghdr& message) {
  if (!is<ifaddrmsg>(message, RTM_NEWADDR)) return std::nullopt;
  const auto& header = header_of<ifaddrmsg>(message);
  std::optional<Family> family = family_of(header.ifa_family);
  if (!family) return std::nullopt;
  Attributes attributes(message, sizeof(header));
  // IFA_ADDRESS is the peer's on a point-to-point link; IPv6 may leave out IFA_LOCAL.
  std::optional<IpAddress> address = attributes.address(IFA_LOCAL, *family);
  if (!address) address = attributes.address(IFA_ADDRESS, *family);
  if (!address) return std::nullopt;
  const uint32_t flags = attributes.u32(IFA_FLAGS).value_or(header.ifa_flags);
  AddressRecord out;
  out.address = {header.ifa_index, IpPrefix{*address, header.ifa_prefixlen},
                 owner_of(attributes.u8(IFA_PROTO).value_or(0))};
  // IFA_F_SECONDARY and IFA_F_TEMPORARY are the same bit.
  const bool secondary = flags & IFA_F_SECONDARY;
  out.primary = !secondary;
  out.usable =
      !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) && !(*family == Family::ipv6 && secondary);
  return out;
}

std::optional<Route> read_route(const nlmsghdr& message) {
  if (!is<rtmsg>(message, RTM_NEWROUTE)) return std::nullopt;
  const auto& header = header_of<rtmsg>(message);
  std::optional<Family> family = family_of(header.rtm_family);
  if (!family || header.rtm_type != RTN_UNICAST || (header.rtm_flags & RTM_F_CLONED))
    return std::nullopt;
  Attributes attributes(message, sizeof(header));
  Route out;
  out.ifindex = attributes.u32(RTA_OIF).value_or(0);  // none: multipath, which is never ours
  out.spec.destination = {attributes.address(RTA_DST, *family).value_or(unspecified(*family)),
                          header.rtm_dst_len};
  out.spec.gateway = gateway_in(attributes, *family);
  out.spec.prefsrc = attributes.address(RTA_PREFSRC, *family);
  out.spec.table = attributes.u32(RTA_TABLE).value_or(header.rtm_table);
  out.owner = owner_of(header.rtm_protocol);
  if (out.spec.table == RT_TABLE_LOCAL) return std::nullopt;
  return out;
}

std::optional<Rule> read_rule(const nlmsghdr& message) {
  if (!is<fib_rule_hdr>(message, RTM_NEWRULE)) return std::nullopt;
  const auto& header = header_of<fib_rule_hdr>(message);
  std::optional<Family> family = family_of(header.family);
  if (!family || header.action != FR_ACT_TO_TBL) return std::nullopt;
  Attributes attributes(message, sizeof(header));
  if (header.dst_len != 0 || header.tos != 0) return std::nullopt;
  for (int selector : {FRA_IIFNAME, FRA_OIFNAME, FRA_FWMARK, FRA_IP_PROTO, FRA_SPORT_RANGE,
                       FRA_DPORT_RANGE, FRA_UID_RANGE, FRA_TUN_ID})
    if (attributes.has(selector)) return std::nullopt;
  Rule out;
  out.spec.source = {attributes.address(FRA_SRC, *family).value_or(unspecified(*family)),
                     header.src_len};
  out.spec.table = attributes.u32(FRA_TABLE).value_or(header.table);
  out.spec.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  out.owner = owner_of(attributes.u8(FRA_PROTOCOL).value_or(0));
  return out;
}

std::optional<NeighbourRecord> read_neighbour(const nlmsghdr& message) {
  if (!is<ndmsg>(message, RTM_NEWNEIGH) && !is<ndmsg>(message, RTM_DELNEIGH)) return std::nullopt;
  const auto& header = header_of<ndmsg>(message);
  std::optional<Family> family = family_of(header.ndm_family);
  if (!family || (header.ndm_flags & NTF_PROXY)) return std::nullopt;
  Attributes attributes(message, sizeof(header));
  std::optional<IpAddress> address = attributes.address(NDA_DST, *family);
  if (!address || address->is_multicast()) return std::nullopt;
  NeighbourRecord out;
  out.key = {static_cast<uint32_t>(header.ndm_ifindex), *address};
  if (message.nlmsg_type == RTM_DELNEIGH) return out;
  // An entry without ARP is a broadcast or a link without addresses: no header to be had from it.
  if ((header.ndm_state & kValid) && !(header.ndm_state & NUD_NOARP))
    out.mac = attributes.mac(NDA_LLADDR);
  out.permanent = header.ndm_state & NUD_PERMANENT;
  out.managed = (attributes.u32(NDA_FLAGS_EXT).value_or(0) & NTF_EXT_MANAGED) &&
                owner_of(attributes.u8(NDA_PROTOCOL).value_or(0)) == Owner::us;
  return out;
}

std::optional<Hop> read_hop(const nlmsghdr& message) {
  if (!is<rtmsg>(message, RTM_NEWROUTE)) return std::nullopt;
  const auto& header = header_of<rtmsg>(message);
  std::optional<Family> family = family_of(header.rtm_family);
  if (!family || header.rtm_type != RTN_UNICAST) return std::nullopt;
  Attributes attributes(message, sizeof(header));
  std::optional<uint32_t> ifindex = attributes.u32(RTA_OIF);
  if (!ifindex) return std::nullopt;
  Hop out;
  out.ifindex = *ifindex;
  out.gateway = gateway_in(attributes, *family);
  out.source = attributes.address(RTA_PREFSRC, *family);
  return out;
}

}  // namespace netns
