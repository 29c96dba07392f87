// What a flow's packets make of it: states, connections, the listener's limit.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/bpf/flow_table/flow_ops_fixture.h"

namespace flow_test {
namespace {

class FlowFollow : public FlowOps {};

INSTANTIATE_TEST_SUITE_P(Family, FlowFollow,
                         ::testing::Values(base::Family::ipv4, base::Family::ipv6),
                         [](const auto& test) {
                           return test.param == base::Family::ipv4 ? "IPv4" : "IPv6";
                         });

// A letter for who sends it, then what.
struct Story {
  std::vector<std::pair<char, uint32_t>> packets;
  uint32_t state;
};
constexpr auto kC = 'c', kM = 'm';

TEST_P(FlowFollow, TcpIsFollowed) {
  const std::vector<Story> stories = {
      {{{kC, kAck}}, LB_FLOW_HALF_OPEN},
      {{{kM, kAck}, {kC, kAck}}, LB_FLOW_HALF_OPEN},
      {{{kM, kSynAck}}, LB_FLOW_HALF_OPEN},
      {{{kM, kSynAck}, {kC, kSyn}}, LB_FLOW_HALF_OPEN},
      {{{kM, kSynAck}, {kM, kAck}}, LB_FLOW_HALF_OPEN},
      {{{kM, kSynAck}, {kC, kAck}}, LB_FLOW_OPEN},
      {{{kC, kFin}}, LB_FLOW_HALF_OPEN},
      {{{kM, kSynAck}, {kC, kFin}}, LB_FLOW_CLOSING_CLIENT},
      {{{kM, kSynAck}, {kM, kFin}}, LB_FLOW_CLOSING_MEMBER},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kFin}}, LB_FLOW_CLOSING_CLIENT},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kFin}, {kC, kFin}}, LB_FLOW_CLOSING_CLIENT},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kFin}, {kM, kAck}}, LB_FLOW_CLOSING_CLIENT},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kFin}, {kM, kFin}}, LB_FLOW_CLOSED},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kFin}}, LB_FLOW_CLOSING_MEMBER},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kFin}, {kC, kFin}}, LB_FLOW_CLOSED},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kFin}, {kC, kFin}, {kC, kFin}}, LB_FLOW_CLOSED},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kFin}, {kC, kFin}, {kC, kRst}}, LB_FLOW_RESET},
      {{{kC, kRst}}, LB_FLOW_RESET},
      {{{kM, kRst}}, LB_FLOW_RESET},
      {{{kM, kRst}, {kC, kAck}}, LB_FLOW_RESET},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kRst}}, LB_FLOW_RESET},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kRst}, {kM, kAck}}, LB_FLOW_OPEN},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kRst}, {kM, kAck}}, LB_FLOW_OPEN},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kRst}, {kC, kAck}}, LB_FLOW_OPEN},
      {{{kM, kSynAck}, {kC, kAck}, {kM, kRst}, {kM, kAck}, {kM, kRst}}, LB_FLOW_RESET},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kRst}, {kM, kFin}}, LB_FLOW_RESET},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kRst}, {kC, kFin}}, LB_FLOW_RESET},
      {{{kM, kSynAck}, {kC, kAck}, {kC, kRst}, {kC, kAck}}, LB_FLOW_OPEN},
  };
  for (size_t i = 0; i < stories.size(); i++) {
    ASSERT_GE(new_flow(1), 0);
    for (const auto& [side, flags] : stories[i].packets)
      note(side == kC ? *find_client(1) : *find_member(1), flags);
    EXPECT_STREQ(datapath::flow_state_name(state(1)), datapath::flow_state_name(stories[i].state))
        << "story " << i;
    ASSERT_TRUE(drop(*find_client(1)));
  }
}

