#include "agent/octavia/details.h"

#include <gtest/gtest.h>

namespace octavia {
namespace {

TEST(Figures, OfProcStat) {
  Figures figures;
  read_stat("cpu  100 1 30 1000 5 0 7 3 40 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n", figures);
  EXPECT_EQ(figures.cpu_user, 100u);
  EXPECT_EQ(figures.cpu_system, 30u);
  EXPECT_EQ(figures.cpu_soft_irq, 7u);
  EXPECT_EQ(figures.cpu_total, 100u + 1 + 30 + 1000 + 5 + 7 + 3);
}

TEST(Figures, OfProcMeminfo) {
  Figures figures;
  read_meminfo(
      "MemTotal: 1000 kB\nMemFree: 200 kB\nBuffers: 10 kB\nCached: 300 kB\nSwapCached: 9 kB\n"
      "SwapTotal: 50 kB\nSwapFree: 20 kB\nShmem: 4 kB\nSlab: 5 kB\n",
      figures);
  EXPECT_EQ(figures.memory_total, 1000u);
  EXPECT_EQ(figures.memory_free, 200u);
  EXPECT_EQ(figures.buffers, 10u);
  EXPECT_EQ(figures.cached, 300u);
  EXPECT_EQ(figures.swap_used, 30u);
  EXPECT_EQ(figures.shared, 4u);
  EXPECT_EQ(figures.slab, 5u);
}

TEST(Figures, OfProcLoadavg) {
  Figures figures;
  read_loadavg("0.11 0.22 0.33 1/234 567\n", figures);
  EXPECT_EQ(figures.load, (std::vector<std::string>{"0.11", "0.22", "0.33"}));
}

TEST(Figures, OfNothingAreZero) {
  Figures figures;
  read_stat("", figures);
  read_meminfo("MemTotal:\n", figures);
  read_loadavg("", figures);
  Figures nothing;
  nothing.load = {"0.00", "0.00", "0.00"};
  EXPECT_EQ(figures, nothing);
}

TEST(Versions, OfWhatHaproxySays) {
  EXPECT_EQ(version_of_haproxy("HAProxy version 2.6.12-1+deb12u4 2026/01/02 - https://x/\nStatus:"),
            "2.6.12-1+deb12u4");
  EXPECT_EQ(version_of_haproxy("HA-Proxy version 1.8.8-1 2018/05/29\n"), "1.8.8-1");
  EXPECT_EQ(version_of_haproxy("sh: not found"), "");
  EXPECT_EQ(version_of_haproxy("version of nothing"), "");
}

TEST(Versions, BeginWithTwoNumbersEvenWithoutHaproxy) {
  EXPECT_EQ(find_versions("/nonexistent").haproxy, "0.0");
}

}  // namespace
}  // namespace octavia
