// Which way packets go, and neighbours that stay resolved (the topology is in lab.h).
#include <gmock/gmock.h>

#include <cstdio>
#include <ctime>

#include "tests/net/netns/lab.h"

namespace netns_test {
namespace {

using netns::Hop;
using netns::LayoutSpec;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class NextHopTest : public Lab {
 protected:
  // Both interfaces, a VIP of each family on eth1, and its policy rule, whose table leads nowhere.
  static LayoutSpec layout() {
    LayoutSpec want{.interfaces = {eth1(), eth2()},
                    .vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}}};
    want.interfaces[0].routes = {
        {.destination = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.1")},
        {.destination = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.254"), .table = 1},
        {.destination = prefix("::/0"), .gateway = ip("2001:db8:2::1")}};
    want.interfaces[0].rules = {{.source = prefix("192.0.2.10")}};
    return want;
  }

  // Waits for addresses to be usable.
  void settle(const LayoutSpec& want) {
    arrange(want);
    ASSERT_TRUE(eventually([&] {
      const netns::State state = observe(want);
      auto usable = [&](const char* link, const char* address) {
        const auto& have = find(state, link)->addresses;
        return std::find(have.begin(), have.end(), prefix(address)) != have.end();
      };
      return usable("eth1", "2001:db8:2::5/64") && usable("eth2", "2001:db8:5::5/64");
    }));
  }

  std::map<base::IpAddress, Hop> hops(LayoutSpec want, const char* target) {
    want.next_hop_targets = {ip(target)};
    return observe(want).seen.hops;
  }
  Hop hop(const LayoutSpec& want, const char* target) {
    auto all = hops(want, target);
    EXPECT_EQ(all.size(), 1u) << target;
    return all[ip(target)];
  }

  void SetUp() override {
    Lab::SetUp();
    if (IsSkipped()) return;
    plug_ens7();
    plug_ens8();
    open();
    settle(layout());
  }
};

TEST_F(NextHopTest, OnLinkAndByGatewayInBothFamilies) {
  const LayoutSpec want = layout();
  const uint32_t one = find(observe(want), "eth1")->ifindex;
  const uint32_t two = find(observe(want), "eth2")->ifindex;

  EXPECT_EQ(hop(want, "198.51.100.77"), (Hop{two, {}, ip("198.51.100.5"), {}}));
  EXPECT_EQ(hop(want, "2001:db8:5::77"), (Hop{two, {}, ip("2001:db8:5::5"), {}}));
  Hop far = hop(want, "203.0.113.9");
  EXPECT_EQ(far.ifindex, one);
  EXPECT_EQ(far.gateway, ip("192.0.2.1"));
  EXPECT_EQ(far.source, ip("192.0.2.5"));
  far = hop(want, "2001:db8:77::9");
  EXPECT_EQ(far.ifindex, one);
  EXPECT_EQ(far.gateway, ip("2001:db8:2::1"));
  EXPECT_EQ(far.source, ip("2001:db8:2::5"));
}

// IPv6 would choose the VIP: it shares more bits with these.
TEST_F(NextHopTest, TheSourceIsNeverAVip) {
  EXPECT_EQ(hop(layout(), "192.0.2.11").source, ip("192.0.2.5"));
  EXPECT_EQ(hop(layout(), "2001:db8:2::11").source, ip("2001:db8:2::5"));
  sh("ip -n lb route add 203.0.113.0/24 dev eth1 src 192.0.2.10");
  EXPECT_EQ(hop(layout(), "203.0.113.9").source, ip("192.0.2.5"));
}

TEST_F(NextHopTest, TheSourceIsNeverAVipThatSomebodyElseBrought) {
  sh("ip -n lb addr add 2001:db8:2::20/128 dev eth1 nodad");
  EXPECT_EQ(hop(layout(), "2001:db8:2::21").source, ip("2001:db8:2::5"));
}

TEST_F(NextHopTest, ARouteCanNameTheSource) {
  sh("ip -n lb addr add 192.0.2.6/24 dev eth1");
  sh("ip -n lb route add 203.0.113.0/24 via 192.0.2.1 src 192.0.2.6");
  EXPECT_EQ(hop(layout(), "203.0.113.9").source, ip("192.0.2.6"));
}

TEST_F(NextHopTest, NoRouteNoHop) {
  LayoutSpec want = layout();
  want.interfaces[0].routes.clear();
  arrange(want);
  EXPECT_TRUE(hops(want, "203.0.113.9").empty());
  EXPECT_TRUE(hops(want, "2001:db8:77::9").empty());
  EXPECT_TRUE(hops(want, "192.0.2.5").empty());  // ourselves
}

TEST_F(NextHopTest, NeighboursAreResolvedWithoutTraffic) {
  LayoutSpec want = layout();
  want.next_hop_targets = {ip("198.51.100.1"), ip("2001:db8:5::1"), ip("203.0.113.9"),
                           ip("2001:db8:77::9")};
  arrange(want);
  EXPECT_TRUE(eventually([&] {
    auto seen = observe(want).seen.hops;
    return seen[ip("198.51.100.1")].neighbour == mac(kPeerMac8) &&
           seen[ip("2001:db8:5::1")].neighbour == mac(kPeerMac8) &&
           seen[ip("203.0.113.9")].neighbour == mac(kPeerMac7) &&
           seen[ip("2001:db8:77::9")].neighbour == mac(kPeerMac7);
  })) << sh("ip -n lb neigh");
  EXPECT_THAT(sh("ip -n lb neigh show 198.51.100.1"),
              AllOf(HasSubstr("managed"), HasSubstr("extern_learn"), HasSubstr("proto 88")));
  // The gateway of the VIP's own table, though no target is behind it.
  EXPECT_THAT(sh("ip -n lb neigh show 192.0.2.254"), HasSubstr("managed"));
}

TEST_F(NextHopTest, NeighboursAreKeptAgainAfterALinkWasDown) {
  LayoutSpec want = layout();
  want.next_hop_targets = {ip("198.51.100.1")};
  auto resolved = [&] {
    arrange(want);
    return observe(want).seen.hops[ip("198.51.100.1")].neighbour == mac(kPeerMac8);
  };
  EXPECT_TRUE(eventually(resolved));
  sh("ip -n lb link set eth2 down");
  EXPECT_EQ(sh("ip -n lb neigh show 198.51.100.1"), "");
  EXPECT_TRUE(eventually(resolved));
  EXPECT_THAT(sh("ip -n lb neigh show 198.51.100.1"), HasSubstr("managed"));
}

TEST_F(NextHopTest, NeighboursAreReleased) {
  LayoutSpec want = layout();
  want.next_hop_targets = {ip("198.51.100.1"), ip("2001:db8:5::1")};
  arrange(want);
  EXPECT_TRUE(eventually(
      [&] { return observe(want).seen.hops[ip("198.51.100.1")].neighbour.has_value(); }));
  want.next_hop_targets.clear();
  arrange(want);
  EXPECT_THAT(sh("ip -n lb neigh show dev eth2"),
              AllOf(HasSubstr(kPeerMac8), Not(HasSubstr("managed"))));
}

TEST_F(NextHopTest, StaticNeighboursStayAsTheyAre) {
  sh("ip -n lb neigh replace 198.51.100.9 lladdr 02:00:00:00:00:99 dev eth2 nud permanent");
  LayoutSpec want = layout();
  want.next_hop_targets = {ip("198.51.100.9")};
  auto arranged = arrange(want);
  EXPECT_EQ(arranged.state.seen.hops[ip("198.51.100.9")].neighbour, mac("02:00:00:00:00:99"));
  EXPECT_THAT(sh("ip -n lb neigh show 198.51.100.9"),
              AllOf(HasSubstr("PERMANENT"), Not(HasSubstr("managed"))));
}

// More than the kernel's neighbour table takes by default (gc_thresh3 is 1024).
TEST_F(NextHopTest, TenThousandTargets) {
  LayoutSpec want = layout();
  for (uint32_t i = 0; i < 10000; ++i)
    want.next_hop_targets.insert(base::IpAddress::v4(0xcb007100u + (i << 12)));
  // The kernel's part too: it answers while the request is sent.
  auto cpu_ms = [] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
  };
  const double start = cpu_ms();
  const netns::State state = observe(want);
  std::printf("observed with 10000 targets in %.1f ms of CPU\n", cpu_ms() - start);
  EXPECT_GT(state.seen.hops.size(), 9900u);
}

TEST_F(NextHopTest, TwoThousandManagedNeighbours) {
  LayoutSpec want = layout();
  sh("ip -n lb route add 203.0.113.0/24 dev eth2; ip -n lb route add 10.0.0.0/16 dev eth2");
  for (uint32_t i = 1; i <= 2000; ++i)
    want.next_hop_targets.insert(base::IpAddress::v4(0x0a000000u + i));
  arrange(want);
  want.next_hop_targets.clear();
  arrange(want);
}

}  // namespace
}  // namespace netns_test