// What blind guesses of somebody who knows the tuple may do: nothing.
TEST_P(FlowFollow, NumbersThatAreNotNearChangeNothing) {
  constexpr uint32_t kClientSeq = 0xffffff00, kMemberSeq = 0x7fffff00, kFar = 1 << 18;
  const auto client = [this](uint32_t flags, uint32_t seq) {
    return operate_note(*find_client(1), flags, seq, kMemberSeq + 1) == kChanged;
  };
  const auto member = [this](uint32_t flags, uint32_t seq) {
    return operate_note(*find_member(1), flags, seq, kClientSeq + 1) == kChanged;
  };
  ASSERT_GE(new_flow(1), 0);
  client(kSyn, kClientSeq);
  for (uint32_t flags : {kSynAck, kRst})
    EXPECT_FALSE(operate_note(*find_member(1), flags, kMemberSeq, kClientSeq + kFar) == kChanged);
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY) << "no answer to this SYN";
  member(kSynAck, kMemberSeq);
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY_SEEN);
  EXPECT_FALSE(client(kRst, kClientSeq + kFar));
  EXPECT_FALSE(client(kAck, kClientSeq - kFar));
  EXPECT_TRUE(client(kAck, kClientSeq + 1));
  const auto guess = [this](char ends, uint32_t flags, uint32_t seq, uint32_t ack) {
    return operate_note(ends == kC ? *find_client(1) : *find_member(1), flags, seq, ack) ==
           kChanged;
  };
  for (uint32_t off : {kFar, 0u - kFar, 0x80000000u}) {
    for (uint32_t flags : {kRst, kFin}) {
      EXPECT_FALSE(guess(kC, flags, kClientSeq + off, kMemberSeq + kFar)) << flags << " " << off;
      EXPECT_FALSE(guess(kM, flags, kMemberSeq + off, kClientSeq - kFar)) << flags << " " << off;
    }
    EXPECT_FALSE(client(kRst, kClientSeq + off)) << off << ": nobody looks at its acknowledgement";
    EXPECT_FALSE(member(kRst, kMemberSeq + off)) << off;
  }
  EXPECT_FALSE(client(kFin, kClientSeq - kFar)) << "it is old, whatever it acknowledges";
  EXPECT_FALSE(member(kFin, kMemberSeq - kFar));
  EXPECT_EQ(line(find_client(1)->index).next, kClientSeq + 1);
  EXPECT_TRUE(member(kRst, kMemberSeq + 1));
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY_RESET) << "or it would not be asked";
  EXPECT_FALSE(guess(kM, kAck, kMemberSeq + kFar, kClientSeq - kFar)) << "does not take it back";
  EXPECT_EQ(state(1), LB_FLOW_RESET);
  EXPECT_TRUE(member(kAck, kMemberSeq + 1));
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY_SEEN);
  EXPECT_TRUE(client(kFin, kClientSeq + 1));
  EXPECT_EQ(line(find_client(1)->index).next, kClientSeq + 2);
  EXPECT_TRUE(member(kFin, kMemberSeq + 1));
  EXPECT_EQ(state(1), LB_FLOW_CLOSED);
}

// More was lost before us than is near.
TEST_P(FlowFollow, NumbersFarAheadCountIfTheyAcknowledgeTheOtherSide) {
  constexpr uint32_t kClientSeq = 0xffffff00, kMemberSeq = 0x7fffff00, kFar = 1 << 18;
  ASSERT_GE(new_flow(1), 0);
  operate_note(*find_client(1), kSyn, kClientSeq, 0);
  operate_note(*find_member(1), kSynAck, kMemberSeq, kClientSeq + 1);
  operate_note(*find_client(1), kAck, kClientSeq + 1, kMemberSeq + 1);
  ASSERT_EQ(state(1), LB_FLOW_OPEN);
  EXPECT_EQ(operate_note(*find_client(1), kFin, kClientSeq + kFar, kMemberSeq + 1), kChanged);
  EXPECT_EQ(line(find_client(1)->index).next, kClientSeq + kFar + 1);
  EXPECT_EQ(operate_note(*find_member(1), kFin, kMemberSeq + kFar, kClientSeq + kFar + 1),
            kChanged);
  EXPECT_EQ(state(1), LB_FLOW_CLOSED);
}

TEST_P(FlowFollow, RefusalIsSwallowedAsLongAsThereAreOthers) {
  ASSERT_GE(new_flow(1), 0);
  lb_flow& reply = line(find_member(1)->index);
  reply.next = 2 << LB_OTHERS_SHIFT;
  reply.bytes = 7;
  operate_note(*find_client(1), kSyn, 1000);
  EXPECT_EQ(operate_note(*find_member(1), kRst, 0, 1001 + (1 << 18)), 0) << "of another SYN";
  EXPECT_EQ(operate_note(*find_member(1), kRst, 0, 1001), kSwallowed);
  EXPECT_EQ(reply.next, LB_REFUSED | 2 << LB_OTHERS_SHIFT | 1);
  EXPECT_EQ(state(1), LB_FLOW_HALF_OPEN);
  reply.next = 1;
  EXPECT_EQ(operate_note(*find_member(1), kRst, 0, 1001), kChanged);
  EXPECT_EQ(state(1), LB_FLOW_RESET);
  EXPECT_EQ(reply.bytes, 0u);
}

TEST_P(FlowFollow, WhatWasTriedIsNoTraffic) {
  ASSERT_GE(new_flow(1), 0);
  line(find_member(1)->index).bytes = 7;
  ASSERT_TRUE(drop(*find_client(1)));
  EXPECT_EQ(counted(kService).bytes_out, 0u);
  ASSERT_GE(new_flow(1), 0);
  line(find_member(1)->index).bytes = 7;
  open(1);
  EXPECT_EQ(line(find_member(1)->index).bytes, 0u);
}

