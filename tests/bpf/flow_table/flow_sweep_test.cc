// The agent's half on the same small table: ending flows, counting them, and what is left when an
// agent is killed in the middle.
#include <gtest/gtest.h>

#include "agent/datapath/flow_walk.h"
#include "tests/bpf/flow_table/flow_sweep_fixture.h"

namespace flow_test {
namespace {

using datapath::FlowRecord;
using datapath::FlowWalk;
using std::chrono::milliseconds;

TEST_F(FlowSweep, EndsWhatIsNotKeptAndCountsIt) {
  protocol_ = 17;
  ASSERT_GE(new_flow(1), 0);
  open(1);
  ASSERT_GE(new_flow(2), 0);
  line(find_client(2)->index).bytes = 400;
  line(find_member(2)->index).bytes = 500;
  FlowTable table = agent();
  while (table.sweep(end_half_open, 10) == FlowTable::Progress::more) continue;
  EXPECT_FALSE(find_client(2) || find_member(2)) << "dead, though not yet free";
  EXPECT_EQ(table.sweep(keep, 10), FlowTable::Progress::release_first);
  EXPECT_EQ(table.begin_grace(), 1u);
  EXPECT_EQ(table.release(10), 0u);
  expect_sound(CheckScope::after_sweep);
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
  EXPECT_EQ(table.census().ended[static_cast<size_t>(Expiry::unanswered)], 1u);
  const lb_service_sum& sum = memory().service_sum()[kService];
  EXPECT_EQ(sum.bytes_in, 400u);
  EXPECT_EQ(sum.bytes_out, 500u);
  EXPECT_EQ(service_use(), 1u);
  EXPECT_EQ(backend_use(), 1u);
  EXPECT_EQ(opening(), 0u);
}

TEST_F(FlowSweep, FlowIsCountedOutByTheStateItDiedIn) {
  for (uint32_t id = 1; id <= 4; id++) ASSERT_GE(new_flow(id), 0);
  for (uint32_t id = 1; id <= 3; id++) open(id);
  note(*find_client(1), kFin);
  note(*find_client(2), kRst);
  EXPECT_EQ(service_use(), 2u);
  FlowTable table = agent();
  pass(table, end);
  EXPECT_EQ(service_use() + backend_use() + opening(), 0u);
  EXPECT_EQ(memory().service_use()[kService].closing, 0u);
}

TEST_F(FlowSweep, FlowThatChangedMeanwhileLives) {
  ASSERT_GE(new_flow(1), 0);
  FlowTable table = agent();
  const auto answer_late = [this](const FlowLife&) {
    open(1);
    return Expiry::unanswered;
  };
  pass(table, answer_late);
  EXPECT_EQ(state(1), LB_FLOW_OPEN);
  EXPECT_EQ(table.census().ended[static_cast<size_t>(Expiry::unanswered)], 0u);
}

TEST_F(FlowSweep, IdleIsSinceTheLastPacketOfEitherDirection) {
  ASSERT_GE(new_flow(1), 0);
  memory().clock().tick = 1000;
  line(find_client(1)->index).seen = 100;
  line(find_member(1)->index).seen = 900;
  FlowLife seen;
  FlowTable table = agent();
  pass(table, [&](const FlowLife& flow) {
    seen = flow;
    return Expiry::keep;
  });
  EXPECT_EQ(seen.idle, 100u);
  EXPECT_EQ(seen.service, kService);
  EXPECT_EQ(seen.backend, kBackend);
  EXPECT_EQ(seen.protocol, 6);
}

TEST_F(FlowSweep, CensusCountsFlowsAndNamesIds) {
  ASSERT_GE(new_flow(1), 0);
  open(1);
  ASSERT_GE(new_flow(2), 0);
  line(find_client(1)->index).bytes = 9;
  FlowTable table = agent();
  pass(table, keep);
  const datapath::FlowCensus& census = table.census();
  EXPECT_EQ(census.pass, 1u);
  EXPECT_EQ(census.tables[0].lines[LB_FLOW_OPEN], 1u);
  EXPECT_EQ(census.tables[0].lines[LB_FLOW_HALF_OPEN], 1u);
  EXPECT_EQ(census.tables[0].lines[LB_FLOW_FREE], kLines - 4);
  EXPECT_EQ(census.tables[1].lines[LB_FLOW_FREE], kLines);
  EXPECT_EQ(census.service_use[kService].flows, 1u);
  EXPECT_EQ(census.backend_use[kBackend].flows, 1u);
  EXPECT_EQ(census.backend_use[kBackend].opening, 1u);
  EXPECT_EQ(census.service_traffic[kService].bytes_in, 9u);
  EXPECT_TRUE(census.used.services[kService] && census.used.backends[kBackend]);
  EXPECT_TRUE(census.used.nexthops[11] && census.used.nexthops[12]);
  EXPECT_FALSE(census.used.services[kService + 1] || census.used.backends[kService]);
  EXPECT_FALSE(census.used.nexthops[kService]);
}

TEST_F(FlowSweep, NextAgentFinishesWhatAKilledOneBegan) {
  int steps = 0;
  for (bool died = true; died; steps++) {
    SCOPED_TRACE(steps);
    SetUp();
    for (uint32_t id = 1; id <= 3; id++) ASSERT_GE(new_flow(id), 0);
    open(1);
    died = agent_dies_at_step(steps, end_half_open);
    expect_sound(CheckScope::at_rest);
    EXPECT_EQ(service_use(), 1u);
    EXPECT_GE(opening(), find_client(2).has_value() + find_client(3).has_value());

    // The lines that the dead agent left may not be met by anybody, and the rest works as ever.
    ASSERT_GE(new_flow(9), 0);
    FlowTable next = agent();
    pass(next, keep);
    expect_sound(CheckScope::after_sweep);
    EXPECT_EQ(state(1), LB_FLOW_OPEN);
    EXPECT_EQ(state(9), LB_FLOW_HALF_OPEN);
    for (int i = 0; i < 2; i++) pass(next, keep);
    EXPECT_EQ(service_use(), next.census().service_use[kService].flows);
    EXPECT_EQ(backend_use(), next.census().backend_use[kBackend].flows);
    EXPECT_EQ(opening(), next.census().backend_use[kBackend].opening) << "repaired";
  }
  EXPECT_EQ(steps, 2 * 4 + 1) << "killed, buried, forward freed, reply freed, of two flows";
}

TEST_F(FlowSweep, NextAgentsMayBeKilledToo) {
  for (int first = 0; first < 8; first++) {
    for (int second = 0; second < 8; second++) {
      SCOPED_TRACE(first * 100 + second);
      SetUp();
      for (uint32_t id = 1; id <= 2; id++) ASSERT_GE(new_flow(id), 0);
      agent_dies_at_step(first, end);
      ASSERT_GE(new_flow(3), 0);  // may take the lines that are free again
      agent_dies_at_step(second, keep);
      ASSERT_GE(new_flow(4), 0);
      FlowTable last = agent();
      pass(last, keep);
      expect_sound(CheckScope::after_sweep);
      EXPECT_TRUE(find_client(3) && find_member(3));
      EXPECT_TRUE(find_client(4) && find_member(4));
    }
  }
}

TEST_F(FlowSweep, UseIsRepairedOnlyWhenTwoPassesAgree) {
  ASSERT_GE(new_flow(1), 0);
  open(1);
  memory().service_use()[kService].flows = 5;
  memory().backend_use()[kBackend].opening = 3;
  FlowTable table = agent();
  pass(table, keep);
  EXPECT_EQ(service_use(), 5u);
  EXPECT_EQ(opening(), 3u);
  pass(table, keep);
  EXPECT_EQ(service_use(), 1u);
  EXPECT_EQ(opening(), 0u);
}

TEST_F(FlowSweep, ClockKeepsRestsAndForgetsPauses) {
  FlowTable table = agent();
  const auto& tick = memory().clock().tick;
  table.advance_clock(milliseconds(60));
  EXPECT_EQ(tick, 1u);
  table.advance_clock(milliseconds(60));
  EXPECT_EQ(tick, 2u);
  table.advance_clock(milliseconds(300));
  EXPECT_EQ(tick, 5u);
  table.advance_clock(std::chrono::hours(1));
  EXPECT_EQ(tick, 5u + FlowTable::kMostTicks);
}

TEST_F(FlowSweep, ClockStartsAtOneAndGoesOnAfterARestart) {
  memory().clock().tick = 0;
  agent();
  EXPECT_EQ(memory().clock().tick, 1u);
  memory().clock().tick = 77;
  agent();
  EXPECT_EQ(memory().clock().tick, 77u);
}

TEST_F(FlowSweep, WalkJoinsBothLinesOfEachFlow) {
  ASSERT_GE(new_flow(1), 0);
  family_ = base::Family::ipv6;
  ASSERT_GE(new_flow(2), 0);
  open(2);
  memory().clock().tick = 11;
  lb_flow& in = line(find_client(2)->index);
  in.bytes = 30;
  in.seen = 6;
  lb_flow& out = line(find_member(2)->index);
  out.bytes = 40;
  out.seen = 9;
  std::vector<FlowRecord> flows;
  FlowWalk walk(memory());
  while (walk.slice(7, [&](const FlowRecord& flow) { flows.push_back(flow); }) ==
         FlowWalk::Progress::more)
    continue;
  ASSERT_EQ(flows.size(), 2u);
  EXPECT_EQ(flows[0].client.text(), "192.0.2.1:1001");
  EXPECT_EQ(flows[0].state, LB_FLOW_HALF_OPEN);
  const FlowRecord& flow = flows[1];
  EXPECT_EQ(flow.client.text(), "[2001:db8::1]:1002");
  EXPECT_EQ(flow.vip.text(), "[2001:db8::80]:80");
  EXPECT_EQ(flow.snat.text(), "[2001:db8:1::2]:20002");
  EXPECT_EQ(flow.member.text(), "[2001:db8:1::7]:8080");
  EXPECT_EQ(flow.state, LB_FLOW_OPEN);
  EXPECT_EQ(flow.service, kService);
  EXPECT_EQ(flow.backend, kBackend);
  EXPECT_EQ(flow.nexthop_out, 11u);
  EXPECT_EQ(flow.nexthop_back, 12u);
  EXPECT_EQ(flow.idle_client, milliseconds(500));
  EXPECT_EQ(flow.idle_member, milliseconds(200));
  EXPECT_EQ(flow.bytes_in, 30u);
  EXPECT_EQ(flow.bytes_out, 40u);
}

// What the checker is for: each of these is found, and is gone when it is put right again.
TEST_F(FlowSweep, CheckerFindsWhatIsBroken) {
  ASSERT_GE(new_flow(1), 0);
  lb_flow& forward = line(find_client(1)->index);
  lb_flow& reply = line(find_member(1)->index);
  const auto expect_fault = [&](auto& field, auto broken, const char* what) {
    const auto sound = field;
    field = static_cast<std::remove_reference_t<decltype(field)>>(broken);
    const auto faults = datapath::check_flows(memory(), CheckScope::after_sweep);
    field = sound;
    ASSERT_FALSE(faults.empty()) << what;
    EXPECT_NE(faults.front().text().find(what), std::string::npos) << faults.front().text();
  };
  expect_fault(forward.word, lb_word_with_state(forward.word, 200), "unknown");
  expect_fault(forward.word, lb_word_with_state(forward.word, LB_FLOW_BUSY), "");
  expect_fault(forward.word, lb_word_next(forward.word), "without its forward line");
  expect_fault(reply.word, lb_word_next(reply.word), "without its reply line");
  expect_fault(reply.peer, LB_FLOW_NONE, "");
  expect_fault(forward.tuple.sport, ~forward.tuple.sport, "");
  expect_fault(lines().buckets()[3].lock, 1, "lock is held");
}

}  // namespace
}  // namespace flow_test
