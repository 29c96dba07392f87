#include "agent/datapath/checksums.h"

#include <gtest/gtest.h>

namespace datapath {
namespace {

TEST(Checksums, OfMostPackets) {
  EXPECT_EQ(judge({}), Checksums::there);
  EXPECT_EQ(judge({.asked = 3, .partial = 3}), Checksums::there) << "of too few";
  EXPECT_EQ(judge({.asked = 4, .partial = 2}), Checksums::there);
  EXPECT_EQ(judge({.asked = 4, .partial = 3}), Checksums::left_out);
}

TEST(Checksums, FewerPacketsSayTheSame) {
  for (uint64_t asked = 0; asked < 200; ++asked)
    for (uint64_t partial = 0; partial <= asked; ++partial) {
      const lb_checksums counted = {.asked = asked, .partial = partial}, fewer = faded(counted);
      ASSERT_EQ(judge(fewer), judge(counted)) << partial << " of " << asked;
      ASSERT_LE(fewer.partial, fewer.asked);
      ASSERT_LT(fewer.asked, 8u);
    }
}

TEST(Checksums, AFewPacketsOfAnotherEndAreEnough) {
  lb_checksums counted = faded({.asked = 1'000'000, .partial = 1'000'000});
  int packets = 0;
  for (; judge(counted) == Checksums::left_out; ++packets) {
    counted.asked++;
    counted = faded(counted);
  }
  EXPECT_LE(packets, 8);
  for (packets = 0; judge(counted) == Checksums::there; ++packets) {
    counted.asked++;
    counted.partial++;
    counted = faded(counted);
  }
  EXPECT_LE(packets, 8);
}

}  // namespace
}  // namespace datapath
