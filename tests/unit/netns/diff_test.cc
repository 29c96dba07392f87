// diff(): from a namespace as it is to the one wanted, every kind of step.
#include <gmock/gmock.h>

#include <algorithm>

#include "netns/layout.h"
#include "tests/unit/netns/fake_machine.h"

namespace netns_test {
namespace {

using netns::diff;
using netns::InterfaceSpec;
using netns::LayoutSpec;
using netns::Owner;
using netns::RouteSpec;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

constexpr char kMac1[] = "02:00:00:00:00:01";
constexpr char kMac2[] = "02:00:00:00:00:02";

InterfaceSpec eth1() {
  InterfaceSpec spec;
  spec.name = "eth1";
  spec.mac = mac(kMac1);
  spec.addresses = {prefix("192.0.2.5/24"), prefix("2001:db8:2::5/64")};
  return spec;
}

InterfaceSpec eth2() {
  InterfaceSpec spec;
  spec.name = "eth2";
  spec.mac = mac(kMac2);
  spec.addresses = {prefix("198.51.100.5/24")};
  return spec;
}

RouteSpec default_via(const char* gateway) {
  return {.destination =
              prefix(base::IpAddress::parse(gateway)->family() == base::Family::ipv4 ? "0.0.0.0/0"
                                                                                     : "::/0"),
          .gateway = ip(gateway)};
}

// eth1 and eth2 as wanted by `layout()`, already there.
class DiffTest : public testing::Test {
 protected:
  static LayoutSpec layout() { return {.interfaces = {eth1(), eth2()}}; }

  void SetUp() override {
    machine_.plug_outside(7, "ens7", kMac1);
    machine_.plug_outside(8, "ens8", kMac2);
    machine_.arrange(layout());
  }

  std::vector<std::string> steps_to(const LayoutSpec& want) {
    machine_.route_targets(want);
    std::vector<std::string> steps = describe(diff(want, machine_.state));
    machine_.arrange(want);
    return steps;
  }

