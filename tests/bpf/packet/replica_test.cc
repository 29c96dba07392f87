// Flows of another node: told of as they open and end here, put into the table as if they had begun
// here, and gone on with.
#include <netinet/in.h>
#include <sys/socket.h>

#include <random>

#include "tests/bpf/packet/replica_lab.h"

namespace test {
namespace {

using pair::Flow;
using pair::FlowSink;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Replica = ReplicaLab;

TEST_F(Replica, AFlowGoesOnWhereItIsTaken) {
  balance();
  const Ends inside = connect(kClient, kVip);
  const Ends other = connect(at("192.0.2.60", 40001), kVip);
  const std::vector<Flow> all = forget_all();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(run(tcp(kClient, kVip)).verdict(), LB_NO_FLOW);
  for (const pair::Taken& taken : take(all)) EXPECT_TRUE(taken.place);
  EXPECT_EQ(stats_of(kVip).connections, 2u);
  for (int packet = 0; packet < 3; packet++) {
    EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, inside.to);
    const Ends back = forwarded(tcp(inside.to, inside.from));
    EXPECT_EQ(back.from, kVip);
    EXPECT_EQ(back.to, kClient);
    EXPECT_EQ(forwarded(tcp(other.to, other.from)).to, at("192.0.2.60", 40001));
  }
  const std::vector<Flow> again = forget_all();
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(stats_of(kVip).connections, 0u);
}

TEST_F(Replica, AFlowGoesOnIpv6) {
  balance(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:1::50", 81));
  const Ends inside = connect(kClient6, kVip6);
  const std::vector<Flow> all = forget_all();
  ASSERT_THAT(take(all), SizeIs(1));
  for (int packet = 0; packet < 3; packet++) {
    EXPECT_EQ(forwarded(tcp(kClient6, kVip6)).to, inside.to);
    EXPECT_EQ(forwarded(tcp(inside.to, inside.from)).to, kClient6);
  }
}

TEST_F(Replica, DatagramsGoOnToTheirMember) {
  const auto both = [](const char* vip, const char* member) {
    return load_balancer(vip).listener(kUdp, 53).pool().members(member, 3, 53);
  };
  balance(join(both("192.0.2.100", "192.0.2.50"), both("2001:db8:1::100", "2001:db8:1::50")));
  for (const auto& [client, address] :
       {std::pair(kClient, kVip.address), std::pair(kClient6, kVip6.address)}) {
    const base::Endpoint vip{address, 53};
    const Ends inside = forwarded(udp(client, vip));
    run(udp(inside.to, inside.from));
    forwarded(udp(client, vip));
  }
  const std::vector<Flow> all = forget_all();
  ASSERT_THAT(all, SizeIs(2));
  for (const Flow& flow : all) EXPECT_TRUE(flow.is_answered);
  for (const pair::Taken& taken : take(all)) EXPECT_TRUE(taken.place);
  for (const Flow& flow : all) {
    EXPECT_EQ(stats_of(flow.vip, 17).connections, 1u);
    EXPECT_EQ(forwarded(udp(flow.client, flow.vip)).to, flow.member);
    EXPECT_EQ(forwarded(udp(flow.member, flow.snat)).to, flow.client);
  }
}

// One that nobody has answered stays so: its end is its client's silence alone.
TEST_F(Replica, DatagramsThatNobodyAnswersAreTakenAsSuch) {
  balance(load_balancer("192.0.2.100").listener(kUdp, 514).pool().member("192.0.2.50", 514));
  for (int i = 0; i < 4; i++) forwarded(udp(kClient, at("192.0.2.100", 514)));
  const std::vector<Flow> all = forget_all();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_FALSE(all[0].is_answered);
  EXPECT_TRUE(take(all)[0].place);
  ASSERT_THAT(flows(), SizeIs(1));
  EXPECT_FALSE(flows()[0].is_answered);
}

TEST_F(Replica, WhatIsTakenCountsTowardsTheLimit) {
  balance(load_balancer("192.0.2.100")
              .listener(kTcp, 80, {.connection_limit = 2})
              .pool()
              .member("192.0.2.50", 8080));
  connect(at("198.51.100.7", 40001), kVip);
  connect(at("198.51.100.7", 40002), kVip);
  const std::vector<Flow> all = forget_all();
  ASSERT_THAT(all, SizeIs(2));
  const auto taken = take(all);
  const Packet next = tcp(at("198.51.100.7", 40003), kVip).syn();
  EXPECT_THAT(run(next), Drops(LB_CONNECTION_LIMIT));
  table_->end(base::Family::ipv4, {&*taken[0].place, 1});
  EXPECT_EQ(stats_of(kVip).connections, 1u);
  connect(at("198.51.100.7", 40003), kVip);
  EXPECT_THAT(run(tcp(at("198.51.100.7", 40004), kVip).syn()), Drops(LB_CONNECTION_LIMIT));
}

// The active node has let them in.
TEST_F(Replica, WhatTheOtherNodeHasIsTakenWhateverTheLimitHere) {
  balance();
  connect(at("198.51.100.7", 40001), kVip);
  connect(at("198.51.100.7", 40002), kVip);
  const std::vector<Flow> all = forget_all();
  balance(load_balancer("192.0.2.100")
              .listener(kTcp, 80, {.connection_limit = 1})
              .pool()
              .member("192.0.2.50", 8080)
              .member("192.0.2.51", 8080));
  for (const pair::Taken& taken : take(all)) EXPECT_TRUE(taken.place);
  EXPECT_EQ(stats_of(kVip).connections, 2u);
}

TEST_F(Replica, WhatIsAlikeIsTakenOnce) {
  balance();
  connect(kClient, kVip);
  const std::vector<Flow> all = flows();
  const auto taken = take(all);
  ASSERT_TRUE(taken[0].place);
  EXPECT_EQ(taken[0].place->line, all[0].name.line);
  EXPECT_EQ(taken[0].place->generation, all[0].name.generation);
  EXPECT_EQ(stats_of(kVip).connections, 1u);
  EXPECT_EQ(table_->refresh(*taken[0].place, all[0]), FlowSink::Refreshed::same);
  Flow closing = all[0];
  closing.state = pair::State::closing_member;
  EXPECT_EQ(table_->refresh(*taken[0].place, closing), FlowSink::Refreshed::changed);
  EXPECT_EQ(table_->refresh({all[0].name.line, all[0].name.generation + 1}, all[0]),
            FlowSink::Refreshed::gone);
}

// Of the same client with another port towards the member, and of another client with the same.
TEST_F(Replica, OfTwoThatCannotBothBeOneIsLeft) {
  balance();
  connect(kClient, kVip);
  connect(at("198.51.100.7", 40001), kVip);
  const std::vector<Flow> ours = flows();
  ASSERT_THAT(ours, SizeIs(2));
  Flow theirs = ours[0];
  theirs.snat.port = 50000;
  Flow same_port = ours[1];
  same_port.client.port = 50001;
  for (const Flow& flow : {theirs, same_port}) {
    const auto refused = take({flow}, FlowSink::Conflict::ours_stays);
    EXPECT_FALSE(refused[0].place);
    EXPECT_EQ(refused[0].why, pair::Refusal::taken);
  }
  EXPECT_EQ(flows(), ours);
  for (const pair::Taken& taken : take({theirs, same_port})) EXPECT_TRUE(taken.place);
  const std::vector<Flow> now = flows();
  ASSERT_THAT(now, SizeIs(2));
  EXPECT_EQ(stats_of(kVip).connections, 2u);
  EXPECT_EQ(forwarded(tcp(theirs.client, kVip)).from, theirs.snat);
  EXPECT_EQ(forwarded(tcp(same_port.client, kVip)).from, same_port.snat);
}

TEST_F(Replica, OnlyWhatIsKnownAndMovesIsTaken) {
  balance();
  connect(kClient, kVip);
  const std::vector<Flow> all = forget_all();
  Flow unknown = all[0];
  unknown.member.port++;
  Flow no_listener = all[0];
  no_listener.vip.port++;
  Flow stays = all[0];
  stays.snat.address = ip("192.0.2.10");
  const auto taken = take({unknown, no_listener, stays});
  for (const auto& one : taken) EXPECT_FALSE(one.place);
  EXPECT_EQ(taken[0].why, pair::Refusal::unknown);
  EXPECT_EQ(taken[1].why, pair::Refusal::unknown);
  EXPECT_EQ(taken[2].why, pair::Refusal::not_movable);
}

TEST_F(Replica, WhatStaysHereIsCountedAndNotTold) {
  balance(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  connect(kClient, kVip);
  EXPECT_THAT(flows(), IsEmpty());
  EXPECT_EQ(table_->not_movable(), 1u);
}

TEST_F(Replica, ChangesAreToldToWhoAsks) {
  balance();
  connect(at("198.51.100.7", 30000), kVip);
  EXPECT_THAT(table_->changes(), IsEmpty());
  table_->begin();
  EXPECT_EQ(run(tcp(kClient, kVip).syn()).verdict(), LB_NEW_FLOW);
  EXPECT_THAT(table_->changes(), IsEmpty()) << "it is half-open";
  const Ends inside = connect(at("198.51.100.7", 40001), kVip);
  const auto opened = changed();
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0].client.port, 40001);
  EXPECT_EQ(opened[0].snat, inside.from);
  // These fit the numbers of connect().
  ASSERT_THAT(forget_all(), SizeIs(2));
  EXPECT_THAT(table_->changes(), IsEmpty()) << "what came from the other node is not told back";
  table_->finish();
  connect(at("198.51.100.7", 40002), kVip);
  EXPECT_THAT(table_->changes(), IsEmpty());
  EXPECT_EQ(table_->changes_lost(), 0u);
}

TEST_F(Replica, ChangesWithoutRoomAreCounted) {
  balance();
  table_->begin();
  constexpr int kRoom = LB_CHANGES_BYTES / 24;
  int told = 0;
  for (int i = 0; told + static_cast<int>(table_->changes_lost()) < kRoom + 100; i++) {
    const auto client = at("198.51.100.7", static_cast<uint16_t>(20000 + i % 20000));
    connect(client, kVip);
    told++;
    if (i % 50 == 49) forget_all();
  }
  EXPECT_GT(table_->changes_lost(), 0u);
  EXPECT_GT(table_->changes().size(), size_t{kRoom} / 2);
}

// Whatever arrives: the table's invariants hold, and each flow has a member of its listener.
TEST_F(Replica, AnythingAtAllLeavesAWholeTable) {
  balance();
  std::mt19937 dice(11);
  const auto some = [&](std::initializer_list<const char*> all) {
    return ip(all.begin()[dice() % all.size()]);
  };
  std::vector<std::pair<Flow, pair::Place>> here;
  for (int round = 0; round < 3000; round++) {
    Flow flow;
    flow.protocol = dice() % 8 == 0 ? 17 : 6;
    flow.state = static_cast<pair::State>(1 + dice() % 3);
    flow.is_answered = dice() % 4 != 0;
    flow.client = {some({"198.51.100.7", "192.0.2.60"}), static_cast<uint16_t>(1 + dice() % 40)};
    flow.vip = {some({"192.0.2.100", "192.0.2.100", "192.0.2.101"}), 80};
    flow.snat = {some({"192.0.2.100", "192.0.2.10"}), static_cast<uint16_t>(1 + dice() % 40)};
    flow.member = {some({"192.0.2.50", "192.0.2.51", "192.0.2.52"}), 8080};
    const auto taken = take({flow}, dice() % 2 == 0 ? FlowSink::Conflict::theirs_stays
                                                    : FlowSink::Conflict::ours_stays);
    if (taken[0].place) {
      EXPECT_EQ(flow.protocol, 6);
      EXPECT_EQ(flow.vip.address, ip("192.0.2.100"));
      EXPECT_EQ(flow.snat.address, flow.vip.address);
      EXPECT_NE(flow.member.address, ip("192.0.2.52"));
      here.emplace_back(flow, *taken[0].place);
    }
    if (!here.empty() && dice() % 3 == 0) {
      const auto& [old, place] = here[dice() % here.size()];
      if (dice() % 2 == 0)
        table_->end(base::Family::ipv4, {&place, 1});
      else
        table_->refresh(place, old);
    }
    if (round % 100 == 0) {
      ASSERT_THAT(faults(), IsEmpty()) << round;
    }
  }
  EXPECT_EQ(stats_of(kVip).connections, flows().size());
}

// The node is about to have the VIPs: packets may be ahead of what is told of their flows.
TEST_F(Replica, WhatMayBeTheOtherNodesIsNotRefused) {
  balance();
  const Ends inside = connect(kClient, kVip);
  const std::vector<Flow> all = forget_all();
  EXPECT_THAT(run(tcp(kClient, kVip)), Passes(LB_NO_FLOW));
  EXPECT_THAT(run(tcp(inside.to, inside.from)), Passes(LB_NO_SERVICE));
  table_->await();
  EXPECT_THAT(run(tcp(kClient, kVip)), Drops(LB_NO_FLOW_YET));
  EXPECT_THAT(run(tcp(kClient, kVip).fin()), Drops(LB_NO_FLOW_YET));
  EXPECT_THAT(run(tcp(inside.to, inside.from)), Drops(LB_NO_FLOW_YET));
  EXPECT_EQ(run(tcp(at("192.0.2.60", 40001), kVip).syn()).verdict(), LB_NEW_FLOW);
  take(all);
  EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, inside.to);
  EXPECT_EQ(forwarded(tcp(inside.to, inside.from)).to, kClient);
  const base::Endpoint stranger = at("192.0.2.61", 40001);
  datapath().flows().await_flows(std::chrono::steady_clock::now() + std::chrono::hours(1));
  EXPECT_THAT(run(tcp(stranger, kVip)), Drops(LB_NO_FLOW_YET));
  datapath().flows().await_flows(std::chrono::steady_clock::now());
  EXPECT_THAT(run(tcp(stranger, kVip)), Passes(LB_NO_FLOW));
}

