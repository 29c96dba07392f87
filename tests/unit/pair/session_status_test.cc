// What two nodes know of each other, and say of it.
#include <gmock/gmock.h>

#include "tests/unit/pair/two_nodes.h"

namespace pair {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uint8_t kPositionType = 6;

// Nobody has the VIPs: nobody's flows are all that there is.
TEST_F(TwoNodes, OnlyAnActiveNodeIsFollowed) {
  connect();
  turns(2 * kLines);
  ASSERT_TRUE(b_->is_in_sync());
  a_->set_role(Role::standby);
  turns(2);
  EXPECT_FALSE(b_->follows());
  EXPECT_FALSE(b_->is_in_sync());
}

TEST_F(TwoNodes, SayHowFarTheyAreOnceATick) {
  connect();
  turns(2 * kLines);
  const auto positions = [](const std::string& bytes) {
    int count = 0;
    for (size_t at = 0; at + kHeaderBytes <= bytes.size();) {
      const auto* head = reinterpret_cast<const uint8_t*>(bytes.data()) + at;
      const auto header = decode_header(std::span<const uint8_t, kHeaderBytes>(head, kHeaderBytes));
      count += header->type == kPositionType ? 1 : 0;
      at += kHeaderBytes + header->bytes;
    }
    return count;
  };
  now_ += 1s;
  int said = 0;
  for (uint16_t frame = 1; frame <= 20; frame++) {
    Flow flow = flow_of(frame, frame);
    flow.name = {base::Family::ipv4, frame, 1};
    ASSERT_TRUE(deliver(*b_, encode(Flows{{flow}}), now_).ok());
    said += positions(b_->produce(now_));
  }
  EXPECT_EQ(said, 1);
  EXPECT_EQ(positions(b_->produce(now_ + Session::kTick)), 1);
  EXPECT_EQ(positions(b_->produce(now_ + 2 * Session::kTick)), 0);
}

TEST_F(TwoNodes, SayHowFarTheyAre) {
  connect();
  turns(2 * kLines);
  table_a_.open(flow_of(1, 1));
  const std::string not_delivered = a_->produce(now_ + 1s);
  EXPECT_EQ(a_->report(now_ + 3s).behind, 1u);
  EXPECT_EQ(a_->report(now_ + 3s).behind_ms, 2s);
  ASSERT_TRUE(deliver(*b_, not_delivered, now_).ok());
  turns(2);
  EXPECT_EQ(a_->report(now_).behind, 0u);
  EXPECT_EQ(a_->report(now_).behind_ms, 0ms);
}

// Of a walk that goes on nothing is known, nor of one over a channel before this.
TEST_F(TwoNodes, KnowThatAWholeWalkIsAnswered) {
  for (uint16_t port = 1; port <= 10; port++) table_a_.open(flow_of(port, port));
  connect();
  turns(2);
  EXPECT_EQ(a_->report(now_).walks, 1u);
  EXPECT_FALSE(a_->report(now_).walk_answered);
  turns(2 * kLines);
  EXPECT_TRUE(a_->report(now_).walk_answered);
  EXPECT_FALSE(b_->report(now_).walk_answered) << "it tells of no walk";
  cut();
  EXPECT_FALSE(a_->report(now_).walk_answered);
  connect();
  turns(2);
  EXPECT_FALSE(a_->report(now_).walk_answered);
  turns(2 * kLines);
  EXPECT_TRUE(a_->report(now_).walk_answered);
}

// Who has been standby in between has flows that no walk of its has named.
TEST_F(TwoNodes, TellAllAnewToWhoBecomesStandby) {
  connect();
  turns(2 * kLines);
  ASSERT_TRUE(a_->report(now_).walk_answered);
  a_->set_role(Role::standby);
  turn();
  EXPECT_FALSE(a_->report(now_).walk_answered);
}

TEST_F(TwoNodes, SayHowFarTheyAreSoonerInAHurry) {
  connect();
  turns(2 * kLines);
  now_ += 1s;
  a_->produce(now_);
  b_->leave();
  EXPECT_EQ(b_->tick(), Session::kQuickTick);
  b_->produce(now_);
  Flow flow = flow_of(1, 1);
  ASSERT_TRUE(deliver(*b_, encode(Flows{{flow}}), now_).ok());
  EXPECT_FALSE(b_->produce(now_ + Session::kQuickTick).empty());
  b_->stop_leaving();
  ASSERT_TRUE(deliver(*b_, encode(Flows{{flow}}), now_).ok());
  EXPECT_TRUE(b_->produce(now_ + 2 * Session::kQuickTick).empty());
}

TEST_F(TwoNodes, AreRefusedForWhatCannotBe) {
  const auto say = [this](const Frame& frame) {
    const auto done = deliver(*b_, encode(frame), now_);
    return done.ok() ? "" : done.error().message();
  };
  b_->begin();
  EXPECT_THAT(say(WalkBegin{}), HasSubstr("does not greet"));
  EXPECT_THAT(say(Hello{2, 3, 1, kLines, kLines}), HasSubstr("versions 2 to 3"));
  EXPECT_THAT(say(Hello{1, 1, 1, 1u << 30, kLines}), HasSubstr("larger"));
  EXPECT_EQ(say(Hello{1, 9, 1, kLines, kLines}), "");
  EXPECT_THAT(say(Hello{1, 1, 1, kLines, kLines}), HasSubstr("again"));
  Flow flow = flow_of(1, 1);
  flow.name.line = kLines;
  EXPECT_THAT(say(Flows{{flow}}), HasSubstr("line 64"));
  EXPECT_THAT(say(Ends{{flow.name}}), HasSubstr("line 64"));
  EXPECT_EQ(say(WalkEnd{}), "");  // of a walk that began before: names nothing
  EXPECT_FALSE(b_->is_in_sync());
}

TEST_F(TwoNodes, WhatIsUnknownComesWhenItIsKnown) {
  table_b_.unknown_members = {5};
  for (uint16_t port = 1; port <= 10; port++) table_a_.open(flow_of(port, port));
  connect();
  turns(2 * kLines);
  EXPECT_EQ(b_->report(now_).unknown, 1u);
  EXPECT_TRUE(b_->follows());
  EXPECT_FALSE(b_->is_in_sync()) << "one of them is not here";
  EXPECT_FALSE(b_->report(now_).in_sync);
  EXPECT_EQ(b_->report(now_).synced, std::nullopt);
  turn();
  EXPECT_EQ(a_->report(now_).unknown_there, 1u);
  table_b_.unknown_members.clear();
  b_->ask_again();
  now_ += Sender::kWalkAtMostEvery;
  turns(2);
  EXPECT_EQ(a_->report(now_).walks, 2u);
  EXPECT_EQ(b_->report(now_).unknown, 1u) << "the walk has not said yet";
  turns(2 * kLines);
  EXPECT_EQ(table_b_.flows(), table_a_.flows());
  EXPECT_EQ(b_->report(now_).unknown, 0u);
  EXPECT_TRUE(b_->is_in_sync());
  EXPECT_NE(b_->report(now_).synced, std::nullopt);
}

// Asked for twice, and a walk has begun in between: of it nothing is unknown yet.
TEST_F(TwoNodes, WhatIsAskedForIsNotForgotten) {
  table_b_.unknown_members = {5};
  table_a_.open(flow_of(5, 5));
  connect();
  turns(2 * kLines);
  b_->ask_again();
  ASSERT_TRUE(deliver(*b_, encode(WalkBegin{}), now_).ok());
  b_->ask_again();
  now_ += Sender::kWalkAtMostEvery;
  turns(2);
  EXPECT_EQ(a_->report(now_).walks, 2u);
}

TEST_F(TwoNodes, NothingIsToldBeforeTheRoleOfTheOtherIsKnown) {
  b_->set_role(Role::active);
  table_a_.open(flow_of(1, 1));
  connect();
  EXPECT_EQ(a_->report(now_).peer, std::nullopt);
  a_->produce(now_);
  EXPECT_EQ(a_->report(now_).told, 0u);
  EXPECT_EQ(a_->report(now_).walks, 0u);
}

}  // namespace
}  // namespace pair
