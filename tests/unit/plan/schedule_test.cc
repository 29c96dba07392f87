// The ring of weighted round robin against nginx's smooth algorithm, done slowly.
#include "agent/plan/schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "bpf/lb_abi.h"

namespace plan {
namespace {

using Counts = std::vector<uint32_t>;

// ngx_http_upstream_get_peer: everyone gains its weight, the highest is taken and pays for all.
std::vector<uint16_t> literal(const Counts& weights) {
  std::vector<int64_t> current(weights.size(), 0);
  const int64_t total = std::accumulate(weights.begin(), weights.end(), int64_t{0});
  std::vector<uint16_t> ring;
  for (int64_t slot = 0; slot < total; slot++) {
    size_t best = 0;
    for (size_t i = 0; i < weights.size(); i++) {
      current[i] += weights[i];
      if (current[i] > current[best]) best = i;
    }
    current[best] -= total;
    ring.push_back(static_cast<uint16_t>(best));
  }
  return ring;
}

// Longest way from one slot of `who` to its next, around the ring.
size_t longest_gap(const std::vector<uint16_t>& ring, uint16_t who) {
  std::vector<size_t> at;
  for (size_t i = 0; i < ring.size(); i++)
    if (ring[i] == who) at.push_back(i);
  size_t longest = at.front() + ring.size() - at.back();
  for (size_t i = 1; i < at.size(); i++) longest = std::max(longest, at[i] - at[i - 1]);
  return longest;
}

TEST(Interleave, NginxExample) {
  EXPECT_EQ(interleave(Counts{5, 1, 1}), (std::vector<uint16_t>{0, 0, 1, 0, 2, 0, 0}));
}

TEST(Interleave, EqualCountsTakeTurns) {
  EXPECT_EQ(interleave(Counts{1, 1, 1, 1}), (std::vector<uint16_t>{0, 1, 2, 3}));
}

TEST(Interleave, NobodyNoRing) { EXPECT_TRUE(interleave(Counts{}).empty()); }

TEST(Interleave, HeavyOneAmongManyLightIsSpread) {
  Counts counts(1001, 1);
  counts[500] = 10;
  EXPECT_LE(longest_gap(interleave(counts), 500), 120u);  // evenly: 101
}

RC_GTEST_PROP(Interleave, IsSmoothWeightedRoundRobin, ()) {
  const auto counts = *rc::gen::container<Counts>(rc::gen::inRange<uint32_t>(1, 257));
  RC_ASSERT(interleave(counts) == literal(counts));
}

TEST(SlotCounts, AreLowestTerms) {
  EXPECT_EQ(slot_counts(Counts{100, 50, 250}, 100), (Counts{2, 1, 5}));
  EXPECT_EQ(slot_counts(Counts{256}, 100), (Counts{1}));
  EXPECT_EQ(slot_counts(Counts{}, 100), (Counts{}));
}

TEST(SlotCounts, WholeRingIsEnough) {
  EXPECT_EQ(slot_counts(Counts{3, 4}, 7), (Counts{3, 4}));
  EXPECT_EQ(slot_counts(Counts{3, 4}, 6), (Counts{3, 3}));  // 2.57 and 3.43
}

TEST(SlotCounts, NobodyIsLeftOut) {
  EXPECT_EQ(slot_counts(Counts{256, 256, 1}, 10), (Counts{5, 4, 1}));
  EXPECT_EQ(slot_counts(Counts{256, 255, 1, 2}, 4), (Counts{1, 1, 1, 1}));
}

RC_GTEST_PROP(SlotCounts, AreSharesOfTheLimit, ()) {
  const auto weights =
      *rc::gen::nonEmpty(rc::gen::container<Counts>(rc::gen::inRange<uint32_t>(1, 257)));
  const size_t limit = *rc::gen::inRange(weights.size(), weights.size() * 300);
  const Counts counts = slot_counts(weights, limit);
  const uint64_t total = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  const uint64_t slots = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  RC_ASSERT(counts.size() == weights.size());
  RC_ASSERT(slots <= limit);
  RC_ASSERT(*std::min_element(counts.begin(), counts.end()) >= 1u);
  for (size_t i = 0; i < weights.size(); i++)
    for (size_t j = 0; j < weights.size(); j++)
      if (weights[i] > weights[j]) RC_ASSERT(counts[i] >= counts[j]);
  if (slots < limit) {  // not cut: exact
    for (size_t i = 0; i < weights.size(); i++) RC_ASSERT(counts[i] * total == weights[i] * slots);
  } else if (std::all_of(weights.begin(), weights.end(),
                         [&](uint32_t w) { return w * limit >= total; })) {
    for (size_t i = 0; i < weights.size(); i++) {
      const uint64_t share = weights[i] * limit / total;
      RC_ASSERT(counts[i] == share || counts[i] == share + 1);
    }
  }
}

TEST(SlotCounts, AThousandOfAllWeightsFitTheRing) {
  Counts weights;
  for (uint32_t i = 0; i < 1000; i++) weights.push_back(1 + i * 37 % 256);
  const Counts counts = slot_counts(weights, LB_MAX_RING_SLOTS);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0u), uint32_t{LB_MAX_RING_SLOTS});
  EXPECT_EQ(interleave(counts), literal(counts));
}

}  // namespace
}  // namespace plan
