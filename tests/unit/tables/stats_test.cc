// Stats: values of all CPUs are added up.
#include "agent/datapath/stats.h"

#include <gtest/gtest.h>

#include "tests/unit/tables/memory_maps.h"

namespace datapath {
namespace {

template <class T>
MemoryMaps::Blob two_cpus(const T& first, const T& second) {
  MemoryMaps::Blob blob;
  for (const T& value : {first, second}) {
    const Bytes bytes = bytes_of(value);
    blob.insert(blob.end(), bytes.begin(), bytes.end());
  }
  return blob;
}

TEST(Stats, VerdictsAreSummedOverCpus) {
  MemoryMaps maps;
  lb_verdict_counters a{}, b{};
  a.packets[LB_ESTABLISHED] = 3;
  b.packets[LB_ESTABLISHED] = 4;
  b.packets[LB_NO_SERVICE] = 1;
  const uint32_t only = 0;
  ASSERT_TRUE(maps.put_bytes(kVerdicts.name, bytes_of(only), two_cpus(a, b)).ok());
  const auto verdicts = read_verdicts(maps);
  ASSERT_TRUE(verdicts.ok());
  EXPECT_EQ((*verdicts)[LB_ESTABLISHED], 7u);
  EXPECT_EQ((*verdicts)[LB_NO_SERVICE], 1u);
  EXPECT_EQ((*verdicts)[LB_NEW_FLOW], 0u);
}

TEST(Stats, AServiceHasTheSharesOfProgramsAndAgent) {
  MemoryMaps maps;
  lb_service_counters a{}, b{};
  a.bytes_in = 1;
  b.bytes_in = 2;
  b.bytes_out = 100;
  a.flows = b.flows = 1;
  b.persisted = 1;
  a.verdicts[LB_NEW_FLOW] = b.verdicts[LB_NEW_FLOW] = 1;
  lb_service_sum agent{};
  agent.bytes_in = 10;
  agent.bytes_out = 1000;
  lb_use use{};
  use.flows = 2;
  const uint32_t id = 7;
  ASSERT_TRUE(maps.put_bytes(kServiceCounters.name, bytes_of(id), two_cpus(a, b)).ok());
  ASSERT_TRUE(maps.put(kServiceSums, id, agent).ok());
  ASSERT_TRUE(maps.put(kServiceUse, id, use).ok());
  const auto stats = read_service_stats(maps, id);
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats->bytes_in, 13u);
  EXPECT_EQ(stats->bytes_out, 1100u);
  EXPECT_EQ(stats->flows, 2u);
  EXPECT_EQ(stats->persisted, 1u);
  EXPECT_EQ(stats->verdicts[LB_NEW_FLOW], 2u);
  EXPECT_EQ(stats->connections, 2u);
}

TEST(Stats, VerdictsHaveNamesAndFates) {
  EXPECT_EQ(verdict_name(LB_ESTABLISHED), "established");
  EXPECT_EQ(verdict_fate(LB_ESTABLISHED), Fate::sent);
  EXPECT_EQ(verdict_fate(LB_NO_SERVICE), Fate::passed);
  EXPECT_EQ(verdict_fate(LB_TABLE_FULL), Fate::dropped);
}

}  // namespace
}  // namespace datapath
