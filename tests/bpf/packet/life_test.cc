// Beginnings and ends of flows.
#include <map>
#include <utility>

#include "agent/datapath/flow_table.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Life : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().members("203.0.113.1", 2, 80));
  }
  // States of the forward lines that live.
  std::multiset<int> states() {
    std::multiset<int> states;
    each_line([&](lb_flow& line) {
      const int state = static_cast<int>(line.word & 0xff);
      if (state >= LB_FLOW_HALF_OPEN) states.insert(state);
    });
    return states;
  }
  Outcome from_member(const Ends& inside, uint8_t flags) {
    return run(tcp(inside.to, inside.from).flags(flags), kEth1);
  }
};

using States = std::multiset<int>;

TEST_F(Life, Handshake) {
  const Ends inside = forwarded(tcp(kClient, kVip).syn());
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  from_member(inside, kSyn | kAck);
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  forwarded(tcp(kClient, kVip));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
}

TEST_F(Life, UdpOpensWhenTheClientGoesOnAfterAnAnswer) {
  install(load_balancer("192.0.2.100").listener(kUdp, 53).pool().member("203.0.113.9", 53));
  const base::Endpoint vip = at("192.0.2.100", 53);
  const Ends inside = forwarded(udp(kClient, vip));
  EXPECT_THAT(run(udp(inside.to, inside.from), kEth1), Continues(udp(vip, kClient)));
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  pass(std::chrono::seconds(11));
  sweep();
  EXPECT_EQ(live_flows(), 0u) << "a question and its answer are over soon";
  const Ends again = forwarded(udp(kClient, vip));
  run(udp(again.to, again.from), kEth1);
  forwarded(udp(kClient, vip));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  pass(std::chrono::seconds(49));
  sweep();
  EXPECT_EQ(live_flows(), 1u);
}

// Forged questions, even when they are answered, end no flow of a client that goes on.
TEST_F(Life, OneWayUdpKeepsItsMemberUnderAFlood) {
  install(load_balancer("192.0.2.100").listener(kUdp, 514).pool().members("203.0.113.1", 3, 514));
  const base::Endpoint vip = at("192.0.2.100", 514);
  std::map<uint16_t, base::Endpoint> members;
  for (int round = 0; round < 3; ++round)
    for (uint16_t port = 30000; port < 30020; ++port)
      members[port] = forwarded(udp({kClient.address, port}, vip)).to;
  EXPECT_EQ(stats_of(vip, 17).connections, 20u);
  for (uint16_t port = 40000; port < 40400; ++port) {
    const Outcome forged = run(udp(at("198.51.100.99", port), vip));
    if (forged.verdict() != LB_NEW_FLOW) continue;
    const Ends inside = ends_of(forged.after);
    run(udp(inside.to, inside.from), kEth1);
  }
  EXPECT_EQ(stats_of(vip, 17).connections, 20u);
  for (const auto& [port, member] : members)
    EXPECT_EQ(forwarded(udp({kClient.address, port}, vip)).to, member);
}

// More senders than a ring has positions: each is out of it before it comes again.
TEST_F(Life, OneWayUdpOfManySendersKeepsItsMembers) {
  auto options = Lab::options();
  options.flows4 = 4096;
  reopen(options);
  install(load_balancer("192.0.2.100").listener(kUdp, 514).pool().members("203.0.113.1", 3, 514));
  const base::Endpoint vip = at("192.0.2.100", 514);
  std::map<uint16_t, std::string> members;
  std::map<std::string, int> share;
  int moved = 0;
  for (int round = 0; round < 3; ++round) {
    for (uint16_t port = 30000; port < 33000; ++port) {
      const std::string member = forwarded(udp({kClient.address, port}, vip)).to.address.text();
      if (round == 0) {
        members[port] = member;
        share[member]++;
      }
      moved += member != std::exchange(members[port], member);
    }
  }
  EXPECT_GT(datapath().flows().half_open_overwritten(), 2000u);
  EXPECT_LT(moved, 180) << "of 9000";
  for (const auto& [member, senders] : share) EXPECT_NEAR(senders, 1000, 120) << member;
}

TEST_F(Life, UdpLeavesAMemberThatIsDisabledAndStaysWithOneThatDrains) {
  auto builder = load_balancer("192.0.2.100").listener(kUdp, 514).pool().member("203.0.113.1", 514);
  install(builder);
  const base::Endpoint vip = at("192.0.2.100", 514);
  for (int i = 0; i < 3; ++i) forwarded(udp(kClient, vip));
  builder.last_member().weight = 0;
  model::Member& first = builder.last_member();
  builder.member("203.0.113.2", 514);
  install(builder);
  sweep();
  EXPECT_EQ(forwarded(udp(kClient, vip)).to, at("203.0.113.1", 514));
  first.admin_state_up = false;
  install(builder);
  sweep();
  EXPECT_EQ(forwarded(udp(kClient, vip)).to, at("203.0.113.2", 514));
}

