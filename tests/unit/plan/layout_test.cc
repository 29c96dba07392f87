// Where VIPs go, whose next hops are wanted, and what the datapath knows of neighbours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/plan/neighbours.h"
#include "agent/plan/plan.h"
#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using netns::VipSpec;
using test::ip;
using test::load_balancer;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST(Layout, IsWhatIsConfiguredAndTheVipsOnTheirLinks) {
  netns::LayoutSpec configured;
  configured.interfaces.push_back({"eth0", {}, 1500, {test::prefix("192.0.2.10/24")}, {}, {}});
  configured.local_port_max = 9999;
  auto lb = load_balancer("192.0.2.1").vip("203.0.113.1").vip("198.51.100.1").vip("2001:db8:2::1");
  lb.listener(tcp, 80).pool().member("203.0.113.7", 80).member("203.0.113.7", 81);
  const auto layout = make_plan(lb, {two_links().observed(), {}}, {}, {}, configured).layout;
  EXPECT_THAT(
      layout.vips,
      ElementsAre(VipSpec{ip("192.0.2.1"), "eth0"}, VipSpec{ip("198.51.100.1"), "lo"},
                  VipSpec{ip("203.0.113.1"), "eth1"}, VipSpec{ip("2001:db8:2::1"), "eth1"}));
  EXPECT_THAT(layout.next_hop_targets, ElementsAre(ip("203.0.113.7")));
  EXPECT_EQ(layout.interfaces, configured.interfaces);
  EXPECT_EQ(layout.local_port_max, 9999);
}

TEST(Layout, LongestPrefixDecides) {
  const auto net = test::Net().link(2, "wide", {"192.0.2.10/16"}).link(3, "near", {"192.0.2.9/24"});
  const auto layout =
      make_plan(load_balancer("192.0.2.1"), {net.observed(), {}}, {}, {}, {}).layout;
  EXPECT_THAT(layout.vips, ElementsAre(VipSpec{ip("192.0.2.1"), "near"}));
}

// What was put somewhere before does not hold it there once its own network appears.
TEST(Layout, TheVipItselfSaysNothing) {
  auto net = two_links();
  net.observed().links.at(1).addresses.push_back(test::prefix("192.0.2.1/32"));
  net.observed().links.at(3).addresses.push_back(test::prefix("192.0.2.1/32"));
  const auto layout =
      make_plan(load_balancer("192.0.2.1"), {net.observed(), {}}, {}, {}, {}).layout;
  EXPECT_THAT(layout.vips, ElementsAre(VipSpec{ip("192.0.2.1"), "eth0"}));
}

TEST(Layout, BeforeAnythingIsThereTheConfigurationSays) {
  netns::LayoutSpec configured;
  configured.interfaces.push_back({"vip0", {}, {}, {test::prefix("192.0.2.10/24")}, {}, {}});
  const auto layout =
      make_plan(load_balancer("192.0.2.1"), {netns::Observed{}, {}}, {}, {}, configured).layout;
  EXPECT_THAT(layout.vips, ElementsAre(VipSpec{ip("192.0.2.1"), "vip0"}));
}

TEST(Layout, VipsOfAPairAreKeepalivedsOnItsInterface) {
  netns::LayoutSpec configured;
  configured.pair_interface = "eth1";
  const auto layout =
      make_plan(load_balancer("192.0.2.1"), {two_links().observed(), {}}, {}, {}, configured)
          .layout;
  EXPECT_THAT(layout.vips,
              ElementsAre(VipSpec{ip("192.0.2.1"), "eth1", netns::VipKeeper::keepalived}));
}

TEST(Layout, WhatGoesWithTheVipsOfAPairIsOnItsNetworksInterface) {
  netns::LayoutSpec configured;
  configured.pair_interface = "eth0";
  configured.floating = {ip("203.0.113.9"), ip("2001:db8:2::9")};
  const auto planned = [&](const model::Model& model) {
    return make_plan(model, {two_links().observed(), {}}, {}, {}, configured).layout.vips;
  };
  constexpr auto kKeepalived = netns::VipKeeper::keepalived;
  EXPECT_THAT(planned(load_balancer("192.0.2.1")),
              UnorderedElementsAre(VipSpec{ip("192.0.2.1"), "eth0", kKeepalived},
                                   VipSpec{ip("203.0.113.9"), "eth1", kKeepalived},
                                   VipSpec{ip("2001:db8:2::9"), "eth1", kKeepalived}));
  EXPECT_THAT(planned({}), testing::IsEmpty()) << "there is nothing to go along with";
}

TEST(Neighbours, AreThoseThatAFrameCanBeSentTo) {
  auto net = two_links();
  auto& seen = net.observed().neighbours;
  seen[{2, ip("192.0.2.254")}] = test::mac_of(ip("192.0.2.254"));
  seen[{3, ip("2001:db8:2::1")}] = test::mac_of(ip("2001:db8:2::1"));
  seen[{2, ip("192.0.2.7")}] = base::MacAddress{};
  seen[{1, ip("127.0.0.1")}] = test::mac_of(ip("127.0.0.1"));
  seen[{9, ip("192.0.2.8")}] = test::mac_of(ip("192.0.2.8"));
  auto hops = neighbours(net.observed());
  ASSERT_EQ(hops.size(), 2u);
  const lb_nexthop four = hops.at({datapath::to_abi(ip("192.0.2.254")), 2, LB_IPV4});
  EXPECT_EQ(four.flags, LB_NEXTHOP_RESOLVED);
  EXPECT_EQ(four.ifindex, 2u);
  EXPECT_EQ(four.mtu, 1500);
  EXPECT_TRUE(hops.contains({datapath::to_abi(ip("2001:db8:2::1")), 3, LB_IPV6}));
  net.observed().links.at(3).up = false;
  EXPECT_EQ(neighbours(net.observed()).size(), 1u);
}

}  // namespace
}  // namespace plan
