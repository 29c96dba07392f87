// Who may speak into a flow: packets come from the side that their line was made for.
#include <map>

#include "agent/datapath/flow_table.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Side : public Lab, public testing::WithParamInterface<bool> {
 protected:
  bool ipv6() const { return GetParam(); }
  base::Endpoint vip(uint16_t port = 80) const { return {(ipv6() ? kVip6 : kVip).address, port}; }
  base::Endpoint client() const { return ipv6() ? kClient6 : kClient; }
  std::string member() const { return ipv6() ? "2001:db8:2::50" : "203.0.113.50"; }
  // On the clients' interface.
  std::string near_member() const { return ipv6() ? "2001:db8:1::50" : "192.0.2.50"; }
  void install_one(model::ListenerProtocol protocol = kTcp) {
    install(
        load_balancer(vip().address.text()).listener(protocol, 80).pool().member(member(), 8080));
  }
  // State of every line that is not free: how many lines are in it.
  std::map<uint32_t, int> states() {
    std::map<uint32_t, int> count;
    for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
      const auto& lines = datapath().flows().memory().lines(family);
      for (uint32_t i = 0; i < lines.count(); ++i)
        if (const uint32_t state = lines.line(i).word & 0xff; state != LB_FLOW_FREE) count[state]++;
    }
    return count;
  }
};

TEST_P(Side, NobodyOnTheClientsSideSpeaksAsTheMember) {
  install_one();
  const Ends inside = connect(client(), vip());
  const auto before = states();
  for (const uint8_t flags : {kAck, kRst, kFin, kSyn, kPsh})
    EXPECT_THAT(run(tcp(inside.to, inside.from).flags(flags | kAck)), Drops(LB_WRONG_SIDE));
  EXPECT_EQ(states(), before);
  EXPECT_EQ(stats_of(vip()).verdicts[LB_WRONG_SIDE], 5u);
  EXPECT_THAT(run(tcp(inside.to, inside.from), kEth1), Continues(tcp(vip(), client())));
}

TEST_P(Side, NobodyOnTheMembersSideSpeaksAsTheClient) {
  install_one();
  const Ends inside = connect(client(), vip());
  const auto before = states();
  for (const uint8_t flags : {kAck, kRst, kFin, kSyn, kPsh})
    EXPECT_THAT(run(tcp(client(), vip()).flags(flags), kEth1), Drops(LB_WRONG_SIDE));
  EXPECT_EQ(states(), before);
  EXPECT_THAT(run(tcp(client(), vip())), Continues(tcp(inside.from, inside.to)));
}

TEST_P(Side, NobodyElseAnswersOrRefuses) {
  install_one();
  const Ends inside = forwarded(tcp(client(), vip()).syn());
  const auto before = states();
  EXPECT_THAT(run(tcp(inside.to, inside.from).syn_ack()), Drops(LB_WRONG_SIDE));
  EXPECT_THAT(run(tcp(inside.to, inside.from).flags(kRst | kAck)), Drops(LB_WRONG_SIDE));
  EXPECT_THAT(run(tcp(inside.to, inside.from)), Drops(LB_WRONG_SIDE)) << "a challenge";
  EXPECT_EQ(states(), before);
  EXPECT_THAT(run(tcp(inside.to, inside.from).syn_ack(), kEth1),
              Continues(tcp(vip(), client()).syn_ack()));
}

TEST_P(Side, DatagramsToo) {
  install_one(kUdp);
  const Ends inside = forwarded(udp(client(), vip()));
  EXPECT_THAT(run(udp(inside.to, inside.from)), Drops(LB_WRONG_SIDE));
  EXPECT_THAT(run(udp(client(), vip()), kEth1), Drops(LB_WRONG_SIDE));
  EXPECT_THAT(run(udp(inside.to, inside.from), kEth1), Continues(udp(vip(), client())));
}

TEST_P(Side, BothBehindOneInterface) {
  install(
      load_balancer(vip().address.text()).listener(kTcp, 80).pool().member(near_member(), 8080));
  const Ends inside = connect(client(), vip());
  EXPECT_THAT(run(tcp(inside.to, inside.from)), Continues(tcp(vip(), client())));
  int lines = 0;
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    const auto& table = datapath().flows().memory().lines(family);
    for (uint32_t i = 0; i < table.count(); ++i)
      lines += (table.line(i).nexthop & LB_LINE_TURNS) != 0 ? 1 : 0;
  }
  EXPECT_EQ(lines, 2) << "is looked at once for each direction";
}

// Its SYN has come from there: the way back to it is another one than its packets take.
TEST_P(Side, ClientThatComesByTheMembersInterfaceFromTheBeginning) {
  install_one();
  const Outcome first = run(tcp(client(), vip()).syn(), kEth1);
  ASSERT_EQ(first.verdict(), LB_NEW_FLOW);
  const Ends inside = ends_of(first.after);
  EXPECT_THAT(run(tcp(inside.to, inside.from).syn_ack(), kEth1),
              Continues(tcp(vip(), client()).syn_ack()));
  EXPECT_THAT(run(tcp(client(), vip()), kEth1), Continues(tcp(inside.from, inside.to)));
  EXPECT_THAT(run(tcp(client(), vip())), Continues(tcp(inside.from, inside.to)));
}

TEST_P(Side, MemberMayAnswerByAnotherInterfaceThanItIsReachedBy) {
  install_one();
  const Ends inside = connect(client(), vip());
  EXPECT_THAT(run(tcp(inside.to, inside.from), kEth2), Continues(tcp(vip(), client())));
}

TEST_P(Side, MemberThatMovesToTheClientsSide) {
  install_one();
  const Ends inside = connect(client(), vip());
  EXPECT_THAT(run(tcp(inside.to, inside.from)), Drops(LB_WRONG_SIDE));
  lb_nexthop hop = datapath().tables().destinations.at(ip(member()));
  hop.ifindex = kEth0;
  ASSERT_TRUE(datapath().apply(datapath::PutDestination{ip(member()), hop}).ok());
  EXPECT_EQ(run(tcp(client(), vip())).verdict(), LB_ESTABLISHED);
  EXPECT_EQ(run(tcp(inside.to, inside.from)).verdict(), LB_ESTABLISHED);
}

INSTANTIATE_TEST_SUITE_P(Families, Side, testing::Bool(),
                         [](const auto& family) { return family.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace test
