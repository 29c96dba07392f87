// Names of flows at the other node, and where they are here.
#include "agent/pair/flow_book.h"

#include <gmock/gmock.h>

#include <limits>

namespace pair {
namespace {

using base::Family;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr Name kFlow{Family::ipv4, 5, 1}, kNext{Family::ipv4, 5, 2}, kOther{Family::ipv6, 5, 1},
    kSecond{Family::ipv4, 6, 1};

class ABook : public testing::Test {
 protected:
  std::vector<Place> over() {
    std::vector<Place> places;
    book_.end_walk([&](Family, const Place& place) { places.push_back(place); });
    return places;
  }
  FlowBook book_{{1024, 512}, {256, 128}};
};

TEST_F(ABook, FindsWhatWasPutByItsWholeName) {
  book_.put(kFlow, {17, 3});
  EXPECT_THAT(book_.find(kFlow), Optional(Place{17, 3}));
  EXPECT_EQ(book_.find(kNext), std::nullopt);
  EXPECT_EQ(book_.find(kOther), std::nullopt);
  EXPECT_TRUE(book_.has(Family::ipv4, 17));
  EXPECT_FALSE(book_.has(Family::ipv6, 17));
  book_.erase(kNext);
  EXPECT_EQ(book_.size(), 1u);
  book_.erase(kFlow);
  EXPECT_EQ(book_.find(kFlow), std::nullopt);
  EXPECT_FALSE(book_.has(Family::ipv4, 17));
}

TEST_F(ABook, GivesBackWhoHadTheLineBefore) {
  book_.put(kFlow, {17, 3});
  EXPECT_EQ(book_.erase_former(kFlow), std::nullopt);
  EXPECT_THAT(book_.erase_former(kNext), Optional(Place{17, 3}));
  EXPECT_EQ(book_.erase_former(kNext), std::nullopt);
  EXPECT_EQ(book_.size(), 0u);
}

TEST_F(ABook, AWalkLeavesWhatItNamed) {
  book_.put(kFlow, {17, 3});
  book_.put(kOther, {18, 4});
  book_.put({Family::ipv4, 6, 1}, {19, 5});
  book_.begin_walk();
  book_.touch(kFlow);
  book_.touch({Family::ipv4, 6, 9});  // not the one that is known
  book_.put({Family::ipv4, 7, 1}, {20, 6});
  EXPECT_THAT(over(), ElementsAre(Place{19, 5}, Place{18, 4}));
  EXPECT_EQ(book_.size(), 2u);
  EXPECT_THAT(over(), IsEmpty());
}

TEST_F(ABook, ALineOfThisNodeMayBeNamedTwice) {
  book_.put(kFlow, {17, 3});
  book_.put(kSecond, {17, 4});  // the first one has ended here, unnoticed
  EXPECT_EQ(book_.erase(kFlow), std::nullopt);
  EXPECT_TRUE(book_.has(Family::ipv4, 17));
  book_.put(kFlow, {17, 3});
  book_.put(kSecond, {17, 4});
  EXPECT_THAT(book_.erase(kSecond), Optional(Place{17, 4}));
  EXPECT_EQ(book_.erase(kFlow), std::nullopt);
  EXPECT_FALSE(book_.has(Family::ipv4, 17));
}

// The end of the first one was lost, and the same client has connected again.
TEST_F(ABook, AFlowIsOverWithTheLastOfItsNames) {
  for (const bool walks : {false, true}) {
    book_.put(kFlow, {17, 3});
    book_.begin_walk();
    book_.put(kSecond, {17, 3});
    if (walks)
      EXPECT_THAT(over(), IsEmpty());
    else
      EXPECT_EQ(book_.erase(kFlow), std::nullopt);
    EXPECT_TRUE(book_.has(Family::ipv4, 17));
    EXPECT_THAT(book_.erase(kSecond), Optional(Place{17, 3}));
    EXPECT_FALSE(book_.has(Family::ipv4, 17));
  }
}

TEST_F(ABook, KnowsNothingOutsideOfTheTables) {
  EXPECT_FALSE(book_.may_be({Family::ipv4, 1024, 1}));
  EXPECT_FALSE(book_.may_be({Family::ipv6, 512, 1}));
  book_.put({Family::ipv4, 1024, 1}, {1, 1});
  book_.put(kFlow, {std::numeric_limits<uint32_t>::max(), 1});
  EXPECT_EQ(book_.size(), 0u);
  EXPECT_FALSE(book_.has(Family::ipv4, 1 << 30));
}

}  // namespace
}  // namespace pair
