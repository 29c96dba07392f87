// Each operation of bpf/flow_table.h on a small table, in both families.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/bpf/flow_table/flow_ops_fixture.h"

namespace flow_test {
namespace {

INSTANTIATE_TEST_SUITE_P(Family, FlowOps, ::testing::Values(base::Family::ipv4, base::Family::ipv6),
                         [](const auto& test) {
                           return test.param == base::Family::ipv4 ? "IPv4" : "IPv6";
                         });

TEST_P(FlowOps, NewFlowIsFoundFromBothSides) {
  const int forward = new_flow(1);
  ASSERT_GE(forward, 0);
  const auto client = find_client(1), member = find_member(1);
  ASSERT_TRUE(client && member);
  EXPECT_EQ(client->index, static_cast<uint32_t>(forward));
  EXPECT_EQ(client->index, home_of(client_line(1)));
  EXPECT_EQ(line(client->index).peer, member->index);
  EXPECT_EQ(line(member->index).peer, client->index);
  EXPECT_EQ(state(1), LB_FLOW_HALF_OPEN);
  EXPECT_EQ(service_use().flows, 0u) << "not established";
  EXPECT_EQ(opening(), 1u);
  EXPECT_FALSE(find_client(2));
}

TEST_P(FlowOps, TupleIsLiveOnce) {
  ASSERT_GE(new_flow(1), 0);
  lb_flow6 again = member_line(1);
  EXPECT_EQ(insert(again), kExists);
}

TEST_P(FlowOps, SecondComerGivesItsReplyLineBack) {
  ASSERT_GE(new_flow(1), 0);
  lb_flow6 reply = member_line(2);
  reply.line.word = next_position();
  const int line = insert(reply);
  ASSERT_GE(line, 0);
  lb_flow6 forward = client_line(1);
  forward.line.peer = static_cast<uint32_t>(line);
  EXPECT_EQ(insert(forward), kExists);
  give_back(line);
  EXPECT_FALSE(find_member(2));
  EXPECT_TRUE(find_client(1) && find_member(1));
  EXPECT_EQ(opening(), 1u);
}

TEST_P(FlowOps, FullBucketSpillsToTheSecond) {
  const auto ids = ids_in(Side::member, 2, 5, LB_FLOW_WAYS + 1);
  for (size_t i = 0; i < LB_FLOW_WAYS; i++)
    EXPECT_EQ(insert_reply(ids[i]) / LB_FLOW_WAYS, 2) << "flow " << i;
  EXPECT_EQ(lines().buckets()[2].lock & 2, 0u);
  EXPECT_EQ(insert_reply(ids.back()) / LB_FLOW_WAYS, 5);
  EXPECT_EQ(lines().buckets()[2].lock & 2, 2u);
  for (uint32_t id : ids) EXPECT_TRUE(find_member(id)) << id;
  EXPECT_EQ(insert(member_line(ids.back())), kExists) << "in the second bucket, too";

  take_back(static_cast<int>(find_member(ids.front())->index));
  EXPECT_TRUE(find_member(ids.back())) << "room in the first bucket hides nothing";
  EXPECT_EQ(insert(member_line(ids.back())), kExists);
}

TEST_P(FlowOps, BothBucketsFullIsRefused) {
  const auto ids = ids_in(Side::member, 2, 5, 2 * LB_FLOW_WAYS + 1);
  for (size_t i = 0; i < 2 * LB_FLOW_WAYS; i++) ASSERT_GE(insert_reply(ids[i]), 0) << i;
  EXPECT_EQ(insert_reply(ids.back()), kNoRoom);
  EXPECT_FALSE(find_member(ids.back()));
  const auto freed = find_member(ids.front());
  take_back(static_cast<int>(freed->index));
  EXPECT_EQ(insert_reply(ids.back()), static_cast<int>(freed->index));
}

TEST_P(FlowOps, BucketsThatCrossShareTheirLines) {
  auto there = ids_in(Side::member, 2, 5, 9);
  auto back = ids_in(Side::member, 5, 2, 9);
  for (size_t i = 0; i < 8; i++) {
    ASSERT_GE(insert_reply(there[i]), 0);
    ASSERT_GE(insert_reply(back[i]), 0);
  }
  EXPECT_EQ(insert_reply(there[8]), kNoRoom);
  EXPECT_EQ(insert_reply(back[8]), kNoRoom);
  take_back(static_cast<int>(find_member(back[0])->index));
  EXPECT_EQ(insert_reply(there[8]) / LB_FLOW_WAYS, 5);
  EXPECT_EQ(insert_reply(back[8]), kNoRoom);
  for (size_t i = 1; i < 8; i++) EXPECT_TRUE(find_member(there[i]) && find_member(back[i]));
}

TEST_P(FlowOps, ForwardTupleWithoutRoomLeavesNothingBehind) {
  const auto forward = ids_in(Side::client, 1, 6, 1).front();
  for (uint32_t bucket : {1u, 6u})
    for (uint32_t id : ids_in(Side::member, bucket, std::nullopt, LB_FLOW_WAYS))
      ASSERT_EQ(static_cast<uint32_t>(insert_reply(id)) / LB_FLOW_WAYS, bucket);
  const uint32_t lost = ids_in(Side::member, 3, 4, 1).front();
  lb_flow6 reply = member_line(lost);
  reply.line.word = next_position();
  const int index = insert(reply);
  ASSERT_GE(index, 0);
  lb_flow6 made = client_line(forward);
  made.line.peer = static_cast<uint32_t>(index);
  EXPECT_EQ(insert(made), kNoRoom);
  give_back(index);
  EXPECT_FALSE(find_member(lost));
  expect_unused();
}

TEST_P(FlowOps, FreedLineIsForgottenAndItsGenerationOver) {
  ASSERT_GE(new_flow(1), 0);
  const Hit first = *find_client(1);
  const Hit first_reply = *find_member(1);
  EXPECT_TRUE(drop(first));
  EXPECT_FALSE(find_client(1) || find_member(1));
  expect_unused();
  ASSERT_GE(new_flow(1), 0);
  EXPECT_EQ(find_client(1)->word >> 32, (first.word >> 32) + 1);
  EXPECT_EQ(find_member(1)->word >> 32, (first_reply.word >> 32) + 1);
  EXPECT_FALSE(drop(first)) << "that word is of the flow before";
  EXPECT_FALSE(note(first, kRst));
  EXPECT_FALSE(note(first_reply, kRst)) << "its line is another flow's now";
  EXPECT_EQ(state(1), LB_FLOW_HALF_OPEN);
}

TEST_P(FlowOps, EndedFlowIsCountedForItsService) {
  ASSERT_GE(new_flow(1), 0);
  open(1);
  lb_flow& in = line(find_client(1)->index);
  in.bytes = 300;
  lb_flow& out = line(find_member(1)->index);
  out.bytes = 5000;
  ASSERT_TRUE(drop(*find_client(1)));
  const lb_service_counters sum = counted(kService);
  EXPECT_EQ(sum.bytes_in, 300u);
  EXPECT_EQ(sum.bytes_out, 5000u);
}

TEST_P(FlowOps, ChangedMeanwhileIsNotDropped) {
  ASSERT_GE(new_flow(1), 0);
  const Hit half_open = *find_client(1);
  open(1);
  EXPECT_FALSE(drop(half_open));
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
}

TEST_P(FlowOps, NewFlowsEndTheOldestHalfOpenOne) {
  for (uint32_t id = 1; id <= kRing + 1; id++) ASSERT_GE(new_flow(id), 0);
  EXPECT_FALSE(find_client(1) || find_member(1));
  for (uint32_t id = 2; id <= kRing + 1; id++) EXPECT_TRUE(find_client(id)) << id;
  EXPECT_EQ(overwritten(), 1u);
  EXPECT_EQ(opening(), kRing);
}

TEST_P(FlowOps, NewFlowsEndNoOtherFlow) {
  ASSERT_GE(new_flow(1), 0);
  open(1);
  ASSERT_GE(new_flow(2), 0);
  open(2);
  note(*find_client(2), kFin);
  ASSERT_GE(new_flow(3), 0);
  open(3);
  note(*find_client(3), kRst);
  ASSERT_GE(new_flow(4), 0);
  ASSERT_TRUE(drop(*find_client(4)));
  for (uint32_t id = 5; id < 5 + 2 * kRing; id++) ASSERT_GE(new_flow(id), 0);
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
  EXPECT_EQ(state(2), LB_FLOW_CLOSING_CLIENT);
  EXPECT_EQ(state(3), LB_FLOW_RESET);
  EXPECT_EQ(overwritten(), kRing);
}

TEST_P(FlowOps, ResetBeforeItWasOpenStaysInItsRing) {
  ASSERT_GE(new_flow(1), 0);
  note(*find_member(1), kRst);
  ASSERT_EQ(state(1), LB_FLOW_RESET);
  for (uint32_t id = 2; id <= kRing + 1; id++) ASSERT_GE(new_flow(id), 0);
  EXPECT_FALSE(find_client(1));
}

TEST_P(FlowOps, OpenFlowLeavesItsRing) {
  ASSERT_GE(new_flow(1), 0);
  const uint32_t position = lb_word_position(find_client(1)->word);
  open(1);
  EXPECT_EQ(lines().half()[position].entry, 0u);
}

TEST_P(FlowOps, SynOnAClosingFlowStartsAfresh) {
  ASSERT_GE(new_flow(1), 0);
  open(1);
  note(*find_client(1), kFin);
  note(*find_member(1), kFin);
  ASSERT_EQ(state(1), LB_FLOW_CLOSED);
  ASSERT_TRUE(drop(*find_client(1)));
  ASSERT_GE(new_flow(1), 0);
  EXPECT_EQ(state(1), LB_FLOW_HALF_OPEN);
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY) << "not answered yet";
}

TEST_P(FlowOps, RedispatchTakesAnotherReplyTuple) {
  ASSERT_GE(new_flow(1), 0);
  ASSERT_TRUE(drop(*find_client(1)));
  lb_flow6 reply = member_line(2);
  reply.line.word = next_position();
  const int line = insert(reply);
  ASSERT_GE(line, 0);
  lb_flow6 forward = client_line(1);
  forward.line.word = reply.line.word;
  forward.line.peer = static_cast<uint32_t>(line);
  ASSERT_GE(insert(forward), 0);
  EXPECT_FALSE(find_member(1));
  EXPECT_TRUE(find_member(2));
  EXPECT_EQ(opening(), 1u);
}

TEST_P(FlowOps, DatagramsOpenWhenTheClientGoesOnAfterAnAnswer) {
  protocol_ = 17;
  ASSERT_GE(new_flow(1), 0);
  EXPECT_FALSE(note(*find_client(1), kDatagram));
  EXPECT_EQ(state(1), LB_FLOW_HALF_OPEN);
  EXPECT_FALSE(note(*find_member(1), kDatagram));
  EXPECT_FALSE(note(*find_member(1), kDatagram));
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY_SEEN);
  EXPECT_EQ(state(1), LB_FLOW_HALF_OPEN) << "the question may have been forged";
  EXPECT_TRUE(note(*find_client(1), kDatagram));
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
}

