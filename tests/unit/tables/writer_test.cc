// TableWriter: whatever fails, and whenever the agent is killed, the next diff arrives; and ids
// that something still names are never given out again.
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>

#include "agent/datapath/table_writer.h"
#include "tests/unit/tables/memory_maps.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// As the first start leaves them; a short queue is quick to look through after each write.
constexpr uint32_t kShortQueue = 64;
void fill_queue(MemoryMaps& maps, uint32_t end = LB_MAX_NEXTHOPS) {
  for (uint32_t id = 1; id < end; ++id) maps.queue.push_back(id);
}

std::map<uint32_t, lb_backend> backends_in(MemoryMaps& maps) {
  std::map<uint32_t, lb_backend> out;
  for (const auto& [key, value] : maps.contents[kBackends.name])
    out[from_bytes<uint32_t>(key)] = from_bytes<lb_backend>(value);
  return out;
}

std::map<lb_nexthop_key, uint32_t, BytesLess<lb_nexthop_key>> hop_ids_in(MemoryMaps& maps) {
  std::map<lb_nexthop_key, uint32_t, BytesLess<lb_nexthop_key>> out;
  for (const auto& [key, value] : maps.contents[kNexthopIds.name])
    out[from_bytes<lb_nexthop_key>(key)] = from_bytes<uint32_t>(value);
  return out;
}

lb_nexthop_key hop_key(uint32_t host, uint32_t ifindex) {
  return {to_abi(member(host)), ifindex, LB_IPV4};
}

lb_nexthop hop_by(uint32_t ifindex) {
  lb_nexthop hop{};
  hop.ifindex = ifindex;
  hop.flags = LB_NEXTHOP_RESOLVED;
  return hop;
}

// What a program could trip over, by the raw maps alone.
void expect_sound(MemoryMaps& maps) {
  const auto backends = backends_in(maps);
  for (const auto& [key, value] : maps.contents[kServices.name]) {
    const uint32_t ring = from_bytes<lb_service>(value).ring;
    RC_ASSERT(ring == 0 || maps.ring_maps.contains(ring));
  }
  for (const auto& [id, cells] : maps.ring_maps) {
    for (uint32_t slot = 0; slot < cells[0].head.slots; ++slot) {
      const uint16_t backend = cells[LB_RING_HEAD + slot / 4].backend[slot % 4];
      RC_ASSERT(backends.contains(backend));
      RC_ASSERT((backends.at(backend).flags & LB_BACKEND_PRESENT) != 0);
    }
  }
  // An id in the queue is nobody's.
  std::set<uint32_t> taken;
  for (const auto& [key, id] : hop_ids_in(maps)) RC_ASSERT(taken.insert(id).second);
  for (const auto& [id, backend] : backends) {
    if ((backend.flags & LB_BACKEND_PRESENT) != 0 && backend.nexthop != 0)
      taken.insert(backend.nexthop);
  }
  for (const uint32_t id : maps.queue) RC_ASSERT(!taken.contains(id));
}

void expect_limits(MemoryMaps& maps, const Tables& want);

// A backend sends where the destination of its address leads.
void expect_arrived(MemoryMaps& maps, const TableWriter& writer, const Tables& want) {
  maps.work_again();
  RC_ASSERT(contents(writer.tables()) == contents(want));
  const auto hops = hop_ids_in(maps);
  const auto backends = backends_in(maps);
  for (const auto& [id, backend] : want.backends) {
    const auto hop = hops.find({backend.addr, 0, backend.family});
    const uint32_t expected = hop == hops.end() ? 0 : hop->second;
    RC_ASSERT(backends.at(id).nexthop == expected);
    RC_ASSERT((expected != 0) ==
              want.destinations.contains(from_abi(base::Family::ipv4, backend.addr)));
  }
  TableWriter next(maps);
  RC_ASSERT(next.adopt().ok());
  RC_ASSERT(contents(next.tables()) == contents(want));
  expect_limits(maps, want);
}

// Walking the circle of a service, one meets each service of its listener once.
void expect_limits(MemoryMaps& maps, const Tables& want) {
  std::map<lb_tag, std::map<uint32_t, uint32_t>, BytesLess<lb_tag>> listeners;  // id: limit
  for (const auto& [key, service] : want.services)
    listeners[service.listener][service.id] = service.connection_limit;
  for (const auto& [listener, services] : listeners) {
    for (const auto& [id, limit] : services) {
      std::set<uint32_t> met;
      for (uint32_t at = id; met.insert(at).second;) {
        const auto entry = maps.get(kLimits, at);
        RC_ASSERT(entry.ok() && entry->has_value());
        RC_ASSERT(services.contains(at));
        at = (*entry)->next;
      }
      RC_ASSERT(met.size() == services.size());
      RC_ASSERT((*maps.get(kLimits, id))->connections == limit);
    }
  }
}