  FakeMachine machine_;
};

TEST(FreshNamespace, EverythingInAnOrderThatWorks) {
  FakeMachine machine;
  machine.plug_outside(7, "ens7", kMac1);
  InterfaceSpec spec = eth1();
  spec.mtu = 1450;
  spec.routes = {default_via("192.0.2.1")};
  spec.rules = {{.source = prefix("192.0.2.10")}};
  std::vector<std::string> steps =
      describe(diff({.interfaces = {spec}, .vips = {{ip("192.0.2.10"), "eth1"}}}, machine.state));
  std::erase_if(steps, [](const std::string& s) { return s.starts_with("write "); });
  EXPECT_THAT(
      steps,
      ElementsAre("move ens7 into the namespace as eth1", "set the MTU of eth1 to 1450",
                  "set eth1 up", "set lo up", "add address 192.0.2.5/24 to eth1",
                  "add address 2001:db8:2::5/64 to eth1", "add address 192.0.2.10/32 to eth1",
                  "add route default via 192.0.2.1 dev eth1",
                  "add rule from 192.0.2.10/32 lookup 1 priority 100"));
}

TEST(FreshNamespace, DefaultsAreWrittenBeforeLinksTakeThemOver) {
  FakeMachine machine;
  machine.plug_outside(7, "ens7", kMac1);
  std::vector<std::string> steps = describe(diff({.interfaces = {eth1()}}, machine.state));
  auto at = [&](const std::string& step) {
    return std::find(steps.begin(), steps.end(), step) - steps.begin();
  };
  EXPECT_LT(at("write 2 to /proc/sys/net/ipv6/conf/default/accept_ra"),
            at("move ens7 into the namespace as eth1"));
  EXPECT_LT(at("write 1 to /proc/sys/net/ipv4/conf/eth1/accept_local"), at("set eth1 up"));
}

TEST(FreshNamespace, AKernelWithoutIpv6IsNotAskedForIt) {
  FakeMachine machine;
  std::erase_if(machine.state.sysctls,
                [](const auto& s) { return s.first.starts_with("net/ipv6/"); });
  EXPECT_THAT(describe(diff({}, machine.state)), Not(Contains(HasSubstr("ipv6"))));
}

TEST_F(DiffTest, NothingToDoWhenItIsSo) { EXPECT_THAT(steps_to(layout()), IsEmpty()); }

TEST_F(DiffTest, WhatIsNowhereIsMissingAndHasNoSteps) {
  LayoutSpec want = layout();
  want.interfaces.push_back({.name = "eth3", .addresses = {prefix("203.0.113.5/24")}});
  want.vips = {{ip("203.0.113.10"), "eth3"}};
  EXPECT_THAT(missing(want, machine_.state), ElementsAre("eth3"));
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, AMacIsFoundUnderAnyName) {
  machine_.state.seen.links[7].name = "ens7";
  EXPECT_THAT(steps_to(layout()), Contains("rename ens7 to eth1"));
}

TEST_F(DiffTest, OfSeveralWithTheMacTheNameDecides) {
  machine_.plug_inside(3, "bond-port", kMac1);
  EXPECT_THAT(steps_to(layout()), IsEmpty());
}

TEST_F(DiffTest, ANameIsEnoughWithoutAMac) {
  LayoutSpec want = layout();
  want.interfaces[0].mac.reset();
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, NamesAreSwappedByWayOfAThird) {
  std::swap(machine_.state.seen.links[7].name, machine_.state.seen.links[8].name);
  LayoutSpec want = layout();
  want.interfaces[0].addresses.clear();
  want.interfaces[1].addresses.clear();
  std::vector<std::string> steps = steps_to(want);
  EXPECT_THAT(steps, IsSupersetOf({"rename eth2 to lbswap7", "rename eth1 to lbswap8",
                                   "rename lbswap7 to eth1", "rename lbswap8 to eth2"}));
  EXPECT_EQ(machine_.state.seen.links[7].name, "eth1");
}

TEST_F(DiffTest, LinksThatAreDownGoUp) {
  machine_.state.seen.links[1].up = false;
  machine_.state.seen.links[7].up = false;
  EXPECT_THAT(steps_to(layout()), ElementsAre("set eth1 up", "set lo up"));
}

TEST_F(DiffTest, OnlySysctlsThatDiffer) {
  machine_.state.sysctls["net/ipv4/ip_forward"] = "0";
  machine_.state.sysctls["net/ipv6/conf/eth1/accept_ra"] = "0";  // somebody's wish
  EXPECT_THAT(steps_to(layout()), ElementsAre("write 1 to /proc/sys/net/ipv4/ip_forward"));
  LayoutSpec want = layout();
  want.local_port_max = 9999;
  EXPECT_THAT(steps_to(want),
              ElementsAre("write 61000 9999 to /proc/sys/net/ipv4/ip_local_port_range"));
}

TEST_F(DiffTest, VipsAreHostPrefixes) {
  LayoutSpec want = layout();
  want.vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}};
  EXPECT_THAT(steps_to(want), ElementsAre("add address 192.0.2.10/32 to eth1",
                                          "add address 2001:db8:2::10/128 to eth1"));
  want.vips = {{ip("192.0.2.10"), "eth2"}};
  EXPECT_THAT(steps_to(want), ElementsAre("add address 192.0.2.10/32 to eth2",
                                          "remove address 192.0.2.10/32 from eth1",
                                          "remove address 2001:db8:2::10/128 from eth1"));
}

TEST_F(DiffTest, AVipThatSomebodyElseBroughtIsThere) {
  machine_.state.addresses.push_back({7, prefix("192.0.2.10/24"), Owner::other});
  LayoutSpec want = layout();
  want.vips = {{ip("192.0.2.10"), "eth1"}};
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, AnIpv6AddressThatSomebodyElseBroughtIsThere) {
  for (netns::Address& a : machine_.state.addresses)
    if (a.prefix == prefix("2001:db8:2::5/64")) a = {7, prefix("2001:db8:2::5/128"), Owner::other};
  EXPECT_THAT(steps_to(layout()), IsEmpty());
}

// Whether keepalived has set it or not, and even if we did in an earlier life.
TEST_F(DiffTest, AVipOfKeepalivedIsNeitherAddedNorRemoved) {
  LayoutSpec want = layout();
  want.vips = {{ip("192.0.2.10"), "eth1", netns::VipKeeper::keepalived}};
  EXPECT_THAT(steps_to(want), IsEmpty());
  for (Owner owner : {Owner::other, Owner::us}) {
    machine_.state.addresses.push_back({7, prefix("192.0.2.10/32"), owner});
    EXPECT_THAT(steps_to(want), IsEmpty());
    machine_.state.addresses.pop_back();
  }
}

