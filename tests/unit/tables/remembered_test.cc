// Clients that programs remember: forgotten with what they were remembered for.
#include <gmock/gmock.h>

#include <array>

#include "agent/datapath/clients.h"
#include "bpf/flow_layout.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Two services of one pool each; programs remember a client of each.
class Remembered : public testing::Test {
 protected:
  static constexpr uint32_t kService = 5, kOther = 6;
  static lb_tag pool(uint8_t which) {
    lb_tag tag{};
    tag.uuid[0] = which;
    return tag;
  }
  static Tables two_services() {
    Tables t;
    for (const uint16_t id : {uint16_t{1}, uint16_t{2}}) {
      t.backends[id] = backend_at(1);
      t.backends[id].pool = pool(1);
    }
    t.backends[3] = backend_at(1);
    t.backends[3].pool = pool(2);
    t.services[service_key(80)] = persistent(kService, 1);
    t.services[service_key(81)] = persistent(kOther, 2);
    return t;
  }
  static lb_service persistent(uint32_t id, uint8_t of_pool) {
    lb_service service = service_of(id, 0);
    service.flags = LB_SERVICE_PERSISTENT;
    service.pool = pool(of_pool);
    return service;
  }
  void SetUp() override {
    ASSERT_TRUE(remember(kService, 2));
    ASSERT_TRUE(remember(kOther, 3));
  }
  bool remember(uint32_t service, uint32_t backend, uint32_t seen = 10, uint64_t which = 1) {
    return clients_.remember({which << 20 | service, lb_client_has(backend, seen)});
  }
  // The backends of those that are left.
  std::vector<uint32_t> left(const Tables& tables, uint32_t now = 10) {
    const ClientPolicy policy = ClientPolicy::of(tables);
    clients_.forget([&](const lb_client& client) { return policy.keeps(client, now); });
    return backends();
  }
  std::vector<uint32_t> backends() {
    std::vector<uint32_t> backends;
    for (const lb_client& client : clients_.all())
      backends.push_back(lb_client_backend(client.has));
    return backends;
  }
  std::array<lb_client_bucket, 2> buckets_{};
  Clients clients_{std::span(buckets_)};
};

TEST_F(Remembered, StaysWhileNothingChanges) {
  EXPECT_THAT(left(two_services()), UnorderedElementsAre(2, 3));
}

TEST_F(Remembered, GoesWithItsService) {
  Tables t = two_services();
  t.services.erase(service_key(80));
  EXPECT_THAT(left(t), UnorderedElementsAre(3));
}

TEST_F(Remembered, GoesWithItsMember) {
  Tables t = two_services();
  t.backends.erase(2);
  EXPECT_THAT(left(t), UnorderedElementsAre(3));
}

TEST_F(Remembered, GoesWithPersistence) {
  Tables t = two_services();
  t.services[service_key(80)].flags = 0;
  EXPECT_THAT(left(t), UnorderedElementsAre(3));
}

TEST_F(Remembered, GoesWhenTheServiceHasAnotherPool) {
  Tables t = two_services();
  t.services[service_key(80)].pool = pool(2);
  EXPECT_THAT(left(t), UnorderedElementsAre(3));
}

TEST_F(Remembered, GoesAfterItsTimeout) {
  Tables t = two_services();
  t.services[service_key(80)].persistence_timeout = 5 * LB_TICK_MS;
  EXPECT_THAT(left(t, 15), UnorderedElementsAre(2, 3));
  EXPECT_THAT(left(t, 16), UnorderedElementsAre(3));
}

// A program that has read a later tick than the agent.
TEST_F(Remembered, StaysThoughItIsSeenInTheFuture) {
  Tables t = two_services();
  t.services[service_key(80)].persistence_timeout = LB_TICK_MS;
  EXPECT_THAT(left(t, 9), UnorderedElementsAre(2, 3));
}

// An agent of the next version puts in what the older one's programs know.
TEST_F(Remembered, TheLaterOneOfTwoIsBelieved) {
  EXPECT_TRUE(remember(kOther, 2, 9));
  EXPECT_THAT(backends(), UnorderedElementsAre(2, 3));
  EXPECT_TRUE(remember(kOther, 1, 11));
  EXPECT_THAT(backends(), UnorderedElementsAre(2, 1));
}

TEST_F(Remembered, AFullBucketTakesNoMoreAndPlacesAreUsedAgain) {
  for (uint64_t which = 2; which <= LB_CLIENT_WAYS - 1; ++which)
    EXPECT_TRUE(remember(kService, 1, 10, which));
  EXPECT_FALSE(remember(kService, 1, 10, 100));
  EXPECT_EQ(backends().size(), LB_CLIENT_WAYS);
  EXPECT_THAT(left(Tables{}), IsEmpty());
  EXPECT_TRUE(remember(kService, 1, 10, 100));
  EXPECT_THAT(backends(), ElementsAre(1));
}

TEST_F(Remembered, WhatAProgramIsJustWritingIsLeftAlone) {
  buckets_[0].clients[9].who = LB_CLIENT_BUSY;
  EXPECT_THAT(left(Tables{}), IsEmpty());
  EXPECT_EQ(buckets_[0].clients[9].who, LB_CLIENT_BUSY);
}

}  // namespace
}  // namespace datapath
