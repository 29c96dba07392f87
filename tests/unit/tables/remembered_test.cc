// TableWriter: clients that programs remember are forgotten with what they were remembered for.
#include <gmock/gmock.h>

#include "agent/datapath/table_writer.h"
#include "tests/unit/tables/memory_maps.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Two services of one pool each; programs remember clients of both.
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
    t.destinations[member(1)] = lb_nexthop{};
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
    for (uint32_t id = 1; id < LB_MAX_NEXTHOPS; ++id) maps_.queue.push_back(id);
    ASSERT_TRUE(bring(writer_, two_services()));
    remember(kService, 1);
    remember(kService, 2);
    remember(kOther, 3);
  }
  void remember(uint32_t service, uint32_t backend) {
    const lb_persist_key key{to_abi(member(backend)), service, 0};
    ASSERT_TRUE(maps_.put(kPersistence, key, lb_persist{backend, 1}).ok());
  }
  // Backends of what is remembered still, after so many passes.
  std::vector<uint32_t> left(TableWriter& writer, int passes = 1) {
    for (int pass = 0; pass < passes; ++pass) EXPECT_TRUE(writer.release_unused(Census{}).ok());
    std::vector<uint32_t> backends;
    for (const auto& [key, value] : maps_.contents[kPersistence.name])
      backends.push_back(from_bytes<lb_persist>(value).backend);
    return backends;
  }
  MemoryMaps maps_;
  TableWriter writer_{maps_};
};

TEST_F(Remembered, StaysWhileNothingChanges) {
  EXPECT_THAT(left(writer_, 3), UnorderedElementsAre(1, 2, 3));
}

TEST_F(Remembered, GoesWithItsService) {
  Tables t = two_services();
  t.services.erase(service_key(80));
  ASSERT_TRUE(bring(writer_, t));
  EXPECT_THAT(left(writer_), UnorderedElementsAre(3));
}

TEST_F(Remembered, GoesWithItsMember) {
  Tables t = two_services();
  t.backends.erase(1);
  ASSERT_TRUE(bring(writer_, t));
  EXPECT_THAT(left(writer_), UnorderedElementsAre(2, 3));
}

TEST_F(Remembered, GoesWithPersistence) {
  Tables t = two_services();
  t.services[service_key(80)].flags = 0;
  ASSERT_TRUE(bring(writer_, t));
  EXPECT_THAT(left(writer_), UnorderedElementsAre(3));
}

TEST_F(Remembered, GoesWhenTheServiceHasAnotherPool) {
  Tables t = two_services();
  t.services[service_key(80)].pool = pool(2);
  ASSERT_TRUE(bring(writer_, t));
  EXPECT_THAT(left(writer_), UnorderedElementsAre(3));
}

// By a program that had found the service just before it went.
TEST_F(Remembered, GoesThoughItComesAfterTheFirstPass) {
  ASSERT_TRUE(bring(writer_, Tables{}));
  EXPECT_THAT(left(writer_), IsEmpty());
  remember(kService, 1);
  EXPECT_THAT(left(writer_), IsEmpty());
  EXPECT_THAT(writer_.resting_services(), IsEmpty());
}

TEST_F(Remembered, GoesThoughTheAgentThatOwedItWasKilled) {
  ASSERT_TRUE(bring(writer_, Tables{}));
  TableWriter next(maps_);
  ASSERT_TRUE(next.adopt().ok());
  EXPECT_THAT(left(next), IsEmpty());
}

TEST_F(Remembered, KeepsItsServiceFromBeingReleasedWhenItCannotGo) {
  lb_use use{};
  use.flows = 1;
  ASSERT_TRUE(maps_.put(kServiceUse, kService, use).ok());
  ASSERT_TRUE(bring(writer_, Tables{}));
  maps_.fail_at(1, MemoryMaps::After::stays_dead);
  for (int pass = 0; pass < 3; ++pass) EXPECT_FALSE(writer_.release_unused(Census{}).ok());
  EXPECT_THAT(writer_.resting_services(), ElementsAre(kService, kOther));
  maps_.work_again();
  EXPECT_THAT(left(writer_, 2), IsEmpty());
  EXPECT_THAT(writer_.resting_services(), IsEmpty());
}

}  // namespace
}  // namespace datapath
