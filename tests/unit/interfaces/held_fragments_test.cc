// Fragments that wait for the first one of their packet: how many, how long, and in which order
// they go.
#include "agent/datapath/held_fragments.h"

#include <gtest/gtest.h>

namespace datapath {
namespace {

using std::chrono::milliseconds;
using Room = HeldFragments::Room;

lb_trace_key packet(uint32_t source, uint32_t id) {
  lb_trace_key key{};
  key.src.ip[0] = source;
  key.id = id;
  return key;
}

HeldFragment fragment(const lb_trace_key& key, milliseconds at = {}, size_t bytes = 100) {
  return {key, at, 1, std::vector<uint8_t>(bytes)};
}

const auto kAll = [](const lb_trace_key&) { return true; };
const auto kNone = [](const lb_trace_key&) { return false; };

TEST(HeldFragments, GoInTheOrderInWhichTheyCameOnceTheFirstHasCome) {
  HeldFragments held;
  for (uint32_t bytes : {3, 1, 2})
    EXPECT_EQ(held.keep(fragment(packet(1, 1), {}, bytes)), Room::there);
  auto early = held.take_due(milliseconds(99), kNone);
  EXPECT_TRUE(early.go.empty());
  EXPECT_TRUE(early.lost.empty());
  EXPECT_FALSE(held.empty());
  const auto due = held.take_due(milliseconds(99), kAll);
  ASSERT_EQ(due.go.size(), 3u);
  EXPECT_EQ(due.go[0].frame.size(), 3u);
  EXPECT_EQ(due.go[1].frame.size(), 1u);
  EXPECT_EQ(due.go[2].frame.size(), 2u);
  EXPECT_TRUE(due.lost.empty());
  EXPECT_TRUE(held.empty());
}

TEST(HeldFragments, OnlyThoseOfThePacketThatHasCome) {
  HeldFragments held;
  held.keep(fragment(packet(1, 1)));
  held.keep(fragment(packet(1, 2)));
  held.keep(fragment(packet(1, 1)));
  int asked = 0;
  const auto due = held.take_due({}, [&asked](const lb_trace_key& key) {
    asked++;
    return key.id == 2;
  });
  EXPECT_EQ(asked, 2) << "once for each packet";
  ASSERT_EQ(due.go.size(), 1u);
  EXPECT_EQ(due.go[0].key.id, 2u);
  EXPECT_FALSE(held.empty());
}

TEST(HeldFragments, AreLostAfterAWhile) {
  HeldFragments held;
  held.keep(fragment(packet(1, 1), milliseconds(1000)));
  held.keep(fragment(packet(1, 1), milliseconds(1050)));
  auto due = held.take_due(milliseconds(1100), kNone);
  EXPECT_TRUE(due.go.empty());
  EXPECT_EQ(due.lost.size(), 1u);
  EXPECT_EQ(held.take_due(milliseconds(1149), kNone).lost.size(), 0u);
  EXPECT_EQ(held.take_due(milliseconds(1150), kNone).lost.size(), 1u);
  EXPECT_TRUE(held.empty());
}

TEST(HeldFragments, OfOneSourceSoMany) {
  HeldFragments held;
  for (size_t i = 0; i < HeldFragments::kMostOfSource; ++i)
    ASSERT_EQ(held.keep(fragment(packet(1, static_cast<uint32_t>(i)))), Room::there);
  EXPECT_EQ(held.keep(fragment(packet(1, 7))), Room::none);
  EXPECT_EQ(held.keep(fragment(packet(2, 7))), Room::there) << "another one has its own";
  held.take_due({}, kAll);
  EXPECT_EQ(held.keep(fragment(packet(1, 7))), Room::there);
}

TEST(HeldFragments, SoManyInAll) {
  HeldFragments held;
  for (uint32_t i = 0; i < HeldFragments::kMost; ++i)
    ASSERT_EQ(held.keep(fragment(packet(i, 1))), Room::there);
  EXPECT_EQ(held.keep(fragment(packet(9999, 1))), Room::none);
  held.take_due(HeldFragments::kPatience, kNone);
  EXPECT_EQ(held.keep(fragment(packet(9999, 1))), Room::there);
}

TEST(HeldFragments, SoManyBytesInAll) {
  HeldFragments held;
  constexpr size_t kLarge = 2000;
  uint32_t source = 0;
  for (size_t bytes = 0; bytes + kLarge <= HeldFragments::kMostBytes; bytes += kLarge)
    ASSERT_EQ(held.keep(fragment(packet(source++, 1), {}, kLarge)), Room::there);
  EXPECT_LT(source, HeldFragments::kMost);
  EXPECT_EQ(held.keep(fragment(packet(source, 1), {}, kLarge)), Room::none);
}

}  // namespace
}  // namespace datapath
