// Links, addresses, routes, rules and sysctls (the topology is in lab.h).
#include <gmock/gmock.h>

#include "tests/net/netns/lab.h"

namespace netns_test {
namespace {

using netns::AddAddress;
using netns::LayoutSpec;
using netns::Network;
using netns::RouteSpec;
using netns::RuleSpec;
using netns::Step;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class NetworkTest : public Lab {};

TEST_F(NetworkTest, BringsAnInterfaceInByMacUnderItsName) {
  plug_ens7();
  open();
  arrange({.interfaces = {eth1()}});
  EXPECT_THAT(sh("ip -n lb -br addr"),
              AllOf(HasSubstr("eth1"), HasSubstr("192.0.2.5/24"), HasSubstr("2001:db8:2::5/64")));
  EXPECT_THAT(sh("ip -br link"), Not(HasSubstr("ens7")));
  EXPECT_THAT(sh("ip -n lb link show lo"), HasSubstr("LOOPBACK,UP"));
}

TEST_F(NetworkTest, BringsAnInterfaceInByName) {
  plug_ens7();
  open();
  netns::InterfaceSpec spec = eth1();
  spec.mac.reset();
  spec.name = "ens7";
  arrange({.interfaces = {spec}});
  EXPECT_THAT(sh("ip -n lb -br addr show ens7"), HasSubstr("192.0.2.5/24"));
}

TEST_F(NetworkTest, SwapsNamesInsideTheNamespace) {
  plug_ens7();
  plug_ens8();
  open();
  arrange({.interfaces = {eth1(), eth2()}});
  netns::InterfaceSpec one = eth1(), two = eth2();
  std::swap(one.mac, two.mac);
  arrange({.interfaces = {one, two}});
  EXPECT_THAT(sh("ip -n lb link show eth1"), HasSubstr(kMac8));
  EXPECT_THAT(sh("ip -n lb link show eth2"), HasSubstr(kMac7));
}

TEST_F(NetworkTest, SetsTheMtu) {
  plug_ens7();
  open();
  netns::InterfaceSpec spec = eth1();
  spec.mtu = 1450;
  auto arranged = arrange({.interfaces = {spec}});
  EXPECT_EQ(find(arranged.state, "eth1")->mtu, 1450);
}

TEST_F(NetworkTest, AnInterfaceThatIsNowhereIsReportedAndComesLater) {
  plug_ens7();
  open();
  LayoutSpec want{.interfaces = {eth1(), eth2()}};
  EXPECT_THAT(arrange(want).missing, ElementsAre("eth2"));
  plug_ens8();
  EXPECT_THAT(arrange(want).missing, IsEmpty());
  EXPECT_THAT(sh("ip -n lb -br addr show eth2"), HasSubstr("198.51.100.5/24"));
}

// As an amphora has it: section 8.4 of Octavia's interface files.
TEST_F(NetworkTest, InstallsDefaultRoutesPolicyRulesAndTables) {
  plug_ens7();
  open();
  netns::InterfaceSpec spec = eth1();
  for (const char* text : {"0.0.0.0/0", "::/0"}) {
    const bool v4 = prefix(text).address.family() == base::Family::ipv4;
    const base::IpAddress gateway = ip(v4 ? "203.0.113.1" : "2001:db8:99::1");
    const base::IpAddress vip = ip(v4 ? "192.0.2.10" : "2001:db8:2::10");
    spec.routes.push_back({.destination = prefix(text), .gateway = gateway, .onlink = true});
    spec.routes.push_back(
        {.destination = prefix(text), .gateway = gateway, .table = 1, .onlink = true});
    spec.routes.push_back({.destination = prefix(v4 ? "192.0.2.0/24" : "2001:db8:2::/64"),
                           .prefsrc = vip,
                           .table = 1});
    spec.rules.push_back({.source = base::IpPrefix{vip, vip.bits()}});
  }
  arrange(
      {.interfaces = {spec}, .vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}}});
  EXPECT_THAT(sh("ip -n lb route"), HasSubstr("default via 203.0.113.1 dev eth1 proto 88 onlink"));
  EXPECT_THAT(sh("ip -n lb route show table 1"),
              AllOf(HasSubstr("default via 203.0.113.1"),
                    HasSubstr("192.0.2.0/24 dev eth1 proto 88 scope link src 192.0.2.10")));
  EXPECT_THAT(sh("ip -n lb rule"), HasSubstr("100:	from 192.0.2.10 lookup 1 proto 88"));
  EXPECT_THAT(sh("ip -n lb -6 route"), HasSubstr("default via 2001:db8:99::1 dev eth1 proto 88"));
  EXPECT_THAT(sh("ip -n lb -6 route show table 1"), HasSubstr("src 2001:db8:2::10"));
  EXPECT_THAT(sh("ip -n lb -6 rule"), HasSubstr("100:	from 2001:db8:2::10 lookup 1 proto 88"));
}

