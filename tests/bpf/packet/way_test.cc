// Ways that change under flows that exist.
#include <cstdlib>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Way : public Lab {
 protected:
  void TearDown() override {
    for (const char* family : {"-4", "-6"})
      EXPECT_EQ(route(std::string(family) + " route replace default via " +
                      (std::string(family) == "-4" ? "192.0.2.1" : "2001:db8:1::1")),
                0);
    Lab::TearDown();
  }
  static int route(const std::string& command) { return std::system(("ip " + command).c_str()); }
  // The link-layer address that an answer of the member leaves to.
  std::string answered_by(const Ends& inside) {
    const Outcome outcome = run(tcp(inside.to, inside.from), kEth1);
    EXPECT_EQ(outcome.verdict(), LB_ESTABLISHED) << outcome;
    base::MacAddress mac;
    std::copy_n(outcome.after.begin(), mac.bytes.size(), mac.bytes.begin());
    return mac.text();
  }
  static std::string mac(const char* address) { return mac_of(ip(address)).text(); }
};

TEST_F(Way, BackIsFoundAnewWhenRoutesHaveChanged) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const Ends inside = connect(kClient, kVip);
  const Ends other = connect(at("198.51.100.8", 40001), kVip);
  EXPECT_EQ(answered_by(inside), mac("192.0.2.1"));
  ASSERT_EQ(route("route replace default via 192.0.2.60"), 0);
  EXPECT_EQ(answered_by(inside), mac("192.0.2.1")) << "nobody has told it yet";
  ASSERT_TRUE(datapath().ask_again().ok());
  EXPECT_EQ(answered_by(inside), mac("192.0.2.60"));
  // Asked once: what it has found is its own now.
  ASSERT_EQ(route("route replace default via 192.0.2.1"), 0);
  EXPECT_EQ(answered_by(inside), mac("192.0.2.60"));
  EXPECT_EQ(answered_by(other), mac("192.0.2.1")) << "had not asked yet";
  EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, inside.to);
}

TEST_F(Way, BackIsFoundAnewIpv6) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  const Ends inside = connect(kClient6, kVip6);
  EXPECT_EQ(answered_by(inside), mac("2001:db8:1::1"));
  ASSERT_EQ(route("-6 route replace default via 2001:db8:1::50"), 0);
  ASSERT_TRUE(datapath().ask_again().ok());
  EXPECT_EQ(answered_by(inside), mac("2001:db8:1::50"));
}

TEST_F(Way, BackThatIsGoneIsTheKernels) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const Ends inside = connect(kClient, kVip);
  ASSERT_EQ(route("route del default"), 0);
  ASSERT_TRUE(datapath().ask_again().ok());
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(run(tcp(inside.to, inside.from), kEth1),
                HandsOver(LB_NEXTHOP_UNRESOLVED, tcp(kVip, kClient)));
  ASSERT_EQ(route("route add default via 192.0.2.1"), 0);
  EXPECT_EQ(answered_by(inside), mac("192.0.2.1"));
}

// A listener has another pool: what began with the old one goes on.
TEST_F(Way, ToAMemberThatIsPlannedNoMoreStays) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const Ends inside = connect(kClient, kVip);
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("192.0.2.50", 8080));
  EXPECT_THAT(run(tcp(kClient, kVip)), Continues(tcp(inside.from, inside.to)));
  EXPECT_EQ(forwarded(tcp(at("198.51.100.8", 40001), kVip).syn()).to.address, ip("192.0.2.50"));
}

// ---- interfaces that take nothing from others -------------------------------------------------

// tc sends by all of them.
testing::Matcher<const Outcome&> is_the_kernels_unless_on_tc(const Packet& packet) {
  if (is_on_tc()) return Forwards(packet);
  return HandsOver(LB_NEXTHOP_UNRESOLVED, packet);
}

TEST_F(Way, OfAnInterfaceWithoutAProgramIsTheKernels) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("198.18.0.50", 8080));
  const Packet inside = tcp({ip("198.18.0.10"), 40000}, at("198.18.0.50", 8080)).syn();
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), is_the_kernels_unless_on_tc(inside));
}

// A driver without ndo_xdp_xmit: what is redirected to it would be lost without a word.
TEST_F(Way, OfAnInterfaceThatTakesNoFramesIsTheKernelsUnlessItCameInThere) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const auto attach = [&](uint32_t closed) {
    const auto attached = datapath().attach({{"eth0", kEth0}, {"eth1", kEth1}},
                                            [closed](uint32_t index) { return index != closed; });
    EXPECT_TRUE(attached.ok());
  };
  attach(kEth1);
  const Packet inside = tcp({kOwn, 40000}, at("203.0.113.50", 8080)).syn();
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), is_the_kernels_unless_on_tc(inside));
  EXPECT_EQ(run(tcp(at("198.51.100.8", 40000), kVip).syn(), kEth1).verdict(), LB_NEW_FLOW);
  attach(0);
  EXPECT_EQ(run(tcp(kClient, kVip)).verdict(), LB_ESTABLISHED);
  // And back to a client.
  attach(kEth0);
  const base::Endpoint other = at("192.0.2.50", 40001);
  const Ends second = forwarded(tcp(other, kVip).syn());
  EXPECT_THAT(run(tcp(second.to, second.from).syn_ack(), kEth1),
              is_the_kernels_unless_on_tc(tcp(kVip, other).syn_ack()));
}

}  // namespace
}  // namespace test
