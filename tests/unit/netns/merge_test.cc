// merge(): neighbours that change are looked at one by one.
#include <gtest/gtest.h>

#include "netns/watch.h"
#include "tests/unit/netns/fake_machine.h"

namespace netns_test {
namespace {

using netns::Changes;
using netns::merge;
using netns::Observed;

const base::MacAddress kOld = mac("02:00:00:00:00:01");
const base::MacAddress kNew = mac("02:00:00:00:00:02");

Observed two_hops_behind_one() {
  Observed out;
  out.neighbours[{2, ip("192.0.2.1")}] = kOld;
  out.hops[ip("203.0.113.9")] = {2, ip("192.0.2.1"), ip("192.0.2.5"), kOld};
  out.hops[ip("192.0.2.1")] = {2, {}, ip("192.0.2.5"), kOld};
  out.hops[ip("192.0.2.7")] = {2, {}, ip("192.0.2.5"), {}};
  return out;
}

Changes change(const char* address, std::optional<base::MacAddress> to) {
  Changes out;
  out.neighbours[{2, ip(address)}] = to;
  return out;
}

TEST(Merge, AGatewayChangesAllItsHops) {
  Observed seen = two_hops_behind_one();
  EXPECT_TRUE(merge(seen, change("192.0.2.1", kNew)));
  EXPECT_EQ(seen.neighbours.at({2, ip("192.0.2.1")}), kNew);
  EXPECT_EQ(seen.hops[ip("203.0.113.9")].neighbour, kNew);
  EXPECT_EQ(seen.hops[ip("192.0.2.1")].neighbour, kNew);
  EXPECT_EQ(seen.hops[ip("192.0.2.7")].neighbour, std::nullopt);
}

TEST(Merge, OneThatGoesIsForgotten) {
  Observed seen = two_hops_behind_one();
  EXPECT_TRUE(merge(seen, change("192.0.2.1", std::nullopt)));
  EXPECT_TRUE(seen.neighbours.empty());
  EXPECT_EQ(seen.hops[ip("203.0.113.9")].neighbour, std::nullopt);
}

TEST(Merge, NewsThatIsNoneChangesNothing) {
  Observed seen = two_hops_behind_one();
  EXPECT_FALSE(merge(seen, change("192.0.2.1", kOld)));
  EXPECT_FALSE(merge(seen, change("192.0.2.7", std::nullopt)));
  EXPECT_FALSE(merge(seen, Changes{.links = true}));
  EXPECT_EQ(seen, two_hops_behind_one());
}

TEST(Merge, AnotherLinkIsAnotherNeighbour) {
  Observed seen = two_hops_behind_one();
  Changes elsewhere;
  elsewhere.neighbours[{3, ip("192.0.2.1")}] = kNew;
  EXPECT_TRUE(merge(seen, elsewhere));
  EXPECT_EQ(seen.hops, two_hops_behind_one().hops);
}

}  // namespace
}  // namespace netns_test
