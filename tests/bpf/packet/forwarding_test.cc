// Both ways of a flow, through both kinds of path.
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Forwarding : public Lab {};

TEST_F(Forwarding, SynGoesToTheOnlyMember) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  EXPECT_THAT(run(tcp(kClient, kVip).syn()),
              Opens(tcp({kOwn, 40000}, at("203.0.113.50", 8080)).syn()));
}

TEST_F(Forwarding, MemberOnTheLinkOfTheVipSeesTheVip) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("192.0.2.50", 8080));
  EXPECT_THAT(run(tcp(kClient, kVip).syn()),
              Opens(tcp({kVip.address, 40000}, at("192.0.2.50", 8080)).syn()));
}

TEST_F(Forwarding, Ipv6) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  EXPECT_THAT(run(tcp(kClient6, kVip6).syn()),
              Opens(tcp({kOwn6, 40000}, at("2001:db8:2::50", 81)).syn()));
}

TEST_F(Forwarding, Ipv6MemberOnTheLinkOfTheVip) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:1::50", 81));
  EXPECT_THAT(run(tcp(kClient6, kVip6).syn()),
              Opens(tcp({kVip6.address, 40000}, at("2001:db8:1::50", 81)).syn()));
}

TEST_F(Forwarding, ConnectionBothWays) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const base::Endpoint member = at("203.0.113.50", 8080), own{kOwn, 40000};
  connect(kClient, kVip);
  EXPECT_THAT(run(tcp(kClient, kVip).payload(1000)), Continues(tcp(own, member).payload(1000)));
  EXPECT_THAT(run(tcp(member, own).payload(1400), kEth1),
              Continues(tcp(kVip, kClient).payload(1400)));
}

TEST_F(Forwarding, Ipv6ConnectionBothWays) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  const base::Endpoint member = at("2001:db8:2::50", 81), own{kOwn6, 40000};
  connect(kClient6, kVip6);
  EXPECT_THAT(run(tcp(kClient6, kVip6).payload(999)), Continues(tcp(own, member).payload(999)));
  EXPECT_THAT(run(tcp(member, own).payload(1), kEth1), Continues(tcp(kVip6, kClient6).payload(1)));
}

TEST_F(Forwarding, DatagramsBothWays) {
  install(load_balancer("192.0.2.100").listener(kUdp, 80).pool().member("203.0.113.50", 53));
  const base::Endpoint member = at("203.0.113.50", 53), own{kOwn, 40000};
  EXPECT_THAT(run(udp(kClient, kVip)), Opens(udp(own, member)));
  EXPECT_THAT(run(udp(member, own), kEth1), Continues(udp(kVip, kClient)));
  EXPECT_THAT(run(udp(kClient, kVip).payload(0)), Continues(udp(own, member).payload(0)));
}

TEST_F(Forwarding, Ipv6DatagramsBothWays) {
  install(load_balancer("2001:db8:1::100").listener(kUdp, 80).pool().member("2001:db8:1::50", 53));
  const base::Endpoint member = at("2001:db8:1::50", 53), own{kVip6.address, 40000};
  EXPECT_THAT(run(udp(kClient6, kVip6)), Opens(udp(own, member)));
  EXPECT_THAT(run(udp(member, own)), Continues(udp(kVip6, kClient6)));
}

TEST_F(Forwarding, ClientOnTheLink) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  connect(at("192.0.2.60", 50000), kVip);
}

TEST_F(Forwarding, ServicesOfOnePortByProtocol) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool()
              .member("203.0.113.50", 8080)
              .listener(kUdp, 80)
              .pool()
              .member("192.0.2.50", 5353));
  EXPECT_EQ(forwarded(tcp(kClient, kVip).syn()).to, at("203.0.113.50", 8080));
  EXPECT_EQ(forwarded(udp(kClient, kVip)).to, at("192.0.2.50", 5353));
}

TEST_F(Forwarding, CountsOnTheLinesAndForTheService) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const Ends inside = connect(kClient, kVip);
  forwarded(tcp(kClient, kVip).payload(100));
  forwarded(tcp(inside.to, inside.from).payload(300), kEth1);
  uint64_t lines = 0;
  each_line([&](lb_flow& line) {
    if ((line.word & 0xff) < LB_FLOW_REPLY) return;
    lines++;
    const bool reply = (line.word & 0xff) < LB_FLOW_HALF_OPEN;
    EXPECT_EQ(line.next, kSequence + (reply ? 300u : 100u));
    EXPECT_EQ(line.bytes, reply ? 20u + 300u : 20u + 20u + 100u);
    EXPECT_EQ(line.seen, 1u);
  });
  EXPECT_EQ(lines, 2u);
  const datapath::ServiceStats stats = stats_of(kVip);
  EXPECT_EQ(stats.flows, 1u);
  EXPECT_EQ(live_flows(), 1u);
  EXPECT_EQ(stats.verdicts[LB_NEW_FLOW], 1u);
}

// ---- next hops --------------------------------------------------------------------------------

TEST_F(Forwarding, MemberThatIsNotResolvedGoesByTheKernel) {
  net().reaching("203.0.113.51").unresolved("203.0.113.51");
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.51", 8));
  EXPECT_THAT(run(tcp(kClient, kVip).syn()),
              HandsOver(LB_NEXTHOP_UNRESOLVED, tcp({kOwn, 40000}, at("203.0.113.51", 8)).syn()));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_NEXTHOP_UNRESOLVED], 1u);
}

TEST_F(Forwarding, ClientThatIsNotResolvedGetsItsAnswerByTheKernel) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  const base::Endpoint client = at("192.0.2.201", 50000);
  const Ends inside = forwarded(tcp(client, kVip).syn());
  EXPECT_THAT(run(tcp(inside.to, inside.from).syn_ack(), kEth1),
              HandsOver(LB_NEXTHOP_UNRESOLVED, tcp(kVip, client).syn_ack()));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_NEXTHOP_UNRESOLVED], 1u);
}

TEST_F(Forwarding, ClientsBehindOneGatewayShareItsNextHop) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  for (uint16_t i = 0; i < 50; ++i)
    connect(at("198.51.100.9", static_cast<uint16_t>(41000 + i)), kVip);
  std::set<uint16_t> hops;
  each_line([&](lb_flow& line) {
    if ((line.word & 0xff) == LB_FLOW_REPLY_SEEN) hops.insert(line.nexthop);
  });
  EXPECT_EQ(hops.size(), 1u);
}

}  // namespace
}  // namespace test