TEST_F(Life, ClosingByTheClientThenTheMember) {
  const Ends inside = connect(kClient, kVip);
  forwarded(tcp(kClient, kVip).fin());
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_CLIENT});
  from_member(inside, kFin | kAck);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSED});
  EXPECT_THAT(run(tcp(kClient, kVip)), Continues(tcp(inside.from, inside.to)));
}

TEST_F(Life, ClosingByTheMemberThenTheClient) {
  const Ends inside = connect(kClient, kVip);
  from_member(inside, kFin | kAck);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_MEMBER});
  forwarded(tcp(kClient, kVip).fin());
  EXPECT_EQ(states(), States{LB_FLOW_CLOSED});
}

TEST_F(Life, ResetGoesThrough) {
  const Ends inside = connect(kClient, kVip);
  EXPECT_THAT(from_member(inside, kRst), Continues(tcp(kVip, kClient).rst()));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
}

TEST_F(Life, SynOnAClosedFlowStartsAfresh) {
  const Ends first = connect(kClient, kVip);
  forwarded(tcp(kClient, kVip).fin());
  from_member(first, kFin | kAck);
  const Outcome again = run(tcp(kClient, kVip).syn());
  EXPECT_EQ(again.verdict(), LB_NEW_FLOW);
  EXPECT_NE(ends_of(again.after).to, first.to);
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  EXPECT_EQ(stats_of(kVip).flows, 2u);
  EXPECT_EQ(live_flows(), 1u);
}

TEST_F(Life, SynOnAResetFlowStartsAfresh) {
  connect(kClient, kVip);
  forwarded(tcp(kClient, kVip).rst());
  EXPECT_EQ(run(tcp(kClient, kVip).syn()).verdict(), LB_NEW_FLOW);
}

// ---- numbers that are not the connection's (RFC 5961) -----------------------------------------

constexpr uint32_t kFar = 1 << 18;

TEST_F(Life, BlindResetOrFinEndsNothing) {
  const Ends inside = connect(kClient, kVip);
  for (const int flags : {+kRst, kRst | kAck, kFin | kAck}) {
    for (const uint32_t off : {kFar, 0u - kFar, 0x80000000u}) {
      const auto client = tcp(kClient, kVip)
                              .flags(static_cast<uint8_t>(flags))
                              .seq(kSequence + off)
                              .ack(kSequence + kFar);
      EXPECT_THAT(run(client), Continues(client.between(inside.from, inside.to)));
      const auto member = tcp(inside.to, inside.from)
                              .flags(static_cast<uint8_t>(flags))
                              .seq(kSequence + off)
                              .ack(kSequence - kFar);
      EXPECT_THAT(run(member, kEth1), Continues(member.between(kVip, kClient)));
      EXPECT_EQ(states(), States{LB_FLOW_OPEN});
    }
  }
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Continues(tcp(inside.from, inside.to).syn()));
  EXPECT_EQ(stats_of(kVip).connections, 1u);
}

TEST_F(Life, ResetIsTakenBackByWhoeverGoesOn) {
  const Ends inside = connect(kClient, kVip);
  forwarded(tcp(kClient, kVip).rst());
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
  EXPECT_THAT(from_member(inside, kAck), Continues(tcp(kVip, kClient)));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  from_member(inside, kRst);
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
  forwarded(tcp(kClient, kVip));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  EXPECT_EQ(stats_of(kVip).connections, 1u);
}

// A forged one must not move the connection. If the client means it, the member's challenge makes
// it say so.
TEST_F(Life, SynOnAHalfClosedFlowIsTheMembersToJudge) {
  const Ends inside = connect(kClient, kVip);
  forwarded(tcp(kClient, kVip).fin());
  const auto syn = tcp(kClient, kVip).syn().seq(77);
  EXPECT_THAT(run(syn), Continues(syn.between(inside.from, inside.to)));
  EXPECT_THAT(from_member(inside, kAck), Continues(tcp(kVip, kClient)));
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_CLIENT});
  forwarded(tcp(kClient, kVip).rst());
  EXPECT_EQ(run(syn).verdict(), LB_NEW_FLOW);
}

