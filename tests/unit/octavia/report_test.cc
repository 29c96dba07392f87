// What a heartbeat says of each situation (contract, 4.4). The expected words are those of
// Octavia's own agent with the same pools, as in the vectors of tests/unit/heartbeat.
#include "agent/octavia/report.h"

#include <gtest/gtest.h>

namespace octavia {
namespace {

using health::Counters;
using health::Heartbeat;
using health::PoolReport;
using health::Told;
using model::CheckedState;

Uuid id(int kind, int number) {
  Uuid out;
  out.bytes[0] = static_cast<uint8_t>(kind);
  out.bytes[15] = static_cast<uint8_t>(number);
  return out;
}
Uuid listener_id(int n) { return id(1, n); }
Uuid pool_id(int n) { return id(2, n); }
Uuid member_id(int n) { return id(3, n); }

// One listener with one pool of the same number.
struct World {
  explicit World(model::ListenerProtocol protocol = model::ListenerProtocol::tcp) {
    model::Listener listener;
    listener.id = listener_id(1);
    listener.protocol = protocol;
    listener.default_pool = pool_id(1);
    m.listeners[listener.id] = listener;
    model::Pool pool;
    pool.id = pool_id(1);
    m.pools[pool.id] = pool;
    m.amphora.emplace();
  }
  World& monitor(bool on = true) {
    model::HealthMonitor monitor;
    monitor.id = id(4, 1);
    monitor.pool = pool_id(1);
    monitor.admin_state_up = on;
    m.health_monitors[monitor.id] = monitor;
    return *this;
  }
  World& member(int n, int weight = 1, bool on = true) {
    model::Member member;
    member.id = member_id(n);
    member.pool = pool_id(1);
    member.weight = weight;
    member.admin_state_up = on;
    m.members[member.id] = member;
    return *this;
  }
  World& down(int n) {
    known.members[member_id(n)] = CheckedState::down;
    return *this;
  }
  Heartbeat beat() { return report(m, known, told, "amphora", 7); }
  PoolReport pool() {
    const auto pools = beat().pools;
    EXPECT_EQ(pools.size(), 1u);
    return pools.empty() ? PoolReport{} : pools.begin()->second;
  }

