// Two nodes over one channel after the other: whatever happens to flows, to the channel and to the
// nodes, after a whole walk the standby has the flows of the active node, and no other ones.
#include <gmock/gmock.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>

#include "tests/unit/pair/two_nodes.h"

namespace pair {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(TwoNodes, TheStandbyGetsWhatThereIsAndWhatComes) {
  for (uint16_t port = 1; port <= 10; port++) table_a_.open(flow_of(port, port));
  connect();
  EXPECT_FALSE(b_->is_in_sync());
  turns(2 * kLines);
  EXPECT_TRUE(b_->is_in_sync());
  EXPECT_EQ(table_b_.flows(), table_a_.flows());
  table_a_.open(flow_of(20, 20));
  table_a_.change(3, State::closing_member);
  table_a_.end(4);
  turn();
  EXPECT_EQ(table_b_.flows(), table_a_.flows());
  EXPECT_THAT(table_b_.flows(), SizeIs(10));
  EXPECT_EQ(a_->report(now_).walks, 1u);
}

TEST_F(TwoNodes, ALateEndMeansNoNewerFlow) {
  connect();
  turns(2 * kLines);
  table_a_.open(flow_of(1, 1));
  turn();
  table_a_.end(1);  // told, but read only when the next one has its line
  table_a_.open(flow_of(2, 2));
  turn();
  EXPECT_EQ(table_b_.flows(), table_a_.flows());
  EXPECT_THAT(table_b_.flows(), SizeIs(1));
}

TEST_F(TwoNodes, AnEndThatIsOvertakenMeansNobody) {
  connect();
  turns(2 * kLines);
  Flow flow = flow_of(1, 1);
  flow.name = {base::Family::ipv4, 9, 4};
  ASSERT_TRUE(deliver(*b_, encode(Flows{{flow}}), now_).ok());
  ASSERT_TRUE(deliver(*b_, encode(Ends{{{base::Family::ipv4, 9, 3}}}), now_).ok());
  EXPECT_THAT(table_b_.flows(), SizeIs(1));
  ASSERT_TRUE(deliver(*b_, encode(Ends{{flow.name}}), now_).ok());
  EXPECT_THAT(table_b_.flows(), IsEmpty());
}

TEST_F(TwoNodes, WhatFoundNoRoomCostsAWalk) {
  connect();
  turns(2 * kLines);
  table_a_.room = 2;
  for (uint16_t port = 1; port <= 10; port++) table_a_.open(flow_of(port, port));
  turn();
  EXPECT_NE(table_b_.flows(), table_a_.flows());
  now_ += Sender::kWalkAtMostEvery;
  turns(2 * kLines);
  EXPECT_EQ(table_b_.flows(), table_a_.flows());
  EXPECT_EQ(a_->report(now_).changes_lost, 8u);
}

// The end of a client's connection is lost, and its next one is told of before the walk is over.
TEST_F(TwoNodes, AFlowWithTwoNamesIsOverWithTheLast) {
  table_a_.open(flow_of(2, 2));
  table_a_.open(flow_of(1, 1));
  connect();
  turns(2 * kLines);
  table_a_.expire(2);
  table_a_.expire(1);
  table_a_.open(flow_of(1, 1));  // in the other one's line
  turn();
  now_ += Sender::kWalkEvery;
  turns(kLines);
  EXPECT_EQ(table_b_.flows(), table_a_.flows());
  EXPECT_THAT(table_b_.flows(), SizeIs(1));
  EXPECT_EQ(table_b_.ended, 1u);
}

TEST_F(TwoNodes, WhoTakesOverKeepsWhatItHas) {
  for (uint16_t port = 1; port <= 10; port++) table_a_.open(flow_of(port, port));
  connect();
  turns(2 * kLines);
  b_->set_role(Role::active);
  EXPECT_FALSE(b_->has(base::Family::ipv4, 0));
  for (uint16_t port = 1; port <= 10; port++) table_a_.end(port);
  table_a_.open(flow_of(11, 11));  // the last that came to a
  table_b_.open(flow_of(12, 12));
  turns(2 * kLines);
  EXPECT_THAT(table_b_.flows(), SizeIs(12));
  a_->set_role(Role::standby);
  settle();
  EXPECT_EQ(table_a_.flows(), table_b_.flows());
  EXPECT_TRUE(a_->is_in_sync());
}

// A flow that is told is told of its opening, too: were it taken, each node would bring back to the
// other one what has ended there.
TEST_F(TwoNodes, TwoActiveOnesTakeNothingFromEachOther) {
  b_->set_role(Role::active);
  table_a_.open(flow_of(1, 1));
  table_b_.open(flow_of(1, 2));  // the same client, with another port
  table_a_.open(flow_of(3, 3));
  table_b_.open(flow_of(4, 4));
  connect();
  settle();
  table_a_.open(flow_of(5, 5));
  turns(2);
  table_a_.end(5);
  table_a_.end(3);
  for (int walk = 0; walk < 4; walk++) settle();
  EXPECT_THAT(table_a_.flows(), SizeIs(1));
  EXPECT_THAT(table_b_.flows(), SizeIs(2));
  EXPECT_EQ(a_->report(now_).walks + b_->report(now_).walks, 0u);
  EXPECT_EQ(a_->report(now_).taken.taken + b_->report(now_).taken.taken, 0u);
}

// The VIPs were on both nodes; now one of them has given them up.
TEST_F(TwoNodes, WhoIsNoLongerActiveGetsAllAtOnce) {
  b_->set_role(Role::active);
  connect();
  turns(2 * kLines);
  table_a_.open(flow_of(1, 1));
  table_b_.open(flow_of(1, 2));
  table_b_.open(flow_of(4, 4));
  turns(2);
  a_->set_role(Role::standby);
  turns(kLines);
  EXPECT_TRUE(a_->is_in_sync());
  EXPECT_EQ(table_a_.flows(), table_b_.flows());
  EXPECT_THAT(table_b_.flows(), SizeIs(2));
}

TEST_F(TwoNodes, WhoWasActiveForAMomentGetsAllAtOnce) {
  table_a_.open(flow_of(1, 1));
  connect();
  turns(2 * kLines);
  now_ += Sender::kWalkAtMostEvery;
  b_->set_role(Role::active);
  b_->set_role(Role::standby);  // before a word of it was said
  turns(kLines);
  EXPECT_TRUE(b_->is_in_sync());
  EXPECT_TRUE(b_->has(base::Family::ipv4, 0));
}

TEST_F(TwoNodes, WhatIsUnderWayToWhoTakesOverIsTakenWhereNobodyIs) {
  connect();
  turns(2 * kLines);
  table_b_.open(flow_of(1, 2));
  table_a_.open(flow_of(1, 1));
  table_a_.open(flow_of(3, 3));
  b_->set_role(Role::active);
  turn();
  EXPECT_THAT(table_b_.flows(), SizeIs(2));
  EXPECT_EQ(b_->report(now_).taken.refused[static_cast<size_t>(Refusal::taken)], 1u);
  EXPECT_EQ(table_b_.ended, 0u);
}

// Flows come, change and end, changes are lost, the channel is cut, either node begins anew with
// its table or without, and the VIPs move, or are on both nodes for a while.
TEST_F(TwoNodes, ArriveAtTheSameWhateverHappens) {
  for (uint32_t seed = 1; seed <= 200; seed++) {
    std::mt19937 dice(seed);
    table_a_ = FakeTable(kLines);
    table_b_ = FakeTable(kLines);
    a_ = std::make_unique<Session>(table_a_, table_a_, hello_a_);
    b_ = std::make_unique<Session>(table_b_, table_b_, hello_b_);
    bool a_has_vips = true, is_split = false;
    const auto roles = [&] {
      a_->set_role(a_has_vips || is_split ? Role::active : Role::standby);
      b_->set_role(!a_has_vips || is_split ? Role::active : Role::standby);
    };
    roles();
    connect();
    for (int step = 0; step < 300; step++) {
      const bool at_a = is_split ? dice() % 2 == 0 : a_has_vips;
      FakeTable& active = at_a ? table_a_ : table_b_;
      const auto port = static_cast<uint16_t>(1 + dice() % 24);
      active.room = dice() % 8 == 0 ? 1 : 1000;
      switch (dice() % 16) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
          active.open(flow_of(port, static_cast<uint16_t>(1 + dice() % 24)));
          break;
        case 5:
        case 6:
          active.end(port);
          break;
        case 7:
          active.expire(port);
          break;
        case 8:
          active.change(port, State::closing_client);
          break;
        case 9:
          (a_has_vips ? table_b_ : table_a_).expire(port);
          break;
        case 10:
          cut();
          if (dice() % 2 == 0) {
            b_ = std::make_unique<Session>(table_b_, table_b_, hello_b_);
            roles();
          }
          connect();
          break;
        case 11:
          if (dice() % 8 != 0) break;
          a_has_vips = dice() % 2 == 0;
          is_split = dice() % 4 == 0;
          roles();
          break;
        default:
          turn();
      }
      if (HasFatalFailure()) return;
    }
    is_split = false;
    roles();
    table_a_.room = table_b_.room = 1000;
    settle();
    settle();
    const FakeTable& active = a_has_vips ? table_a_ : table_b_;
    const FakeTable& standby = a_has_vips ? table_b_ : table_a_;
    const Session& follower = a_has_vips ? *b_ : *a_;
    ASSERT_TRUE(follower.is_in_sync()) << "seed " << seed;
    // What a node has besides is of an earlier life, and is not taken for the other node's.
    const auto here = standby.lines();
    for (const std::string& flow : active.flows()) {
      ASSERT_TRUE(here.contains(flow)) << "seed " << seed;
      ASSERT_TRUE(follower.has(base::Family::ipv4, here.at(flow))) << "seed " << seed;
    }
    for (const auto& [flow, line] : here) {
      ASSERT_EQ(follower.has(base::Family::ipv4, line), active.flows().contains(flow))
          << "seed " << seed;
    }
  }
}