TEST_F(Life, TheWindowFollowsWhatIsSent) {
  const Ends inside = connect(kClient, kVip);
  uint32_t sent = kSequence;
  for (int i = 0; i < 400; ++i, sent += 1400) forwarded(tcp(kClient, kVip).payload(1400).seq(sent));
  forwarded(tcp(kClient, kVip).payload(1400));  // old ones and wild ones do not move it
  forwarded(tcp(kClient, kVip).payload(1400).seq(sent + kFar).ack(kSequence + kFar));
  forwarded(tcp(kClient, kVip).rst());
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  forwarded(tcp(kClient, kVip).rst().seq(sent));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
  EXPECT_EQ(inside.to.port, 80);
}

// More was lost before us than the window is wide: the connection goes on far ahead, and
// acknowledges what the other side has lately sent, which nobody else knows.
TEST_F(Life, TheWindowFollowsAJumpThatAcknowledges) {
  connect(kClient, kVip);
  const auto ahead = [&](uint32_t far) {
    return tcp(kClient, kVip).payload(1400).seq(kSequence + far);
  };
  forwarded(ahead(2 * kFar).ack(kSequence + kFar));
  forwarded(ahead(2 * kFar).ack(kSequence - kFar));
  forwarded(tcp(kClient, kVip).rst().seq(kSequence + 2 * kFar + 1400));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN})
      << "moved by who does not know the other side's numbers";
  forwarded(ahead(2 * kFar).ack(kSequence + 1000));
  forwarded(ahead(kFar / 4).ack(kSequence + 1000));  // old ones move nothing back
  forwarded(tcp(kClient, kVip).rst());
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  forwarded(tcp(kClient, kVip).rst().seq(kSequence + 2 * kFar + 1400));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
}

TEST_F(Life, AFinFarAheadCountsIfItAcknowledges) {
  const Ends inside = connect(kClient, kVip);
  const auto fin = tcp(inside.to, inside.from).flags(kFin | kAck).seq(kSequence + kFar);
  run(tcp(inside.to, inside.from).flags(kFin | kAck).seq(kSequence + kFar).ack(kSequence + kFar),
      kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  run(fin, kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_MEMBER});
  run(tcp(inside.to, inside.from).rst().seq(kSequence + kFar + 1), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_RESET}) << "its number was taken, too";
}

TEST_F(Life, AnswerToAnotherSynIsNone) {
  const Ends inside = forwarded(tcp(kClient, kVip).syn());
  run(tcp(inside.to, inside.from).syn_ack().ack(kSequence + kFar), kEth1);
  run(tcp(inside.to, inside.from).flags(kRst | kAck).ack(kSequence + kFar), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  forwarded(tcp(kClient, kVip));
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
}

TEST_F(Life, SynOnAnOpenFlowIsTheMembersToJudge) {
  const Ends inside = connect(kClient, kVip);
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Continues(tcp(inside.from, inside.to).syn()));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
}

TEST_F(Life, RepeatedSynGoesToTheSameMember) {
  const Ends first = forwarded(tcp(kClient, kVip).syn());
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Continues(tcp(first.from, first.to).syn()));
}

TEST_F(Life, UnansweredSynsGoToAnotherMember) {
  const Ends first = forwarded(tcp(kClient, kVip).syn());
  EXPECT_EQ(forwarded(tcp(kClient, kVip).syn()).to, first.to);
  const Outcome third = run(tcp(kClient, kVip).syn());
  EXPECT_EQ(third.verdict(), LB_NEW_FLOW);
  EXPECT_NE(ends_of(third.after).to, first.to);
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
}

TEST_F(Life, AnsweredSynStays) {
  const Ends first = forwarded(tcp(kClient, kVip).syn());
  from_member(first, kSyn | kAck);
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(run(tcp(kClient, kVip).syn()), Continues(tcp(first.from, first.to).syn()));
}

TEST_F(Life, SynLeavesAMemberThatIsDown) {
  auto builder = load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.1", 80);
  const base::Uuid lost = builder.last_member().id;
  builder.member("203.0.113.2", 80);
  Ends first = forwarded(tcp(kClient, kVip).syn());
  uint16_t port = 40000;
  while (first.to.address != ip("203.0.113.1"))
    first = forwarded(tcp({kClient.address, ++port}, kVip).syn());
  set_down({lost});
  install(builder);
  const Outcome again = run(tcp({kClient.address, port}, kVip).syn());
  EXPECT_EQ(again.verdict(), LB_NEW_FLOW);
  EXPECT_EQ(ends_of(again.after).to, at("203.0.113.2", 80));
}

TEST_F(Life, AnswerToNobodyIsTheKernels) {
  EXPECT_THAT(run(tcp(at("203.0.113.1", 80), {kOwn, 40000}).syn_ack(), kEth1),
              Passes(LB_NO_SERVICE));
}

}  // namespace
}  // namespace test
