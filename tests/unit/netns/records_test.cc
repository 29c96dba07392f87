// Messages of the kernel as values, the odd ones among them.
#include "netns/records.h"

#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "netns/netlink.h"
#include "tests/unit/netns/fake_machine.h"

namespace netns_test {
namespace {

using netns::Message;
using netns::Owner;

ndmsg neighbour_header(int state) {
  ndmsg header{};
  header.ndm_family = AF_INET;
  header.ndm_ifindex = 2;
  header.ndm_state = static_cast<uint16_t>(state);
  return header;
}

Message neighbour(uint16_t type, int state, const char* address) {
  Message message(type, 0, neighbour_header(state));
  const base::MacAddress lladdr = mac("02:00:00:00:00:01");
  message.put(NDA_DST, ip(address)).put(NDA_LLADDR, std::as_bytes(std::span(lladdr.bytes)));
  return message;
}

std::optional<netns::NeighbourRecord> read(const Message& message) {
  return netns::read_neighbour(*message.header());
}

// What `ip link add NAME link eth0 type KIND` makes.
Message upon(uint32_t lower, const char* kind) {
  ifinfomsg header{};
  header.ifi_index = 7;
  Message message(RTM_NEWLINK, 0, header);
  // IFLA_INFO_KIND, and its header
  std::vector<uint8_t> info(4 + std::strlen(kind) + 1);
  info[0] = static_cast<uint8_t>(info.size());
  info[2] = IFLA_INFO_KIND;
  std::copy_n(kind, std::strlen(kind), info.begin() + 4);
  message.put(IFLA_LINK, lower).put(IFLA_LINKINFO, std::as_bytes(std::span(info)));
  return message;
}

TEST(Records, AVlanSaysWhatItIsOn) {
  EXPECT_EQ(netns::read_link(*upon(3, "vlan").header())->link.trunk, 3u);
  EXPECT_EQ(netns::read_link(*upon(3, "macvlan").header())->link.trunk, std::nullopt);
  EXPECT_EQ(netns::read_link(*upon(3, "veth").header())->link.trunk, std::nullopt);
  Message of_another = upon(3, "vlan");
  of_another.put(IFLA_LINK_NETNSID, uint32_t{0});
  EXPECT_EQ(netns::read_link(*of_another.header())->link.trunk, 0u) << "not the third one here";
}

TEST(Records, ANeighbourIsUsableWhileItsStateIsValid) {
  for (int state : {NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT})
    EXPECT_EQ(read(neighbour(RTM_NEWNEIGH, state, "192.0.2.1"))->mac, mac("02:00:00:00:00:01"));
  for (int state : {NUD_INCOMPLETE, NUD_FAILED, NUD_NONE, NUD_NOARP})
    EXPECT_EQ(read(neighbour(RTM_NEWNEIGH, state, "192.0.2.1"))->mac, std::nullopt);
  EXPECT_EQ(read(neighbour(RTM_DELNEIGH, NUD_REACHABLE, "192.0.2.1"))->mac, std::nullopt);
}

TEST(Records, MulticastIsNobodysNeighbour) {
  EXPECT_FALSE(read(neighbour(RTM_NEWNEIGH, NUD_NOARP, "224.0.0.22")));
}

TEST(Records, AManagedNeighbourIsOursByItsProtocol) {
  Message theirs = neighbour(RTM_NEWNEIGH, NUD_REACHABLE, "192.0.2.1");
  theirs.put(NDA_FLAGS_EXT, uint32_t{NTF_EXT_MANAGED});
  EXPECT_FALSE(read(theirs)->managed);
  theirs.put(NDA_PROTOCOL, netns::kProtocol);
  EXPECT_TRUE(read(theirs)->managed);
}

TEST(Records, AnAddressThatIsTentativeIsNotUsable) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET6;
  header.ifa_prefixlen = 64;
  header.ifa_index = 2;
  Message message(RTM_NEWADDR, 0, header);
  message.put(IFA_ADDRESS, ip("2001:db8::1")).put(IFA_FLAGS, uint32_t{IFA_F_TENTATIVE});
  auto record = netns::read_address(*message.header());
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->usable);
  EXPECT_EQ(record->address, (netns::Address{2, prefix("2001:db8::1/64"), Owner::other}));
}

TEST(Records, AnIpv4RouteMayGoByAnIpv6Router) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_type = RTN_UNICAST;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = netns::kProtocol;
  Message message(RTM_NEWROUTE, 0, header);
  std::array<uint8_t, 18> via{AF_INET6, 0, 0x20, 0x01, 0x0d, 0xb8};
  via.back() = 1;
  message.put(RTA_OIF, uint32_t{2}).put(RTA_VIA, std::as_bytes(std::span(via)));
  auto route = netns::read_route(*message.header());
  ASSERT_TRUE(route);
  EXPECT_EQ(route->spec.gateway, ip("2001:db8::1"));
  EXPECT_EQ(route->spec.destination, prefix("0.0.0.0/0"));
  EXPECT_EQ(route->owner, Owner::us);
}

TEST(Records, RoutesThatAreNotForForwardingAreLeftOut) {
  for (uint8_t type : {RTN_LOCAL, RTN_BROADCAST, RTN_BLACKHOLE}) {
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_type = type;
    EXPECT_FALSE(netns::read_route(*Message(RTM_NEWROUTE, 0, header).header()));
  }
}

TEST(Records, ARuleWithMoreThanASourceIsNoneOfOurs) {
  fib_rule_hdr header{};
  header.family = AF_INET;
  header.src_len = 32;
  header.action = FR_ACT_TO_TBL;
  Message message(RTM_NEWRULE, 0, header);
  message.put(FRA_SRC, ip("192.0.2.10")).put(FRA_TABLE, uint32_t{1});
  EXPECT_TRUE(netns::read_rule(*message.header()));
  message.put(FRA_OIFNAME, std::string("eth1"));
  EXPECT_FALSE(netns::read_rule(*message.header()));
}

// Bytes that end in the middle of anything are read as far as they go and no further.
TEST(Records, TruncatedMessagesAreHarmless) {
  Message whole = neighbour(RTM_NEWNEIGH, NUD_REACHABLE, "192.0.2.1");
  for (uint32_t length = 0; length < whole.header()->nlmsg_len; ++length) {
    std::vector<uint8_t> bytes(length);
    std::memcpy(bytes.data(), whole.header(), length);
    if (length >= sizeof(nlmsghdr)) {
      std::memcpy(bytes.data(), &length, sizeof(length));
      netns::for_each_message(bytes, [](const nlmsghdr& m) { netns::read_neighbour(m); });
    } else {
      netns::for_each_message(bytes, [](const nlmsghdr&) { FAIL(); });
    }
  }
}

}  // namespace
}  // namespace netns_test
