// Sizes of the flow tables.
#include "agent/datapath/sizes.h"

#include <gtest/gtest.h>

#include "bpf/lb_abi.h"

namespace datapath {
namespace {

constexpr uint64_t kGiB = 1ull << 30;

TEST(Sizes, FlowsFillHalfATable) {
  EXPECT_EQ(lines_for_flows(256 * 1024), 1u << 20);  // 64 MiB of IPv4 lines
  EXPECT_EQ(lines_for_flows(256 * 1024 + 1), 1u << 21);
  EXPECT_EQ(lines_for_flows(1), uint32_t{LB_FLOW_MIN_LINES});
  EXPECT_EQ(lines_for_flows(0xffffffff), uint32_t{LB_FLOW_MAX_LINES});
}

TEST(Sizes, MemoryIsShared) {
  EXPECT_EQ(lines_for_memory(base::Family::ipv4, 2 * kGiB), 1u << 20);
  EXPECT_EQ(lines_for_memory(base::Family::ipv6, 2 * kGiB), 1u << 18);
  EXPECT_EQ(lines_for_memory(base::Family::ipv4, 0), uint32_t{LB_FLOW_MIN_LINES});
  EXPECT_EQ(lines_for_memory(base::Family::ipv4, 1ull << 50), 1u << 22);
  EXPECT_EQ(lines_for_memory(base::Family::ipv6, 1ull << 50), 1u << 21);
  EXPECT_GT(machine_memory_bytes(), 64u << 20);
}

TEST(Sizes, RingsAreAPowerOfTwo) {
  EXPECT_EQ(half_open_rings(1), 1u);
  EXPECT_EQ(half_open_rings(6), 8u);
  EXPECT_EQ(half_open_rings(1000), uint32_t{LB_MAX_CPUS});
}

}  // namespace
}  // namespace datapath