TEST_F(DiffTest, RoutersAreFollowedOrIgnoredByTheInterface) {
  LayoutSpec want = layout();
  want.interfaces[0].advertisements = netns::RouterAdvertisements::ignored;
  want.interfaces[1].advertisements = netns::RouterAdvertisements::followed;
  machine_.state.sysctls["net/ipv6/conf/eth2/autoconf"] = "0";
  EXPECT_THAT(steps_to(want), ElementsAre("write 0 to /proc/sys/net/ipv6/conf/eth1/accept_ra",
                                          "write 1 to /proc/sys/net/ipv6/conf/eth2/autoconf"));
  want.interfaces[1].advertisements = netns::RouterAdvertisements::as_before;
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, AVipMayBeTheAddressOfTheInterface) {
  LayoutSpec want = layout();
  want.vips = {{ip("192.0.2.5"), "eth1"}};
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, AnAddressThatChangesItsLengthIsTakenAwayFirst) {
  LayoutSpec want = layout();
  want.interfaces[0].addresses[1] = prefix("2001:db8:2::5/56");
  EXPECT_THAT(steps_to(want), ElementsAre("remove address 2001:db8:2::5/64 from eth1",
                                          "add address 2001:db8:2::5/56 to eth1"));
}

TEST_F(DiffTest, RoutesComeGoAndAreReplaced) {
  LayoutSpec want = layout();
  want.interfaces[0].routes = {
      default_via("192.0.2.1"),
      default_via("2001:db8:2::1"),
      {.destination = prefix("192.0.2.0/24"), .prefsrc = ip("192.0.2.10"), .table = 1}};
  EXPECT_THAT(steps_to(want),
              IsSupersetOf({"add route default via 192.0.2.1 dev eth1",
                            "add route ::/0 via 2001:db8:2::1 dev eth1",
                            "add route 192.0.2.0/24 dev eth1 src 192.0.2.10 table 1"}));
  std::swap(want.interfaces[0].routes, want.interfaces[1].routes);
  want.interfaces[1].routes = {default_via("198.51.100.1")};
  EXPECT_THAT(steps_to(want),
              IsSupersetOf({"replace route default via 192.0.2.1 dev eth1 by default via "
                            "198.51.100.1 dev eth2",
                            "remove route ::/0 via 2001:db8:2::1 dev eth1"}));
}

TEST_F(DiffTest, HostBitsOfADestinationDoNotMatter) {
  LayoutSpec want = layout();
  want.interfaces[0].routes = {
      {.destination = prefix("203.0.113.0/24"), .gateway = ip("192.0.2.1")}};
  machine_.arrange(want);
  want.interfaces[0].routes[0].destination = prefix("203.0.113.77/24");
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, TheKernelsRouteToItsSubnetWillDo) {
  machine_.state.routes.push_back(
      {7, {.destination = prefix("192.0.2.0/24"), .prefsrc = ip("192.0.2.5")}, Owner::other});
  LayoutSpec want = layout();
  want.interfaces[0].routes = {{.destination = prefix("192.0.2.0/24")}};
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, OfTwoRoutesToOneDestinationTheFirstCounts) {
  LayoutSpec want = layout();
  want.interfaces[0].routes = {default_via("192.0.2.1"), default_via("192.0.2.2")};
  want.interfaces[1].routes = {default_via("198.51.100.1")};
  EXPECT_THAT(steps_to(want), Contains("add route default via 192.0.2.1 dev eth1"));
  EXPECT_THAT(steps_to(want), IsEmpty());
  want.interfaces.erase(want.interfaces.begin());
  EXPECT_THAT(steps_to(want), Contains("replace route default via 192.0.2.1 dev eth1 by default "
                                       "via 198.51.100.1 dev eth2"));
}

TEST_F(DiffTest, TheRouteThatComesWithAnAddressIsNotAdded) {
  LayoutSpec want = layout();
  want.interfaces[0].routes = {
      {.destination = prefix("192.0.2.0/24")},
      {.destination = prefix("192.0.2.0/25")},
      {.destination = prefix("2001:db8:2::/64")},
      {.destination = prefix("192.0.2.0/24"), .prefsrc = ip("192.0.2.5"), .table = 1}};
  EXPECT_THAT(steps_to(want), ElementsAre("add route 192.0.2.0/25 dev eth1",
                                          "add route 192.0.2.0/24 dev eth1 src 192.0.2.5 table 1"));
}

// Octavia 11 took away the rules of the other interfaces here.
TEST_F(DiffTest, RulesOfAllInterfacesAreOneSet) {
  LayoutSpec want = layout();
  want.interfaces[0].rules = {{.source = prefix("192.0.2.10")}};
  want.interfaces[1].rules = {{.source = prefix("198.51.100.10"), .table = 2}};
  EXPECT_THAT(steps_to(want), ElementsAre("add rule from 192.0.2.10/32 lookup 1 priority 100",
                                          "add rule from 198.51.100.10/32 lookup 2 priority 100"));
  want.interfaces[0].rules.clear();
  EXPECT_THAT(steps_to(want), ElementsAre("remove rule from 192.0.2.10/32 lookup 1 priority 100"));
}

