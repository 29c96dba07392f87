// Maglev's table against the pseudocode of the paper, and the promises it is chosen for.
#include "agent/plan/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "bpf/lb_abi.h"
#include "tests/support/model_builders.h"

namespace plan {
namespace {

constexpr uint32_t kSize = LB_MAX_RING_SLOTS;

std::vector<MaglevBackend> backends(size_t count, uint32_t weight = 1) {
  std::vector<MaglevBackend> list;
  for (size_t i = 0; i < count; i++) {
    const auto address = base::IpAddress::v4(0xcb007100 + static_cast<uint32_t>(i / 4));
    list.push_back({{address, static_cast<uint16_t>(8080 + i % 4)}, weight});
  }
  return list;
}

// Section 3.4, Pseudocode 1, word for word: N lists of M preferences, turns in order.
std::vector<uint16_t> literal(const std::vector<MaglevBackend>& list, uint32_t m) {
  const size_t n = list.size();
  std::vector<std::vector<uint32_t>> permutation(n, std::vector<uint32_t>(m));
  for (size_t i = 0; i < n; i++) {
    const MaglevPermutation p = maglev_permutation(list[i].endpoint, m);
    for (uint64_t j = 0; j < m; j++)
      permutation[i][j] = static_cast<uint32_t>((p.offset + j * p.skip) % m);
  }
  std::vector<size_t> next(n, 0);
  std::vector<int> entry(m, -1);
  size_t filled = 0;
  while (true) {
    for (size_t i = 0; i < n; i++) {
      uint32_t c = permutation[i][next[i]];
      while (entry[c] >= 0) {
        next[i]++;
        c = permutation[i][next[i]];
      }
      entry[c] = static_cast<int>(i);
      next[i]++;
      filled++;
      if (filled == m) return {entry.begin(), entry.end()};
    }
  }
}

std::vector<uint32_t> counts(const std::vector<uint16_t>& table, size_t backends) {
  std::vector<uint32_t> count(backends);
  for (uint16_t who : table) count.at(who)++;
  return count;
}

TEST(Maglev, IsThePapersTable) {
  for (size_t n : {1u, 2u, 3u, 7u, 10u, 101u})
    for (uint32_t m : {101u, 1009u, kSize}) {
      SCOPED_TRACE(std::to_string(n) + " backends, " + std::to_string(m) + " slots");
      EXPECT_EQ(maglev_table(backends(n), m), literal(backends(n), m));
    }
  EXPECT_EQ(maglev_table(backends(5, 256), 1009), literal(backends(5), 1009));
}

TEST(Maglev, NobodyNoTable) { EXPECT_TRUE(maglev_table({}, kSize).empty()); }

TEST(Maglev, PermutationIsOne) {
  const MaglevPermutation p = maglev_permutation({test::ip("2001:db8::7"), 443}, kSize);
  ASSERT_LT(p.offset, kSize);
  ASSERT_GE(p.skip, 1u);
  ASSERT_LT(p.skip, kSize);
  std::vector<bool> seen(kSize);
  for (uint64_t j = 0; j < kSize; j++) seen[(p.offset + j * p.skip) % kSize] = true;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), static_cast<long>(kSize));
}

// The nodes of a pair, and versions of the agent, must agree: these numbers never change.
TEST(Maglev, HashIsForever) {
  const MaglevPermutation p = maglev_permutation({test::ip("192.0.2.7"), 8080}, kSize);
  EXPECT_EQ(p.offset, 19114u);
  EXPECT_EQ(p.skip, 50446u);
}

// Up to 655 backends by the arithmetic (one slot is less than 1 % of a share); further up by luck
// of the remainder, so not promised.
TEST(Maglev, EqualWeightsBalanceWithinOnePercentUpTo655Backends) {
  for (size_t n : {2u, 3u, 10u, 64u, 100u, 333u, 655u}) {
    const double share = static_cast<double>(kSize) / static_cast<double>(n);
    for (uint32_t count : counts(maglev_table(backends(n), kSize), n))
      ASSERT_LE(std::abs(count - share), 0.01 * share) << n << " backends";
  }
}

TEST(Maglev, WeightsAreProportions) {
  std::vector<MaglevBackend> list = backends(8);
  const std::vector<uint32_t> weights = {1, 2, 3, 10, 50, 100, 255, 256};
  double total = 0;
  for (size_t i = 0; i < list.size(); i++) total += list[i].weight = weights[i];
  const std::vector<uint32_t> count = counts(maglev_table(list, kSize), list.size());
  for (size_t i = 0; i < list.size(); i++)
    EXPECT_NEAR(count[i], kSize * weights[i] / total, 2.0) << "weight " << weights[i];
}

TEST(Maglev, NobodyIsLeftOut) {
  std::vector<MaglevBackend> list = backends(1000, 256);
  for (size_t i = 300; i < list.size(); i++) list[i].weight = 1;
  const std::vector<uint32_t> count = counts(maglev_table(list, kSize), list.size());
  EXPECT_GE(*std::min_element(count.begin(), count.end()), 1u);
}

// Slots that change their backend though neither was removed, as a share of all.
double disruption(const std::vector<MaglevBackend>& before, size_t removed) {
  std::vector<MaglevBackend> after = before;
  after.erase(after.begin() + static_cast<long>(removed));
  const std::vector<uint16_t> a = maglev_table(before, kSize), b = maglev_table(after, kSize);
  size_t moved = 0;
  for (size_t slot = 0; slot < kSize; slot++) {
    if (a[slot] == removed) continue;
    const size_t same = a[slot] - (a[slot] > removed ? 1u : 0u);
    if (b[slot] != same) moved++;
  }
  return static_cast<double>(moved) / kSize;
}

TEST(Maglev, RemovalMovesFewOthers) {
  for (size_t n : {3u, 10u, 100u, 1000u})
    for (size_t removed : {size_t{0}, n / 2, n - 1})
      EXPECT_LT(disruption(backends(n), removed), 0.02) << removed << " of " << n;
}

TEST(Maglev, MemberMadeAnewGetsItsSlotsBack) {
  // The place is all that identifies a backend, so the table cannot tell.
  const std::vector<MaglevBackend> list = backends(10);
  EXPECT_EQ(maglev_table(list, kSize), maglev_table(backends(10), kSize));
  std::vector<MaglevBackend> moved = list;
  moved[4].endpoint.port = 9999;
  EXPECT_NE(maglev_table(moved, kSize), maglev_table(list, kSize));
}

}  // namespace
}  // namespace plan
