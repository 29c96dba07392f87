// What a node of a pair makes of its flows' lives.
#include "agent/serve/pair_life.h"

#include <gtest/gtest.h>

namespace serve {
namespace {

using datapath::FlowLife;

constexpr uint32_t kNow = 100000, kSecond = 1000 / LB_TICK_MS;

FlowLife open_for(uint32_t idle) { return {.state = LB_FLOW_OPEN, .idle = idle}; }
bool moves() { return true; }
bool stays() { return false; }

const PairView kFollows{.is_standby = true, .follows = true, .now = kNow, .ages_from = kNow};

TEST(LifeInAPair, OfWhatTheOtherNodeHasDoesNotAge) {
  const FlowLife life = life_in_pair(open_for(500 * kSecond), kFollows, true, moves);
  EXPECT_EQ(life.idle, 0u);
  EXPECT_FALSE(life.is_elsewhere);
}

TEST(LifeInAPair, OfWhatTheOtherNodeDoesNotHaveIsOverSoon) {
  EXPECT_FALSE(life_in_pair(open_for(2 * kSecond), kFollows, false, moves).is_elsewhere);
  EXPECT_TRUE(life_in_pair(open_for(2 * kSecond + 1), kFollows, false, moves).is_elsewhere);
  const FlowLife here = life_in_pair(open_for(9 * kSecond), kFollows, false, stays);
  EXPECT_FALSE(here.is_elsewhere) << "it cannot be at the other node";
  EXPECT_EQ(here.idle, 9 * kSecond);
}

TEST(LifeInAPair, OfWhatIsNoConnectionIsThisNodes) {
  for (const auto state : {LB_FLOW_HALF_OPEN, LB_FLOW_CLOSED, LB_FLOW_RESET}) {
    FlowLife life = open_for(9 * kSecond);
    life.state = state;
    life = life_in_pair(life, kFollows, false, moves);
    EXPECT_FALSE(life.is_elsewhere);
    EXPECT_EQ(life.idle, 9 * kSecond);
  }
}

// Nobody says what is elsewhere: the other node is not there, or has no VIPs either.
TEST(LifeInAPair, AgesFromWhenThisNodeFollowedLast) {
  PairView view = kFollows;
  view.follows = false;
  view.ages_from = kNow - 3 * kSecond;
  for (const bool is_standby : {true, false}) {
    view.is_standby = is_standby;
    const FlowLife life = life_in_pair(open_for(500 * kSecond), view, false, moves);
    EXPECT_EQ(life.idle, 3 * kSecond);
    EXPECT_FALSE(life.is_elsewhere);
    EXPECT_EQ(life_in_pair(open_for(kSecond), view, false, moves).idle, kSecond);
  }
}

TEST(LifeInAPair, HasComeHereWithItsFirstPacketAfterATakeOver) {
  PairView view{.is_standby = false, .now = kNow, .active_from = kNow - 3 * kSecond};
  EXPECT_TRUE(has_come(open_for(3 * kSecond - 1), view));
  EXPECT_FALSE(has_come(open_for(3 * kSecond), view)) << "it may have been told in that tick";
  view.is_standby = true;
  EXPECT_FALSE(has_come(open_for(0), view));
}

}  // namespace
}  // namespace serve