TEST(TableWriter, ArrivesThoughAnyWriteFails) {
  EXPECT_TRUE(rc::check("a write fails", [] {
    MemoryMaps maps;
    fill_queue(maps, kShortQueue);
    TableWriter writer(maps);
    RC_ASSERT(bring(writer, random_tables()));
    maps.watch = [&] { expect_sound(maps); };
    const Tables want = random_tables();
    maps.fail_at(*rc::gen::inRange(1, 30), MemoryMaps::After::goes_on);
    if (!bring(writer, want)) RC_ASSERT(bring(writer, want));
    expect_arrived(maps, writer, want);
  }));
}

TEST(TableWriter, ArrivesThoughTheAgentIsKilledAtAnyWrite) {
  EXPECT_TRUE(rc::check("the agent is killed", [] {
    MemoryMaps maps;
    fill_queue(maps, kShortQueue);
    TableWriter killed(maps);
    RC_ASSERT(bring(killed, random_tables()));
    maps.watch = [&] { expect_sound(maps); };
    const Tables want = random_tables();
    maps.fail_at(*rc::gen::inRange(1, 30), MemoryMaps::After::stays_dead);
    bring(killed, want);
    maps.work_again();
    TableWriter writer(maps);
    RC_ASSERT(writer.adopt().ok());
    RC_ASSERT(bring(writer, want));
    expect_arrived(maps, writer, want);
  }));
}

TEST(TableWriter, NoNextHopIsEverLost) {
  EXPECT_TRUE(rc::check("next hops come back", [] {
    MemoryMaps maps;
    fill_queue(maps);
    TableWriter writer(maps);
    RC_ASSERT(bring(writer, random_tables()));
    maps.fail_at(*rc::gen::inRange(1, 20), MemoryMaps::After::goes_on);
    bring(writer, random_tables());
    maps.work_again();
    RC_ASSERT(bring(writer, Tables{}));
    for (int pass = 0; pass < 2; ++pass) RC_ASSERT(writer.release_unused(Census{}).ok());
    std::set<uint32_t> free(maps.queue.begin(), maps.queue.end());
    RC_ASSERT(free.size() == LB_MAX_NEXTHOPS - 1u);
    RC_ASSERT(maps.queue.size() == free.size());
    for (const auto& [name, elements] : maps.contents) RC_ASSERT(elements.empty());
    RC_ASSERT(maps.ring_maps.empty());
  }));
}

// One member, one ring, one service.
Tables one_of_each() {
  Tables t;
  t.destinations[member(1)] = hop_by(2);
  t.backends[1] = backend_at(1);
  t.rings[1] = ring_of({1, 1});
  t.services[service_key(80)] = service_of(5, 1);
  return t;
}

class Releasing : public testing::Test {
 protected:
  void SetUp() override {
    fill_queue(maps_);
    ASSERT_TRUE(bring(writer_, one_of_each()));
  }
  MemoryMaps maps_;
  TableWriter writer_{maps_};
};

TEST_F(Releasing, IdsRestUntilTwoPassesDoNotFindThem) {
  const uint16_t hop = backends_in(maps_).at(1).nexthop;
  Census census;
  census.services[5] = census.backends[1] = census.nexthops[hop] = true;
  ASSERT_TRUE(bring(writer_, Tables{}));
  EXPECT_EQ(backends_in(maps_).at(1).flags, LB_BACKEND_GONE);
  for (int pass = 0; pass < 3; ++pass) {
    ASSERT_TRUE(writer_.release_unused(census).ok());
    EXPECT_THAT(writer_.resting_services(), ElementsAre(5u));
    EXPECT_THAT(writer_.resting_backends(), ElementsAre(1u));
    EXPECT_EQ(maps_.queue.size(), LB_MAX_NEXTHOPS - 2u);
  }
  ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  EXPECT_THAT(writer_.resting_backends(), ElementsAre(1u));
  ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  EXPECT_THAT(writer_.resting_services(), IsEmpty());
  EXPECT_THAT(writer_.resting_backends(), IsEmpty());
  EXPECT_THAT(backends_in(maps_), IsEmpty());
  EXPECT_EQ(maps_.queue.back(), hop);
}

