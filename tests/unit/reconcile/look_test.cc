// What is looked at again, and what is not: a run does only what its reason asks for.
#include "tests/unit/reconcile/reconciling.h"

namespace reconcile {
namespace {

using model::Kind;

const base::MacAddress kFirst = *base::MacAddress::parse("02:00:00:00:00:09");  // the fake's
const base::MacAddress kSecond = *base::MacAddress::parse("02:00:00:00:00:0a");

class Looking : public Reconciling {
 protected:
  void SetUp() override {
    create_load_balancer(80);
    ASSERT_TRUE(run_until([&] { return settled(); }));
  }

  static netns::Changes heard(const base::MacAddress& mac) {
    netns::Changes changes;
    changes.neighbours[{2, *base::IpAddress::parse("192.0.2.9")}] = mac;
    return changes;
  }
  base::MacAddress next_hop() const {
    base::MacAddress mac;
    const auto& hop = machine_.tables().destinations.begin()->second;
    std::copy(std::begin(hop.dst_mac), std::end(hop.dst_mac), mac.bytes.begin());
    return mac;
  }
};

TEST_F(Looking, AChangeThatMovesNothingInTheNamespaceDoesNotObserveIt) {
  const int arranged = machine_.arranged();
  const uint64_t runs = reconciler_->progress().runs;
  const auto member = queue_->model().members.begin()->first;
  const auto pool = queue_->model().pools.begin()->first;
  answer_of(queue_->change([=](const model::Model& m, const model::Context& now) {
    return model::update(m, Kind::member, pool, member, {{"member", {{"weight", 5}}}}, now);
  }));
  ASSERT_TRUE(answer_of(queue_->carried_out(queue_->revision())));
  EXPECT_GT(reconciler_->progress().runs, runs);
  // A patrol may have come between.
  EXPECT_LE(machine_.arranged() - arranged,
            static_cast<int>(reconciler_->progress().runs - runs) - 1);
}

TEST_F(Looking, ANeighbourChangesItsNextHopWithoutARun) {
  ASSERT_EQ(machine_.tables().destinations.size(), 1u);
  ASSERT_EQ(next_hop(), kFirst);
  const uint64_t runs = reconciler_->progress().runs;
  const int arranged = machine_.arranged();
  reconciler_->note(heard(kSecond));
  EXPECT_TRUE(run_until([&] { return machine_.resolved().size() == 1; }));
  if (reconciler_->progress().runs ==
      runs) {  // no patrol between, which would see the fake's again
    EXPECT_EQ(next_hop(), kSecond);
    EXPECT_EQ(machine_.arranged(), arranged);
  }
}

TEST_F(Looking, WhatCannotBeWrittenOfANeighbourTakesARun) {
  const uint64_t runs = reconciler_->progress().runs;
  machine_.fail_next("apply");
  reconciler_->note(heard(kSecond));
  EXPECT_TRUE(run_until([&] { return reconciler_->progress().runs > runs; }));
  EXPECT_EQ(next_hop(), kFirst) << "as observed";
}

TEST_F(Looking, AnEventOfALinkObserves) {
  const int arranged = machine_.arranged();
  netns::Changes changes;
  changes.links = true;
  reconciler_->note(changes);
  EXPECT_TRUE(run_until([&] { return machine_.arranged() > arranged; }));
}

TEST_F(Looking, ThePatrolLooksAtEverythingEvenIfNeighboursNeverRest) {
  const int arranged = machine_.arranged();
  bool even = false;
  EXPECT_TRUE(run_until([&] {
    reconciler_->note(heard((even = !even) ? kFirst : kSecond));
    return machine_.arranged() > arranged;
  }));
}

}  // namespace
}  // namespace reconcile