TEST_P(FlowFollow, SynsAreCountedUntilTheMemberAnswers) {
  ASSERT_GE(new_flow(1), 0);
  const uint32_t reply = find_member(1)->index;
  for (uint32_t syns = 1; syns <= 3; syns++) {
    operate_note(*find_client(1), kSyn, 1000);
    EXPECT_EQ(line(reply).next, syns);
  }
  EXPECT_EQ(line(find_client(1)->index).next, 1001u);
  operate_note(*find_member(1), kSynAck, 5000, 1001);
  EXPECT_EQ(line(reply).next, 5001u);
  operate_note(*find_client(1), kSyn, 1000);
  EXPECT_EQ(line(reply).next, 5001u);
}

// Of the flow, and what it then counts among: opening; flows; closing.
TEST_P(FlowFollow, UseFollowsTheState) {
  struct Step {
    char side;
    uint32_t flags, opening, flows, closing;
  };
  const std::vector<std::vector<Step>> lives = {
      {{kM, kSynAck, 1, 0, 0}, {kC, kAck, 0, 1, 0}, {kC, kFin, 0, 1, 1}, {kM, kFin, 0, 0, 0}},
      {{kM, kSynAck, 1, 0, 0}, {kC, kAck, 0, 1, 0}, {kM, kFin, 0, 1, 1}, {kM, kRst, 0, 0, 0}},
      {{kM, kSynAck, 1, 0, 0}, {kC, kFin, 0, 1, 1}, {kM, kFin, 0, 0, 0}, {kC, kRst, 0, 0, 0}},
      {{kM, kSynAck, 1, 0, 0}, {kC, kAck, 0, 1, 0}, {kC, kRst, 0, 0, 0}, {kC, kAck, 0, 1, 0}},
      {{kM, kRst, 0, 0, 0}},
  };
  for (size_t life = 0; life < lives.size(); life++) {
    for (size_t ended_after = 0; ended_after <= lives[life].size(); ended_after++) {
      SCOPED_TRACE(life * 100 + ended_after);
      ASSERT_GE(new_flow(1), 0);
      for (size_t i = 0; i < ended_after; i++) {
        const Step& step = lives[life][i];
        note(step.side == kC ? *find_client(1) : *find_member(1), step.flags);
        EXPECT_EQ(opening(), step.opening) << "step " << i;
        EXPECT_EQ(backend_use().flows, step.flows) << "step " << i;
        EXPECT_EQ(service_use().flows, step.flows) << "step " << i;
        EXPECT_EQ(service_use().closing, step.closing) << "step " << i;
      }
      ASSERT_TRUE(drop(*find_client(1)));
      expect_unused();
    }
  }
}

TEST_P(FlowFollow, NoMoreConnectionsThanTheListenersLimit) {
  set_limit(kService, {2, kService});
  for (uint32_t id = 1; id <= 2; id++) {
    ASSERT_GE(new_flow(id), 0);
    open(id);
  }
  ASSERT_GE(new_flow(3), 0);
  note(*find_member(3), kSynAck);
  EXPECT_EQ(operate_note(*find_client(3), kAck), kOverLimit);
  EXPECT_EQ(operate_note(*find_client(3), kFin), kOverLimit);
  EXPECT_EQ(state(3), LB_FLOW_HALF_OPEN);
  EXPECT_EQ(service_use().flows, 2u);
  EXPECT_EQ(opening(), 1u);
  note(*find_client(1), kFin);
  EXPECT_EQ(operate_note(*find_client(3), kAck), kOverLimit) << "closed by one side only";
  note(*find_member(1), kFin);
  EXPECT_TRUE(note(*find_client(3), kAck));
  EXPECT_EQ(state(3), LB_FLOW_OPEN);
}

TEST_P(FlowFollow, TheLimitIsOfAllServicesOfTheListener) {
  constexpr uint32_t kOther = kService + 1, kStranger = kService + 2;
  set_limit(kService, {2, kOther});
  set_limit(kOther, {2, kService});
  memory().service_use()[kStranger].flows = 9;
  memory().service_use()[kOther].flows = 1;
  ASSERT_GE(new_flow(1), 0);
  open(1);
  ASSERT_GE(new_flow(2), 0);
  note(*find_member(2), kSynAck);
  EXPECT_EQ(operate_note(*find_client(2), kAck), kOverLimit);
  memory().service_use()[kOther].flows = 0;
  EXPECT_TRUE(note(*find_client(2), kAck));
}

}  // namespace
}  // namespace flow_test