// The VIPs go from a to b: packets of a's flows are about to come there.
TEST_F(TwoNodes, WhoIsToHaveTheVipsWaitsForFlows) {
  connect();
  turns(2 * kLines);
  a_->leave();
  turn();
  EXPECT_EQ(table_b_.awaits, 1u);
  turns(2);
  EXPECT_EQ(table_b_.awaits, 1u) << "said once";
  b_->set_role(Role::active);
  EXPECT_EQ(table_b_.awaits, 2u);
  b_->set_role(Role::standby);
  EXPECT_EQ(table_b_.awaits, 2u);
}

// What the client says next of a connection that its member has answered may come to either node.
TEST_F(TwoNodes, WhatIsAboutToOpenIsToldWhenTheVipsHaveGone) {
  connect();
  turns(2 * kLines);
  Flow flow = flow_of(1, 1);
  flow.name = {base::Family::ipv4, 9, 4};
  table_a_.half_open = {flow};
  turns(2);
  EXPECT_THAT(table_b_.flows(), IsEmpty());
  a_->set_role(Role::standby);
  b_->set_role(Role::active);
  turn();
  EXPECT_THAT(table_b_.flows(), IsEmpty());
  a_->tell_answered();
  turn();
  EXPECT_THAT(table_b_.flows(), SizeIs(1));
  const uint64_t told = a_->report(now_).told;
  turns(2);
  EXPECT_EQ(a_->report(now_).told, told) << "told once";
}

}  // namespace
}  // namespace pair
