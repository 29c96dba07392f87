#include "netns/announce.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.h"
#include "netns/frame.h"
#include "netns/namespace.h"

namespace netns {

namespace {

using base::Error;
using base::Family;
using base::IpAddress;
using base::MacAddress;
using base::Result;
using base::Unit;

constexpr int kTimes = 3;
constexpr std::chrono::seconds kApart{1};

constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
constexpr MacAddress kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
constexpr std::array<uint8_t, 16> kAllNodes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

std::vector<uint8_t> gratuitous_arp(const Announcement& a) {
  Frame frame;
  frame.mac(kBroadcast).mac(a.mac).u16(ETHERTYPE_ARP);
  frame.u16(1).u16(ETHERTYPE_IP).u8(ETH_ALEN).u8(4).u16(1);  // Ethernet, IPv4, request
  frame.mac(a.mac).ip(a.address).mac(kBroadcast).ip(a.address);
  return frame.take();
}

// RFC 4861, 4.4. The checksum is a field of it and covers a pseudo header.
std::vector<uint8_t> advertisement(const Announcement& a, unsigned checksum) {
  constexpr uint32_t kRouterAndOverride = 0xa0000000;
  constexpr unsigned kTargetLinkLayerAddress = 2;
  Frame frame;
  frame.u8(136).u8(0).u16(checksum).u32(kRouterAndOverride).ip(a.address);
  frame.u8(kTargetLinkLayerAddress).u8(1).mac(a.mac);
  return frame.take();
}

std::vector<uint8_t> unsolicited_advertisement(const Announcement& a) {
  const std::vector<uint8_t> unsummed = advertisement(a, 0);
  Frame pseudo;
  pseudo.ip(a.address).raw(kAllNodes).u32(static_cast<uint32_t>(unsummed.size()));
  pseudo.u32(IPPROTO_ICMPV6).raw(unsummed);
  const std::vector<uint8_t> icmp = advertisement(a, internet_checksum(pseudo.take()));
  Frame frame;
  frame.mac(kAllNodesMac).mac(a.mac).u16(ETHERTYPE_IPV6);
  frame.u32(uint32_t{6} << 28).u16(static_cast<unsigned>(icmp.size()));
  frame.u8(IPPROTO_ICMPV6).u8(255).ip(a.address).raw(kAllNodes).raw(icmp);
  return frame.take();
}

Result<Unit> send_frame(int socket, const Announcement& a) {
  const std::vector<uint8_t> frame = announcement_frame(a);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(a.ifindex);
  if (::sendto(socket, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&to),
               sizeof(to)) < 0)
    return Error{errno, "announce " + a.address.text() + " on if" + std::to_string(a.ifindex)};
  return Unit{};
}

}  // namespace

std::set<Announcement> announcements(const LayoutSpec& want, const Observed& observed) {
  std::set<std::pair<std::string, IpAddress>> ours;
  for (const InterfaceSpec& spec : want.interfaces)
    for (const base::IpPrefix& prefix : spec.addresses) ours.insert({spec.name, prefix.address});
  for (const VipSpec& vip : want.vips)
    if (vip.keeper == VipKeeper::us) ours.insert({vip.interface, vip.address});
  std::set<Announcement> out;
  for (const auto& [ifindex, link] : observed.links) {
    if (link.loopback || !link.up || !link.carrier) continue;
    for (const base::IpPrefix& prefix : link.addresses)
      if (ours.contains({link.name, prefix.address}))
        out.insert({ifindex, link.mac, prefix.address});
  }
  return out;
}

std::vector<uint8_t> announcement_frame(const Announcement& announcement) {
  return announcement.address.family() == Family::ipv4 ? gratuitous_arp(announcement)
                                                       : unsolicited_advertisement(announcement);
}

Result<Unit> announce(int namespace_fd, std::span<const Announcement> what) {
  if (what.empty()) return Unit{};
  return run_in(namespace_fd, [what]() -> Result<Unit> {
    // Protocol 0: it sends and hears nothing.
    base::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return Error{errno, "open a packet socket"};
    Result<Unit> outcome = Unit{};
    for (const Announcement& a : what)
      if (auto sent = send_frame(socket.get(), a); !sent && outcome) outcome = sent;
    return outcome;
  });
}

void Announcer::update(const std::set<Announcement>& there, Time now) {
  std::erase_if(known_, [&](const auto& known) { return !there.contains(known.first); });
  for (const Announcement& a : there) known_.try_emplace(a, Pending{kTimes, now});
}

void Announcer::again(Time now) {
  for (auto& [announcement, pending] : known_)
    if (pending.left == 0) pending = {1, now};
}

std::vector<Announcement> Announcer::take_due(Time now) {
  std::vector<Announcement> out;
  for (auto& [announcement, pending] : known_) {
    if (pending.left == 0 || pending.next > now) continue;
    out.push_back(announcement);
    --pending.left;
    pending.next = now + kApart;
  }
  return out;
}

std::optional<Announcer::Time> Announcer::next() const {
  std::optional<Time> first;
  for (const auto& [announcement, pending] : known_)
    if (pending.left > 0 && (!first || pending.next < *first)) first = pending.next;
  return first;
}

}  // namespace netns
