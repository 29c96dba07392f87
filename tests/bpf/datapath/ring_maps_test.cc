// Many rings at once: read without looking them up, written and erased in few waits for programs.
#include "agent/datapath/ring_maps.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "base/fd.h"
#include "bpf/lb_abi.h"

namespace datapath {
namespace {

using std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

class RingMaps : public testing::Test {
 protected:
  void SetUp() override {
    LIBBPF_OPTS(bpf_map_create_opts, inner, .map_flags = BPF_F_INNER_MAP);
    const base::Fd pattern(bpf_map_create(BPF_MAP_TYPE_ARRAY, "pattern", sizeof(uint32_t),
                                          sizeof(lb_ring_cell), 1, &inner));
    ASSERT_TRUE(pattern.valid());
    LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<uint32_t>(pattern.get()));
    outer_ = base::Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "lb_rings", sizeof(uint32_t),
                                     sizeof(uint32_t), LB_MAX_RINGS, &options));
    ASSERT_TRUE(outer_.valid());
  }

  // Each of another size, and with another content.
  static Maps::RingCells ring(uint32_t place) {
    Cells cells(2 + place % 5);
    for (size_t i = 0; i < cells.size(); i++) {
      const auto word = static_cast<uint32_t>(place * 16 + i);
      std::memcpy(&cells[i], &word, sizeof(word));
    }
    return {place, std::move(cells)};
  }
  std::set<uint32_t> put(uint32_t first, uint32_t count) {
    std::vector<Maps::RingCells> rings;
    for (uint32_t place = first; place < first + count; place++) rings.push_back(ring(place));
    std::set<uint32_t> done;
    const auto result = put_ring_maps(outer_.get(), rings, done);
    EXPECT_TRUE(result.ok()) << result.error().message();
    return done;
  }
  steady_clock::duration time_of_erasing(uint32_t first, uint32_t count) {
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < count; i++) ids.push_back(first + i);
    std::set<uint32_t> done;
    const auto begin = steady_clock::now();
    EXPECT_TRUE(erase_ring_maps(outer_.get(), ids, done).ok());
    EXPECT_EQ(done.size(), count);
    return steady_clock::now() - begin;
  }
  // Of three rings, from `first` on. A wait that is shorter than 10 ms is none: such a kernel does
  // not wait, and all that a busy machine does takes longer.
  steady_clock::duration time_of_a_wait(uint32_t first) {
    return std::max<steady_clock::duration>(
        {std::chrono::milliseconds(10), time_of_erasing(first, 1), time_of_erasing(first + 1, 1),
         time_of_erasing(first + 2, 1)});
  }
  std::set<uint32_t> places() {
    std::set<uint32_t> out;
    const auto ids = ring_map_ids(outer_.get(), LB_MAX_RINGS);
    if (!ids.ok()) return out;
    for (uint32_t place = 0; place < ids->size(); place++)
      if ((*ids)[place] != 0) out.insert(place);
    return out;
  }

  base::Fd outer_;
};

TEST_F(RingMaps, AreReadBackWithoutALookUp) {
  const std::set<uint32_t> done = put(3, 200);
  EXPECT_EQ(done.size(), 200u);
  const auto ids = ring_map_ids(outer_.get(), LB_MAX_RINGS);
  ASSERT_TRUE(ids.ok()) << ids.error().message();
  for (const uint32_t place : {3U, 100U, 202U, 2U, 203U}) {
    uint32_t looked_up = 0;
    (void)bpf_map_lookup_elem(outer_.get(), &place, &looked_up);
    EXPECT_EQ((*ids)[place], looked_up) << place;
  }
  EXPECT_EQ(places(), done);
  const auto rings = read_ring_maps(outer_.get(), LB_MAX_RINGS);
  ASSERT_TRUE(rings.ok()) << rings.error().message();
  ASSERT_EQ(rings->size(), 200u);
  for (const auto& [place, cells] : *rings) {
    const Cells want = ring(place).cells;
    ASSERT_EQ(cells.size(), want.size());
    EXPECT_EQ(std::memcmp(cells.data(), want.data(), want.size() * sizeof(want[0])), 0) << place;
  }
}

TEST_F(RingMaps, AnErrorSaysWhichAreThere) {
  std::vector<Maps::RingCells> rings;
  for (uint32_t place = 0; place < 100; place++) rings.push_back(ring(place));
  rings[50].id = LB_MAX_RINGS;  // there is no such place
  std::set<uint32_t> done;
  EXPECT_FALSE(put_ring_maps(outer_.get(), rings, done).ok());
  EXPECT_FALSE(done.contains(LB_MAX_RINGS));
  EXPECT_EQ(done, places());
  EXPECT_GE(done.size(), 90u);
}

// As an agent does that starts. Whoever looks one up waits for the programs that run, before 6.8.
TEST_F(RingMaps, AllAreReadInTheTimeOfAFewWaits) {
  put(0, LB_MAX_RINGS);
  const auto begin = steady_clock::now();
  EXPECT_EQ(read_ring_maps(outer_.get(), LB_MAX_RINGS)->size(), size_t{LB_MAX_RINGS});
  const auto all = steady_clock::now() - begin;
  const auto wait = time_of_a_wait(0);
  EXPECT_LT(all, 128 * wait);
  std::printf("%u rings were read in %.1f ms; a wait takes %.1f ms\n", LB_MAX_RINGS,
              Milliseconds(all).count(), Milliseconds(wait).count());
}

// Who waits at the same time waits for the same.
TEST_F(RingMaps, ManyAreErasedInTheTimeOfAFew) {
  put(0, 515);
  const auto wait = time_of_a_wait(512);
  EXPECT_LT(time_of_erasing(0, 512), 128 * wait);
  EXPECT_TRUE(places().empty());
  EXPECT_LT(time_of_erasing(0, 1), std::chrono::seconds(1));  // what is not there, too
}

}  // namespace
}  // namespace datapath
