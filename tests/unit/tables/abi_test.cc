// The agent's values and their ABI form: there and back.
#include "agent/datapath/abi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

TEST(Abi, RingsGoThereAndBack) {
  for (const base::Family family : {base::Family::ipv4, base::Family::ipv6})
    for (const size_t slots : {1, 3, 4, 5, 1000, LB_MAX_RING_SLOTS}) {
      Ring ring{base::Uuid::random(), family, {}};
      for (size_t slot = 0; slot < slots; slot++)
        ring.slots.push_back(static_cast<uint16_t>(slot % 32768));
      const Cells cells = to_abi(ring);
      EXPECT_EQ(cells[0].head.slots, slots);
      const auto back = from_abi(cells);
      ASSERT_TRUE(back.ok());
      EXPECT_EQ(*back, ring) << slots << " slots";
    }
}

TEST(Abi, RingsThatCannotBeAreRefused) {
  const Cells good = to_abi(ring_of({1, 2, 3, 4, 5}));
  const struct {
    const char* what;
    size_t cells;
    uint32_t slots;
    const char* error;
  } cases[] = {{"without a head", LB_RING_HEAD - 1, 5, "it has no head"},
               {"without slots", good.size(), 0, "its head says 0 slots"},
               {"cut short", good.size() - 1, 5, "its head says 5 slots"},
               {"with a wild head", good.size(), UINT32_MAX, "its head says 4294967295 slots"}};
  for (const auto& c : cases) {
    Cells cells = good;
    cells.resize(c.cells);
    cells[0].head.slots = c.slots;
    const auto ring = from_abi(cells);
    ASSERT_FALSE(ring.ok()) << c.what;
    EXPECT_EQ(ring.error().message(), c.error) << c.what;
  }
}

TEST(Abi, IdsAndFamiliesGoThereAndBack) {
  const base::Uuid id = base::Uuid::random();
  EXPECT_EQ(from_abi(to_abi(id)), id);
  for (const base::Family family : {base::Family::ipv4, base::Family::ipv6})
    EXPECT_EQ(from_abi(uint32_t{to_abi(family)}), family);
}

}  // namespace
}  // namespace datapath