TEST_F(NetworkTest, ARouteIsReplacedAndThenRemoved) {
  plug_ens7();
  plug_ens8();
  open();
  LayoutSpec want{.interfaces = {eth1(), eth2()}};
  want.interfaces[0].routes = {{.destination = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.1")},
                               {.destination = prefix("::/0"), .gateway = ip("2001:db8:2::1")}};
  arrange(want);
  want.interfaces[0].routes.clear();
  want.interfaces[1].routes = {{.destination = prefix("0.0.0.0/0"), .gateway = ip("198.51.100.1")},
                               {.destination = prefix("::/0"), .gateway = ip("2001:db8:5::1")}};
  arrange(want);
  EXPECT_THAT(sh("ip -n lb route show default; ip -n lb -6 route show default"),
              AllOf(HasSubstr("198.51.100.1 dev eth2"), HasSubstr("2001:db8:5::1 dev eth2"),
                    Not(HasSubstr("eth1"))));
  want.interfaces[1].routes.clear();
  arrange(want);
  EXPECT_THAT(sh("ip -n lb route show default; ip -n lb -6 route show default"), IsEmpty());
}

TEST_F(NetworkTest, WritesTheSysctls) {
  plug_ens7();
  open();
  arrange({.interfaces = {eth1()}, .local_port_min = 2000, .local_port_max = 9999});
  auto value = [](const std::string& key) { return sh("ip netns exec lb sysctl -n " + key); };
  for (const char* on :
       {"net.ipv4.ip_forward", "net.ipv4.conf.all.accept_local", "net.ipv4.conf.eth1.accept_local",
        "net.ipv6.conf.all.forwarding", "net.ipv6.conf.eth1.forwarding",
        "net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind"})
    EXPECT_EQ(value(on), "1\n") << on;
  for (const char* off : {"net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth1.rp_filter"})
    EXPECT_EQ(value(off), "0\n") << off;
  EXPECT_EQ(value("net.ipv6.conf.eth1.accept_ra"), "2\n");
  EXPECT_EQ(value("net.ipv4.ip_local_port_range"), "2000\t9999\n");
  EXPECT_EQ(sh("sysctl -n net.ipv4.ip_local_port_range"), "32768\t60999\n");
}

TEST_F(NetworkTest, ASysctlThatCannotBeWrittenIsNamed) {
  open();
  auto refused = network_->apply(netns::SetSysctl{"net/ipv4/ip_local_port_range", "9 1"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("write 9 1 to /proc/sys/net/ipv4/ip_local_port_range"));
}

TEST_F(NetworkTest, VipsComeAndGo) {
  plug_ens7();
  open();
  LayoutSpec want{.interfaces = {eth1()},
                  .vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}}};
  auto arranged = arrange(want);
  EXPECT_THAT(sh("ip -n lb addr show eth1"),
              AllOf(HasSubstr("192.0.2.10/32"), HasSubstr("2001:db8:2::10/128")));
  // Usable at once, and not what IPv6 chooses for connections of its own.
  EXPECT_THAT(sh("ip -n lb -6 addr show eth1 to 2001:db8:2::10"),
              AllOf(HasSubstr("deprecated"), Not(HasSubstr("tentative"))));
  want.vips.clear();
  arrange(want);
  EXPECT_THAT(sh("ip -n lb addr show eth1"),
              AllOf(Not(HasSubstr("192.0.2.10")), Not(HasSubstr("2001:db8:2::10")),
                    HasSubstr("192.0.2.5/24"), HasSubstr("2001:db8:2::5/64")));
}

TEST_F(NetworkTest, TheNextAgentKnowsWhatTheLastOneMade) {
  plug_ens7();
  open();
  LayoutSpec want{.interfaces = {eth1()}, .vips = {{ip("192.0.2.10"), "eth1"}}};
  want.interfaces[0].rules = {{.source = prefix("192.0.2.10")}};
  want.interfaces[0].routes = {
      {.destination = prefix("203.0.113.0/24"), .gateway = ip("192.0.2.1")}};
  arrange(want);
  network_.reset();
  space_.reset();
  open();
  arrange({.interfaces = {eth1()}});
  EXPECT_THAT(sh("ip -n lb addr; ip -n lb route; ip -n lb rule"),
              AllOf(Not(HasSubstr("192.0.2.10")), Not(HasSubstr("203.0.113.0"))));
}