  model::Model m;
  Known known;
  Told told;
};

using Members = std::map<Uuid, std::string>;
constexpr auto kUdp = model::ListenerProtocol::udp;

TEST(Report, NothingIsThere) {
  World world;
  world.m = {};
  EXPECT_EQ(world.beat(), (Heartbeat{"amphora", 7, {}, {}}));
}

TEST(Report, PoolsAreNamedByListenerButNotThoseOfLvs) {
  EXPECT_TRUE(World().beat().pools.contains(pool_id(1).text() + ":" + listener_id(1).text()));
  EXPECT_TRUE(World(kUdp).beat().pools.contains(pool_id(1).text()));
}

TEST(Report, ASharedPoolIsThereForEachListener) {
  World world;
  model::Listener other = world.m.listeners.at(listener_id(1));
  other.id = listener_id(2);
  world.m.listeners[other.id] = other;
  EXPECT_EQ(world.beat().pools.size(), 2u);
}

TEST(Report, MembersThatAreChecked) {
  const Members want{{member_id(1), "UP"},
                     {member_id(2), "DOWN"},
                     {member_id(3), "DRAIN"},
                     {member_id(4), "MAINT"}};
  for (const auto protocol : {model::ListenerProtocol::tcp, kUdp}) {
    World world(protocol);
    world.monitor().member(1).member(2).member(3, 0).member(4, 1, false).down(2).down(4);
    EXPECT_EQ(world.pool(), (PoolReport{"UP", want}));
  }
}

TEST(Report, MembersThatNobodyChecks) {
  World haproxy;
  haproxy.member(1).member(2, 0).member(3, 1, false);
  EXPECT_EQ(
      haproxy.pool(),
      (PoolReport{
          "UP",
          {{member_id(1), "no check"}, {member_id(2), "no check"}, {member_id(3), "MAINT"}}}));
  World lvs(kUdp);
  lvs.member(1).member(2, 0).member(3, 1, false);
  EXPECT_EQ(
      lvs.pool(),
      (PoolReport{"UP",
                  {{member_id(1), "no check"}, {member_id(2), "DRAIN"}, {member_id(3), "MAINT"}}}));
}

TEST(Report, AMonitorThatIsSwitchedOffIsNone) {
  World world;
  world.monitor(false).member(1).down(1);
  EXPECT_EQ(world.pool(), (PoolReport{"UP", {{member_id(1), "no check"}}}));
}

TEST(Report, PoolsThatNoMemberServes) {
  World all_down;
  all_down.monitor().member(1).down(1);
  EXPECT_EQ(all_down.pool().status, "DOWN");
  World unusable;
  unusable.member(1, 0).member(2, 1, false);
  EXPECT_EQ(unusable.pool().status, "DOWN");
  World lvs_down(kUdp);
  lvs_down.monitor().member(1).member(2, 0).down(1).down(2);
  EXPECT_EQ(lvs_down.pool(),
            (PoolReport{"DOWN", {{member_id(1), "DOWN"}, {member_id(2), "DOWN"}}}));
  World lvs_unchecked(kUdp);
  lvs_unchecked.member(1, 0).member(2, 1, false);
  EXPECT_EQ(lvs_unchecked.pool().status, "UP");
}

TEST(Report, APoolWithoutMembersIsUp) {
  EXPECT_EQ(World().monitor().pool(), (PoolReport{"UP", {}}));
  EXPECT_EQ(World(kUdp).monitor().pool(), (PoolReport{"UP", {}}));
}

TEST(Report, WhatIsSwitchedOffIsNotThere) {
  World world;
  world.m.pools.at(pool_id(1)).admin_state_up = false;
  EXPECT_TRUE(world.beat().pools.empty());
  EXPECT_EQ(world.beat().listeners.size(), 1u);
  world.m.listeners.at(listener_id(1)).admin_state_up = false;
  EXPECT_TRUE(world.beat().listeners.empty());
}

TEST(Report, AListenerWithoutPool) {
  World world;
  world.m.listeners.at(listener_id(1)).default_pool.reset();
  const Heartbeat beat = world.beat();
  EXPECT_EQ(beat.listeners.at(listener_id(1)), (health::ListenerReport{"OPEN", {}}));
  EXPECT_TRUE(beat.pools.empty());
}

TEST(Report, AListenerAtItsLimitIsFull) {
  World world;
  world.known.full.insert(listener_id(1));
  EXPECT_EQ(world.beat().listeners.at(listener_id(1)).status, "FULL");
}

TEST(Report, CountersAreDeltasAndConnectionsAreNot) {
  World world;
  world.known.counters[listener_id(1)] = {10, 20, 1, 2};  // in, out, errors, connections
  world.known.connections[listener_id(1)] = 4;
  EXPECT_EQ(world.beat().listeners.at(listener_id(1)).stats,
            (health::ListenerStats{20, 10, 4, 2, 1}));
  world.known.counters[listener_id(1)] = {11, 22, 1, 3};
  EXPECT_EQ(world.beat().listeners.at(listener_id(1)).stats,
            (health::ListenerStats{2, 1, 4, 1, 0}));
}

World left_to_haproxy() {
  World world;
  world.m.amphora->left_to_haproxy[listener_id(1)] = "mode http";
  world.known.counters[listener_id(1)] = {10, 20, 1, 2};
  return world;
}

TEST(Report, HaproxySpeaksForWhatIsItsOwn) {
  World world = left_to_haproxy();
  const std::string own = pool_id(8).text() + ":" + listener_id(1).text();
  const std::string gone = pool_id(9).text() + ":" + listener_id(9).text();
  const PoolReport said{"UP", {{member_id(1), "UP 1/3"}}};
  world.known.haproxy = HaproxyReport{{{listener_id(1), "FULL"}}, {{own, said}, {gone, said}}};
  const Heartbeat beat = world.beat();
  EXPECT_EQ(beat.listeners.at(listener_id(1)).status, "FULL");
  EXPECT_EQ(beat.pools, (std::map<std::string, PoolReport>{{own, said}}));
}

TEST(Report, AHaproxyThatDoesNotAnswerHasNoListenersAndLosesNoCount) {
  World world = left_to_haproxy();
  EXPECT_TRUE(world.beat().listeners.empty());
  world.known.haproxy.emplace();
  EXPECT_EQ(world.beat().listeners.at(listener_id(1)).stats.tx, 20u);
  world.known.haproxy.reset();
  world.known.counters[listener_id(1)] = {10, 25, 1, 2};
  world.beat();
  world.known.haproxy.emplace();
  EXPECT_EQ(world.beat().listeners.at(listener_id(1)).stats.tx, 5u);
}

// Where XDP can forward nothing: as if the upload had left it there.
TEST(Report, AListenerThatTheMachineLeavesToHaproxyIsItsToTell) {
  World world;
  world.member(1);
  world.known.by_haproxy = {listener_id(1)};
  EXPECT_TRUE(world.beat().listeners.empty());  // it has not been asked yet
  world.known.haproxy.emplace();
  world.known.haproxy->listeners[listener_id(1)] = "FULL";
  EXPECT_EQ(world.beat().listeners.at(listener_id(1)).status, "FULL");
}

}  // namespace
}  // namespace octavia