TEST_F(Releasing, WhatRestsIsFoundAgainAfterARestart) {
  const uint32_t service = 5;
  lb_use use{};
  use.flows = 1;
  ASSERT_TRUE(maps_.put(kServiceUse, service, use).ok());
  ASSERT_TRUE(bring(writer_, Tables{}));
  TableWriter next(maps_);
  ASSERT_TRUE(next.adopt().ok());
  EXPECT_THAT(next.resting_services(), ElementsAre(5u));
  EXPECT_THAT(next.resting_backends(), ElementsAre(1u));
  EXPECT_EQ(maps_.queue.size(), LB_MAX_NEXTHOPS - 2u);
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(next.release_unused(Census{}).ok());
  EXPECT_EQ(maps_.queue.size(), LB_MAX_NEXTHOPS - 1u);
  EXPECT_THAT(maps_.contents[kServiceUse.name], IsEmpty());
}

TEST_F(Releasing, AMemberThatComesBackHasItsNextHopAgain) {
  const uint16_t hop = backends_in(maps_).at(1).nexthop;
  ASSERT_TRUE(bring(writer_, Tables{}));
  ASSERT_TRUE(bring(writer_, one_of_each()));
  EXPECT_EQ(backends_in(maps_).at(1).nexthop, hop);
  EXPECT_THAT(writer_.resting_backends(), IsEmpty());
  for (int pass = 0; pass < 3; ++pass) ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  EXPECT_EQ(backends_in(maps_).at(1).nexthop, hop);
  EXPECT_EQ(std::count(maps_.queue.begin(), maps_.queue.end(), hop), 0);
}

TEST_F(Releasing, ABackendFollowsItsDestination) {
  Tables routeless = one_of_each();
  routeless.destinations.clear();
  ASSERT_TRUE(bring(writer_, routeless));
  EXPECT_EQ(backends_in(maps_).at(1).nexthop, 0);
  ASSERT_TRUE(bring(writer_, one_of_each()));
  EXPECT_EQ(backends_in(maps_).at(1).nexthop, hop_ids_in(maps_).at(hop_key(1, 0)));
}

// A program makes next hops of clients' sides.
class ClientHops : public Releasing {
 protected:
  static constexpr uint32_t kInterface = 3;
  uint32_t make_hop(uint32_t host) {
    const uint32_t id = maps_.queue.front();
    maps_.queue.pop_front();
    EXPECT_TRUE(maps_.put(kNexthops, id, hop_by(kInterface)).ok());
    const lb_nexthop_key key = hop_key(host, kInterface);
    EXPECT_TRUE(maps_.put(kNexthopIds, key, id).ok());
    return id;
  }
  lb_nexthop hop(uint32_t id) { return maps_.get(kNexthops, id)->value(); }
};

TEST_F(ClientHops, FollowTheNeighbours) {
  const uint32_t known = make_hop(50), unknown = make_hop(51);
  const uint16_t members = backends_in(maps_).at(1).nexthop;
  lb_nexthop now = hop_by(kInterface);
  now.dst_mac[5] = 9;
  ASSERT_TRUE(writer_.resolve({{hop_key(50, kInterface), now}}).ok());
  EXPECT_TRUE(bytes_equal(hop(known), now));
  EXPECT_TRUE(bytes_equal(hop(unknown), lb_nexthop{}));
  EXPECT_TRUE(bytes_equal(hop(members), hop_by(2)));
  const int writes = maps_.writes();
  ASSERT_TRUE(writer_.resolve({{hop_key(50, kInterface), now}}).ok());
  EXPECT_EQ(maps_.writes(), writes);
}

TEST_F(ClientHops, RestBeforeTheyAreGivenBack) {
  const uint32_t id = make_hop(50);
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_TRUE(hop_ids_in(maps_).contains(hop_key(50, kInterface)));
    ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  }
  EXPECT_FALSE(hop_ids_in(maps_).contains(hop_key(50, kInterface)));
  // A flow that was being made at that moment is found by the next pass.
  Census found;
  found.nexthops[id] = true;
  ASSERT_TRUE(writer_.release_unused(found).ok());
  lb_nexthop now = hop_by(kInterface);
  now.dst_mac[5] = 9;
  ASSERT_TRUE(writer_.resolve({{hop_key(50, kInterface), now}}).ok());
  EXPECT_TRUE(bytes_equal(hop(id), now));
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_EQ(std::count(maps_.queue.begin(), maps_.queue.end(), id), 0);
    ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  }
  EXPECT_EQ(maps_.queue.back(), id);
  EXPECT_TRUE(bytes_equal(hop(id), lb_nexthop{}));
}

TEST_F(ClientHops, StayWhileFlowsUseThem) {
  const uint32_t id = make_hop(50);
  Census used;
  used.nexthops[id] = true;
  for (int pass = 0; pass < 4; ++pass) {
    ASSERT_TRUE(writer_.release_unused(Census{}).ok());
    ASSERT_TRUE(writer_.release_unused(used).ok());
  }
  EXPECT_TRUE(hop_ids_in(maps_).contains(hop_key(50, kInterface)));
}

