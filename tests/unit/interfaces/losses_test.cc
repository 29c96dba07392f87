// What was lost after XDP had sent it, from look to look.
#include "agent/datapath/losses.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace datapath {
namespace {

constexpr uint32_t kEth1 = 2, kEth2 = 3;
using Interfaces = std::set<uint32_t>;

TEST(Losses, AreThoseSinceTheLookBefore) {
  Losses losses;
  losses.look({{kEth1, {10, ENETDOWN}}});
  EXPECT_EQ(losses.losing().at(kEth1).packets, 10u);
  losses.look({{kEth1, {13, ENETDOWN}}, {kEth2, {1, EMSGSIZE}}});
  EXPECT_EQ(losses.losing().at(kEth1).packets, 3u);
  EXPECT_EQ(losses.losing().at(kEth2).error, EMSGSIZE);
  losses.look({{kEth1, {13, ENETDOWN}}, {kEth2, {1, EMSGSIZE}}});
  EXPECT_TRUE(losses.losing().empty());
}

TEST(Losses, WantOfRoomPasses) {
  Losses losses;
  for (uint64_t packets = 1; packets < 4; packets++) {
    EXPECT_EQ(losses.look({{kEth1, {packets, 0}}}), Interfaces{});
    EXPECT_TRUE(losses.losing().empty());
  }
  EXPECT_FALSE(losses.refuses(kEth1));
}

// A driver that takes no frames for a moment (its other end is made anew) will take them again.
TEST(Losses, ADriverThatTakesNothingTwiceInARowRefuses) {
  for (const int error : {ENXIO, EOPNOTSUPP}) {
    Losses losses;
    EXPECT_EQ(losses.look({{kEth1, {5, error}}}), Interfaces{});
    EXPECT_EQ(losses.look({{kEth1, {5, error}}}), Interfaces{});
    EXPECT_EQ(losses.look({{kEth1, {6, error}}}), Interfaces{});
    EXPECT_EQ(losses.look({{kEth1, {7, error}}}), Interfaces{kEth1});
    EXPECT_TRUE(losses.refuses(kEth1));
    EXPECT_EQ(losses.look({{kEth1, {8, error}}}), Interfaces{});  // it was said
    EXPECT_TRUE(losses.refuses(kEth1));
    EXPECT_FALSE(losses.refuses(kEth2));
  }
  Losses down;
  for (uint64_t packets = 1; packets < 5; packets++) down.look({{kEth1, {packets, ENETDOWN}}});
  EXPECT_FALSE(down.refuses(kEth1));
}

TEST(Losses, OfAnInterfaceThatHasGoneAreForgotten) {
  Losses losses;
  losses.look({{kEth1, {1, ENXIO}}, {kEth2, {1, ENXIO}}});
  losses.look({{kEth1, {2, ENXIO}}, {kEth2, {2, ENXIO}}});
  losses.forget_others({kEth2});
  EXPECT_FALSE(losses.refuses(kEth1));
  EXPECT_TRUE(losses.refuses(kEth2));
  EXPECT_FALSE(losses.losing().contains(kEth1));
}

}  // namespace
}  // namespace datapath