TEST_P(FlowOps, DatagramsThatNobodyAnswersOpenWithTheThird) {
  protocol_ = 17;
  ASSERT_GE(new_flow(1), 0);
  line(find_client(1)->index).packets = 2;
  EXPECT_FALSE(note(*find_client(1), kDatagram));
  line(find_client(1)->index).packets = 3;
  EXPECT_TRUE(note(*find_client(1), kDatagram));
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY) << "one way";
}

TEST_P(FlowOps, ReplyOfAFlowThatIsMissingItsForwardLineChangesNothing) {
  ASSERT_GE(insert_reply(1), 0);
  EXPECT_FALSE(note(*find_member(1), kRst));
  EXPECT_FALSE(note(*find_member(1), kDatagram));
  EXPECT_EQ(word_state(find_member(1)->word), LB_FLOW_REPLY);
}

using FlowOps6 = Flows;

TEST_F(FlowOps6, AddressesAreComparedWhenTheirHashesAreEqual) {
  family_ = base::Family::ipv6;
  lb_flow6 one = member_line(1), two = member_line(1);
  one.line.tuple.src = two.line.tuple.src = 1;
  one.line.tuple.dst = two.line.tuple.dst = 2;
  two.src.ip[3] ^= 1;
  lb_flow6 three = one;
  three.dst.ip[0] ^= 1;
  const int first = insert(one), second = insert(two), third = insert(three);
  ASSERT_EQ((std::set<int>{first, second, third}.size()), 3u);
  EXPECT_EQ(find(one)->index, static_cast<uint32_t>(first));
  EXPECT_EQ(find(two)->index, static_cast<uint32_t>(second));
  EXPECT_EQ(find(three)->index, static_cast<uint32_t>(third));
  for (int index : {first, second, third}) give_back(index);
}

