// Totals of listeners over the lives of those who carry them.
#include "agent/statistics/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace statistics {
namespace {

const base::Uuid kWeb = *base::Uuid::parse("11111111-0000-4000-8000-000000000001");
const base::Uuid kApi = *base::Uuid::parse("11111111-0000-4000-8000-000000000002");

Traffic bytes(uint64_t in, uint64_t out, uint64_t connections = 1) {
  Traffic traffic;
  traffic.bytes_in = in;
  traffic.bytes_out = out;
  traffic.connections = connections;
  return traffic;
}

TEST(Ledger, NothingWasCarriedByAListenerNobodyKnows) {
  EXPECT_EQ(Ledger().total(kWeb), Traffic());
}

TEST(Ledger, SourcesAddUp) {
  Ledger ledger;
  ledger.count(kWeb, "datapath/1", bytes(100, 1000));
  ledger.count(kWeb, "haproxy/1", bytes(10, 20));
  ledger.count(kWeb, "haproxy/2", bytes(1, 2));
  ledger.count(kApi, "haproxy/2", bytes(7, 7));
  EXPECT_EQ(ledger.total(kWeb), bytes(111, 1022, 3));
  EXPECT_EQ(ledger.total(kApi), bytes(7, 7));
}

TEST(Ledger, ASourceSaysWhatItHasCarriedInAll) {
  Ledger ledger;
  ledger.count(kWeb, "datapath/1", bytes(100, 1000));
  ledger.count(kWeb, "datapath/1", bytes(150, 1500, 2));
  EXPECT_EQ(ledger.total(kWeb), bytes(150, 1500, 2));
}

TEST(Ledger, AnIncompleteReadingTakesNothingBack) {
  Ledger ledger;
  ledger.count(kWeb, "datapath/1", bytes(100, 1000, 5));
  ledger.count(kWeb, "datapath/1", bytes(90, 1100, 5));
  EXPECT_EQ(ledger.total(kWeb), bytes(100, 1100, 5));
}

TEST(Ledger, WhatASourceCarriedOutlivesIt) {
  Ledger ledger;
  ledger.count(kWeb, "haproxy/1", bytes(10, 20));
  ledger.retire("haproxy", {"haproxy/2"});
  ledger.count(kWeb, "haproxy/2", bytes(1, 2));
  EXPECT_EQ(ledger.total(kWeb), bytes(11, 22, 2));
  ledger.retire("haproxy", {});
  EXPECT_EQ(ledger.total(kWeb), bytes(11, 22, 2));
}

// After a start, one kind is read before the other.
TEST(Ledger, SourcesOfAnotherKindAreNotGone) {
  Ledger ledger;
  ledger.count(kWeb, "haproxy/1", bytes(10, 20));
  ledger.count(kWeb, "datapath/1", bytes(100, 100));
  ledger.retire("datapath", {"datapath/1"});
  ledger.count(kWeb, "haproxy/1", bytes(11, 21));
  EXPECT_EQ(ledger.total(kWeb), bytes(111, 121, 2));
}

TEST(Ledger, AListenerThatIsGoneLeavesNothing) {
  Ledger ledger;
  ledger.count(kWeb, "haproxy/1", bytes(10, 20));
  ledger.keep({kApi});
  EXPECT_EQ(ledger.total(kWeb), Traffic());
  EXPECT_EQ(ledger, Ledger());
}

TEST(Ledger, GoesOnFromWhatWasSaved) {
  Ledger ledger;
  ledger.count(kWeb, "haproxy/1", bytes(10, 20));
  ledger.retire("haproxy", {});
  ledger.count(kWeb, "datapath/1", bytes(100, 1000));
  auto loaded = Ledger::load(ledger.save());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(*loaded, ledger);
  loaded->count(kWeb, "datapath/1", bytes(120, 1200));
  EXPECT_EQ(loaded->total(kWeb), bytes(130, 1220, 2));
}

TEST(Ledger, WhatIsDamagedIsNamed) {
  Ledger ledger;
  ledger.count(kWeb, "haproxy/1", bytes(10, 20));
  const auto good = ledger.save();
  auto without_version = good;
  without_version.erase("version");
  auto bad_id = good;
  bad_id["listeners"]["web"] = good["listeners"][kWeb.text()];
  auto bad_number = good;
  bad_number["listeners"][kWeb.text()]["running"]["haproxy/1"]["bytes_in"] = -1;
  auto bad_running = good;
  bad_running["listeners"][kWeb.text()]["running"] = 3;
  for (const auto& damaged :
       {nlohmann::json(), nlohmann::json::array(), without_version, bad_id, bad_running})
    EXPECT_FALSE(Ledger::load(damaged)) << damaged;
  auto refused = Ledger::load(bad_number);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("running.haproxy/1.bytes_in"));
}

}  // namespace
}  // namespace statistics