TEST_F(ClientHops, AreAskedForAgainWhenRoutesHaveChanged) {
  const uint32_t id = make_hop(50);
  const uint16_t members = backends_in(maps_).at(1).nexthop;
  ASSERT_TRUE(writer_.ask_again().ok());
  EXPECT_FALSE(hop_ids_in(maps_).contains(hop_key(50, kInterface))) << "new flows find another";
  lb_nexthop now = hop_by(kInterface);
  ASSERT_TRUE(writer_.resolve({{hop_key(50, kInterface), now}}).ok());
  EXPECT_EQ(hop(id).flags, LB_NEXTHOP_RESOLVED | LB_NEXTHOP_ASK);
  EXPECT_TRUE(bytes_equal(hop(members), hop_by(2)));
  Census used;
  used.nexthops[id] = true;
  for (int pass = 0; pass < 3; ++pass) ASSERT_TRUE(writer_.release_unused(used).ok());
  EXPECT_EQ(hop(id).flags, LB_NEXTHOP_RESOLVED | LB_NEXTHOP_ASK);
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  EXPECT_EQ(maps_.queue.back(), id);
  EXPECT_TRUE(bytes_equal(hop(id), lb_nexthop{}));
}

// Another node's flows come without one, as long as there is a pair.
TEST_F(ClientHops, AreAskedForByWhoHasNone) {
  ASSERT_TRUE(writer_.expect(ForeignFlows::come).ok());
  EXPECT_EQ(hop(0).flags, LB_NEXTHOP_ASK);
  ASSERT_TRUE(writer_.resolve({}).ok());
  for (int pass = 0; pass < 3; ++pass) ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  EXPECT_EQ(hop(0).flags, LB_NEXTHOP_ASK);
  TableWriter alone(maps_);
  ASSERT_TRUE(alone.expect(ForeignFlows::none).ok());
  EXPECT_TRUE(bytes_equal(hop(0), lb_nexthop{}));
}

TEST_F(ClientHops, TakeOnlyWhatCameInThereIfTheirInterfaceIsClosed) {
  const uint32_t client = make_hop(50);
  const uint16_t members = backends_in(maps_).at(1).nexthop;
  const auto follow = [&](std::set<uint32_t> open) {
    ASSERT_TRUE(writer_.set_redirectable(std::move(open)).ok());
    ASSERT_TRUE(writer_.resolve({{hop_key(50, kInterface), hop_by(kInterface)}}).ok());
  };
  follow({});
  EXPECT_EQ(hop(members).flags, LB_NEXTHOP_BACK_ONLY);
  EXPECT_EQ(hop(client).flags, LB_NEXTHOP_BACK_ONLY);
  TableWriter next(maps_);
  ASSERT_TRUE(next.adopt().ok());
  EXPECT_TRUE(diff(next.tables(), one_of_each()).empty());
  follow({2, kInterface});
  EXPECT_EQ(hop(members).flags, LB_NEXTHOP_RESOLVED);
  EXPECT_EQ(hop(client).flags, LB_NEXTHOP_RESOLVED);
}

TEST_F(Releasing, ADestinationRestsUntilTwoPassesDoNotFindIt) {
  EXPECT_THAT(writer_.resting_destinations(), ElementsAre(member(1)));
  Tables way_only;
  way_only.destinations = one_of_each().destinations;
  const uint16_t hop = backends_in(maps_).at(1).nexthop;
  ASSERT_TRUE(bring(writer_, way_only));
  Census used;
  used.nexthops[hop] = true;
  for (int pass = 0; pass < 3; ++pass) {
    ASSERT_TRUE(writer_.release_unused(used).ok());
    EXPECT_THAT(writer_.resting_destinations(), ElementsAre(member(1)));
  }
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(writer_.release_unused(Census{}).ok());
  EXPECT_THAT(writer_.resting_destinations(), IsEmpty());
  ASSERT_TRUE(bring(writer_, one_of_each()));
  EXPECT_THAT(writer_.resting_destinations(), ElementsAre(member(1)));
}

TEST(TableWriter, SaysWhatItCouldNotDo) {
  MemoryMaps maps;
  fill_queue(maps);
  TableWriter writer(maps);
  maps.fail_at(4, MemoryMaps::After::goes_on);
  const std::vector<Step> steps = diff({}, one_of_each());
  const auto result = writer.apply(steps);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().what, "put backend 1 203.0.113.1:8080 (write lb_backends)");
  EXPECT_EQ(result.error().code, EIO);
  maps.queue.clear();
  Tables other;
  other.destinations[member(7)] = hop_by(2);
  const auto full = writer.apply(diff({}, other));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ENOSPC);
}

}  // namespace
}  // namespace datapath