TEST_F(NetworkTest, LeavesAloneWhatOthersMade) {
  plug_ens7();
  open();
  arrange({.interfaces = {eth1()}});
  sh("ip -n lb addr add 192.0.2.77/32 dev eth1");
  sh("ip -n lb route add 203.0.113.0/24 via 192.0.2.1 proto 18");
  sh("ip -n lb rule add from 192.0.2.77 lookup 1 priority 100 proto 18");
  arrange({.interfaces = {eth1()}});
  LayoutSpec nothing;
  for (const Step& step : netns::diff(nothing, observe(nothing)))
    ASSERT_TRUE(network_->apply(step)) << describe(step);
  EXPECT_THAT(sh("ip -n lb addr; ip -n lb route; ip -n lb rule"),
              AllOf(HasSubstr("192.0.2.77/32"), Not(HasSubstr("192.0.2.5/24")),
                    HasSubstr("from 192.0.2.77 lookup 1")));
}

TEST_F(NetworkTest, ArrivesFromWhateverWasDoneBeforeItWasKilled) {
  plug_ens7();
  plug_ens8();
  open();
  LayoutSpec want{.interfaces = {eth1(), eth2()}, .vips = {{ip("192.0.2.10"), "eth1"}}};
  want.interfaces[0].routes = {{.destination = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.1")}};
  // One more step of the first diff each time, and then a fresh start.
  const size_t steps = netns::diff(want, observe(want)).size();
  ASSERT_GT(steps, 10u);
  for (size_t n = 0; n <= steps; n += 3) {
    std::vector<Step> first = netns::diff(want, observe(want));
    for (size_t i = 0; i < std::min(n, first.size()); ++i)
      EXPECT_TRUE(network_->apply(first[i])) << describe(first[i]);
    network_.reset();
    space_.reset();
    open();
    arrange(want);
    ASSERT_TRUE(network_->withdraw());
    network_.reset();
    ASSERT_TRUE(space_->remove());
    space_.reset();
    EXPECT_THAT(sh("ip -br link"), AllOf(HasSubstr("ens7"), HasSubstr("ens8")));
    open();
  }
}

TEST_F(NetworkTest, WithdrawGivesLinksBackUnderTheNamesTheyHad) {
  plug_ens7();
  open();
  LayoutSpec want{.interfaces = {eth1()}, .vips = {{ip("192.0.2.10"), "eth1"}}};
  want.interfaces[0].rules = {{.source = prefix("192.0.2.10")}};
  arrange(want);
  auto withdrawn = network_->withdraw();
  EXPECT_TRUE(withdrawn) << withdrawn.error().message();
  EXPECT_THAT(sh("ip link show ens7"), Not(HasSubstr("alias")));
  EXPECT_THAT(sh("ip -n lb rule"), Not(HasSubstr("192.0.2.10")));
  EXPECT_THAT(sh("ip -n lb -br link"), Not(HasSubstr("eth1")));
}

TEST_F(NetworkTest, WorksInTheOriginalNamespaceToo) {
  plug_ens7();
  auto space = netns::Namespace::open("");
  ASSERT_TRUE(space);
  space_.emplace(*std::move(space));
  network_.emplace(*netns::Network::open(*space_));
  netns::InterfaceSpec spec = eth1();
  spec.name = "ens7";
  arrange({.interfaces = {spec}, .vips = {{ip("192.0.2.10"), "ens7"}}});
  EXPECT_THAT(sh("ip addr show ens7"), HasSubstr("192.0.2.10/32"));
  ASSERT_TRUE(network_->withdraw());
  EXPECT_THAT(sh("ip addr show ens7"), AllOf(Not(HasSubstr("192.0.2.10")), HasSubstr("UP")));
}

TEST_F(NetworkTest, ErrorsNameTheStepAndTheReason) {
  open();
  auto refused =
      network_->apply(AddAddress{"eth9", prefix("192.0.2.10/32"), netns::AddressKind::vip});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "add address 192.0.2.10/32 to eth9: No such device");
}

TEST_F(NetworkTest, AStepThatFailsDoesNotStopTheOthers) {
  plug_ens7();
  open();
  netns::InterfaceSpec spec = eth1();
  spec.routes = {{.destination = prefix("203.0.113.0/24"), .gateway = ip("198.51.100.99")}};
  auto arranged = network_->arrange({.interfaces = {spec}, .vips = {{ip("192.0.2.10"), "eth1"}}});
  ASSERT_TRUE(arranged);
  ASSERT_EQ(arranged->errors.size(), 1u);
  EXPECT_THAT(arranged->errors[0].message(),
              HasSubstr("add route 203.0.113.0/24 via 198.51.100.99 dev eth1"));
  EXPECT_THAT(sh("ip -n lb addr show eth1"), HasSubstr("192.0.2.10/32"));
}

}  // namespace
}  // namespace netns_test