TEST_F(DiffTest, OnlyOursIsEverRemoved) {
  netns::State& state = machine_.state;
  state.addresses.push_back({7, prefix("192.0.2.77/32"), Owner::other});
  state.routes.push_back({7, default_via("192.0.2.9"), Owner::other});
  state.rules.push_back({{.source = prefix("192.0.2.77")}, Owner::other});
  machine_.arrange({});
  EXPECT_THAT(state.addresses,
              ElementsAre(netns::Address{7, prefix("192.0.2.77/32"), Owner::other}))
      << "only what is not ours is left";
  EXPECT_EQ(state.routes.size(), 1u);
  EXPECT_EQ(state.rules.size(), 1u);
}

TEST_F(DiffTest, NextHopsOfTargetsAreKeptResolved) {
  LayoutSpec want = layout();
  want.interfaces[0].routes = {default_via("192.0.2.1")};
  want.next_hop_targets = {ip("198.51.100.20"), ip("203.0.113.9"), ip("203.0.113.10")};
  machine_.arrange(want);
  EXPECT_EQ(machine_.state.managed,
            (std::set<netns::NeighbourKey>{{7, ip("192.0.2.1")}, {8, ip("198.51.100.20")}}));
  want.next_hop_targets.clear();
  EXPECT_THAT(steps_to(want), ElementsAre("release neighbour 198.51.100.20 on eth2"))
      << "clients are behind the gateway";
}

TEST_F(DiffTest, GatewaysOfAllRoutesAreKeptResolved) {
  LayoutSpec want = layout();
  RouteSpec route = default_via("192.0.2.7");
  route.destination = prefix("203.0.113.0/24");
  route.table = 1;
  want.interfaces[0].routes = {default_via("192.0.2.1"), route};
  machine_.arrange(want);
  EXPECT_EQ(machine_.state.managed,
            (std::set<netns::NeighbourKey>{{7, ip("192.0.2.1")}, {7, ip("192.0.2.7")}}));
}

TEST_F(DiffTest, AStaticNeighbourNeedsNoKeeping) {
  machine_.state.permanent = {{8, ip("198.51.100.20")}};
  LayoutSpec want = layout();
  want.next_hop_targets = {ip("198.51.100.20")};
  EXPECT_THAT(steps_to(want), IsEmpty());
}

TEST_F(DiffTest, NoNeighboursOnALinkThatIsDown) {
  LayoutSpec want = layout();
  want.next_hop_targets = {ip("198.51.100.20")};
  machine_.route_targets(want);
  machine_.state.seen.links[8].up = false;
  EXPECT_THAT(describe(diff(want, machine_.state)), ElementsAre("set eth2 up"));
}

// Between any two layouts, with a kill after any number of steps.
TEST(EveryPrefix, ANewDiffArrives) {
  LayoutSpec a{.interfaces = {eth1(), eth2()},
               .vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}},
               .next_hop_targets = {ip("198.51.100.20"), ip("203.0.113.9")}};
  a.interfaces[0].routes = {default_via("192.0.2.1"), default_via("2001:db8:2::1")};
  a.interfaces[0].rules = {{.source = prefix("192.0.2.10")}};
  LayoutSpec b{.interfaces = {eth2(), eth1()}, .vips = {{ip("198.51.100.10"), "eth2"}}};
  b.interfaces[0].routes = {default_via("198.51.100.1")};
  b.interfaces[0].mac = mac(kMac1);
  b.interfaces[1].mac = mac(kMac2);
  const LayoutSpec layouts[] = {{}, a, b};
  for (const LayoutSpec& from : layouts) {
    for (const LayoutSpec& to : layouts) {
      FakeMachine start;
      start.plug_outside(7, "ens7", kMac1);
      start.plug_outside(8, "ens8", kMac2);
      start.arrange(from);
      start.route_targets(to);
      const std::vector<netns::Step> steps = diff(to, start.state);
      for (size_t n = 0; n <= steps.size(); ++n) {
        FakeMachine machine = start;
        for (size_t i = 0; i < n; ++i) machine.apply(steps[i]);
        machine.arrange(to);
        EXPECT_THAT(describe(diff(to, machine.state)), IsEmpty()) << "after " << n;
      }
    }
  }
}

}  // namespace
}  // namespace netns_test