TEST_F(Replica, WhatMayBeTheOtherNodesIsNotRefusedIpv6) {
  balance(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:1::50", 81));
  const Ends inside = connect(kClient6, kVip6);
  forget_all();
  table_->await();
  EXPECT_THAT(run(tcp(kClient6, kVip6)), Drops(LB_NO_FLOW_YET));
  EXPECT_THAT(run(tcp(inside.to, inside.from)), Drops(LB_NO_FLOW_YET));
}

// Of what no flow can have, and of sockets of this machine, nothing is held back.
TEST_F(Replica, WhatCannotBeTheOtherNodesGoesOn) {
  const base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(40001);
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);
  ASSERT_EQ(listen(socket.get(), 1), 0);
  balance();
  table_->await();
  EXPECT_THAT(run(tcp(kClient, at("192.0.2.10", 22))), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(tcp(kClient, at("192.0.2.10", 40000)).syn()), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(udp(kClient, at("192.0.2.10", 40000))), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(tcp(kClient, at("192.0.2.10", 40000))), Drops(LB_NO_FLOW_YET));
  EXPECT_THAT(run(tcp(kClient, at("192.0.2.10", 40001))), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(tcp(kClient, at("203.0.113.50", 40000))), Passes(LB_NO_SERVICE)) << "forwarded";
  EXPECT_THAT(run(sctp(kClient, at("192.0.2.10", 65535)).init_ack(1)), Passes(LB_NO_SERVICE))
      << "the answer to a check";
}

TEST_F(Replica, WhatIsAboutToOpenIsToldOf) {
  balance();
  const Ends inside = forwarded(tcp(kClient, kVip).syn());
  std::vector<Flow> all;
  table_->answered(all);
  EXPECT_THAT(all, IsEmpty()) << "nobody has answered";
  forwarded(tcp(inside.to, inside.from).syn_ack());
  table_->answered(all);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].state, pair::State::open);
  EXPECT_EQ(all[0].client, kClient);
  EXPECT_EQ(all[0].snat, inside.from);
  EXPECT_THAT(flows(), IsEmpty()) << "it is not open yet";
  forwarded(tcp(kClient, kVip));
  all.clear();
  table_->answered(all);
  EXPECT_THAT(all, IsEmpty());
  EXPECT_THAT(flows(), SizeIs(1));
}

}  // namespace
}  // namespace test