TEST(FlowLayout, SecondBucketIsNeverTheHomeBucket) {
  std::mt19937_64 dice(1);
  for (int i = 0; i < 100000; i++) {
    const uint64_t hash = dice();
    EXPECT_NE(lb_home_line(hash, 1024) / LB_FLOW_WAYS, lb_second_line(hash, 1024) / LB_FLOW_WAYS);
  }
}

// Addresses that differ in two related bits must not collide whatever the seed is.
TEST(FlowLayout, NoPairOfAddressesCollidesForEverySeed) {
  const lb_addr dst{};
  for (int high = 56; high < 64; high++) {
    for (int low = 0; low < 64 * 64; low++) {
      int collisions = 0;
      for (uint64_t seed = 1; seed <= 16; seed++) {
        uint64_t words[2] = {1ull << high, 1ull << low % 64 | 1ull << low / 64};
        lb_addr a{}, b{};
        std::memcpy(a.ip, words, sizeof(words));
        const uint64_t key = seed * 0x9e3779b97f4a7c15ull;
        collisions += lb_hash_addresses(&a, &dst, key) == lb_hash_addresses(&b, &dst, key);
      }
      EXPECT_LT(collisions, 2);
    }
  }
}

// The same for differences in the top bits of any of the eight words, in all their combinations.
TEST(FlowLayout, TopBitsOfAddressesDoNotCollideForEverySeed) {
  for (unsigned set = 1; set < 256; set++) {
    int collisions = 0;
    for (uint64_t seed = 1; seed <= 64; seed++) {
      lb_addr src{}, dst{}, other_src{}, other_dst{};
      for (unsigned word = 0; word < 8; word++)
        if (set >> word & 1) (word < 4 ? other_src : other_dst).ip[word % 4] = 0x80000000;
      const uint64_t key = seed * 0x9e3779b97f4a7c15ull;
      collisions +=
          lb_hash_addresses(&src, &dst, key) == lb_hash_addresses(&other_src, &other_dst, key);
    }
    EXPECT_LT(collisions, 2) << "words " << set;
  }
}

}  // namespace
}  // namespace flow_test
