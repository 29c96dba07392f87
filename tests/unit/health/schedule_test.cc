#include "health/schedule.h"

#include <gtest/gtest.h>

#include <map>

namespace health {
namespace {

using namespace std::chrono_literals;

const Time kNow{123456789ms};

Target target(std::chrono::milliseconds delay, uint8_t number = 7) {
  Target t;
  t.member.bytes[15] = number;
  t.delay = delay;
  return t;
}

TEST(Schedule, TheFirstTurnIsWithinASecondThenEveryInterval) {
  for (auto delay : {100ms, 1000ms, 5000ms, 60000ms}) {
    const Target t = target(delay);
    Time turn = first_turn(t, kNow);
    EXPECT_GE(turn, kNow);
    EXPECT_LE(turn, kNow + std::min(1000ms, delay));
    Time next = next_turn(t, turn, turn);
    EXPECT_GE(next - turn, delay / 2);
    EXPECT_LE(next - turn, delay * 3 / 2);
    for (turn = next; turn < kNow + 10 * delay; turn = next) {
      next = next_turn(t, turn, turn + delay / 3);
      EXPECT_EQ(next - turn, delay);
    }
  }
}

TEST(Schedule, NoDelayIsNoStorm) { EXPECT_EQ(interval_of(target(0ms)), 100ms); }

// A probe that timed out ends just after the next turn, which it must not cost.
TEST(Schedule, OnlyTurnsWhollyInThePastAreLeftOut) {
  const Target t = target(1000ms);
  const Time turn = first_turn(t, kNow);
  EXPECT_EQ(next_turn(t, turn, turn + 1001ms), turn + 1000ms);
  EXPECT_EQ(next_turn(t, turn, turn + 1999ms), turn + 1000ms);
  EXPECT_EQ(next_turn(t, turn, turn + 2000ms), turn + 2000ms);
  EXPECT_EQ(next_turn(t, turn, turn + 7500ms), turn + 7000ms);
}

TEST(Schedule, MembersAreSpreadOverTheInterval) {
  std::map<int64_t, int> tenths;
  for (int i = 0; i < 1000; i++) {
    Target t = target(5000ms);
    t.member.bytes[3] = static_cast<uint8_t>(i / 256);
    t.member.bytes[15] = static_cast<uint8_t>(i);
    Time turn = first_turn(t, kNow);
    turn = next_turn(t, turn, kNow);
    tenths[(turn.time_since_epoch() % 5000ms) / 500ms]++;
  }
  EXPECT_EQ(tenths.size(), 10u);
  for (const auto& [tenth, members] : tenths) {
    EXPECT_GT(members, 60) << tenth;
    EXPECT_LT(members, 140) << tenth;
  }
}

}  // namespace
}  // namespace health
