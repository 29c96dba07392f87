// Who watches flows live and end, and when they began.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "agent/datapath/flow_births.h"
#include "tests/bpf/flow_table/flow_sweep_fixture.h"

namespace flow_test {
namespace {

using std::chrono::milliseconds;

// Writes down what it is told.
struct Diary final : datapath::FlowWitness {
  void ticked() override { ticks++; }
  void met(const datapath::FlowLines&, uint32_t forward, uint64_t) override {
    met_lines.push_back(forward);
  }
  void ended(const datapath::FlowLines&, uint32_t, uint64_t,
             const datapath::EndedFlow& flow) override {
    ended_flows.push_back(flow);
  }
  int ticks = 0;
  std::vector<uint32_t> met_lines;
  std::vector<datapath::EndedFlow> ended_flows;
};

TEST_F(FlowSweep, WitnessIsToldOfEndedFlowsWithAllTheyCarried) {
  ASSERT_GE(new_flow(1), 0);
  open(1);
  ASSERT_GE(new_flow(2), 0);
  const uint32_t first = find_client(1)->index, second = find_client(2)->index;
  FlowTable table = agent();
  Diary diary;
  table.set_witness(&diary);
  table.advance_clock(milliseconds(100));
  EXPECT_EQ(diary.ticks, 1);
  while (table.sweep(end_half_open, 10) == FlowTable::Progress::more) continue;
  EXPECT_EQ(diary.met_lines.size(), 2u);
  EXPECT_NE(std::ranges::find(diary.met_lines, first), diary.met_lines.end());
  EXPECT_TRUE(diary.ended_flows.empty()) << "its lines still count";
  line(second).bytes = 7;  // the last packets that were on their way
  release(table);
  ASSERT_EQ(diary.ended_flows.size(), 1u);
  const datapath::EndedFlow& ended = diary.ended_flows[0];
  EXPECT_EQ(ended.record.client.port, 1002);
  EXPECT_EQ(ended.record.snat.port, 20002);
  EXPECT_EQ(ended.record.bytes_in, 7u);
  EXPECT_EQ(ended.record.service, kService);
  EXPECT_EQ(ended.record.backend, kBackend);
  EXPECT_EQ(ended.record.state, LB_FLOW_HALF_OPEN);
  EXPECT_EQ(ended.expiry, Expiry::unanswered);
  EXPECT_FALSE(ended.is_answered);
  pass(table, end);
  ASSERT_EQ(diary.ended_flows.size(), 2u);
  EXPECT_EQ(diary.ended_flows[1].record.state, LB_FLOW_OPEN);
  EXPECT_EQ(diary.ended_flows[1].expiry, Expiry::idle);
  EXPECT_TRUE(diary.ended_flows[1].is_answered);
}

// Asked before they are given back, as often as one likes: whoever tells both ends needs the
// numbers that they wait for.
TEST_F(FlowSweep, EndingFlowsHaveTheirNumbersUntilTheyAreReleased) {
  for (uint32_t id = 1; id <= 3; id++) {
    ASSERT_GE(new_flow(id), 0);
    open(id);
    line(find_client(id)->index).next = 1000 + id;
    line(find_member(id)->index).next = 5000 + id;
  }
  ASSERT_TRUE(agent_dies_at_step(0, end));  // it has ended one, and told nobody
  FlowTable table = agent();
  while (table.sweep(end, 10) == FlowTable::Progress::more) continue;
  EXPECT_TRUE(table.ending(10).empty()) << "programs may still count on their lines";
  EXPECT_EQ(table.begin_grace(), 3u);
  EXPECT_EQ(table.ending(10).size(), 3u);
  std::set<uint16_t> ports;
  for (size_t left = 3; left > 0; left = table.release(1)) {
    const std::vector<datapath::EndedFlow> next = table.ending(1);
    ASSERT_EQ(next.size(), 1u);
    const uint32_t id = next[0].record.client.port - 1000;
    EXPECT_EQ(next[0].next_client, 1000 + id);
    EXPECT_EQ(next[0].next_member, 5000 + id);
    EXPECT_EQ(next[0].record.state, LB_FLOW_OPEN);
    ports.insert(next[0].record.client.port);
  }
  EXPECT_EQ(ports.size(), 3u);
  EXPECT_TRUE(table.ending(10).empty());
}

TEST_F(FlowSweep, WitnessIsToldOfWhatADeadAgentEnded) {
  ASSERT_GE(new_flow(1), 0);
  ASSERT_TRUE(agent_dies_at_step(0, end));
  FlowTable table = agent();
  Diary diary;
  table.set_witness(&diary);
  pass(table, keep);
  ASSERT_EQ(diary.ended_flows.size(), 1u);
  EXPECT_EQ(diary.ended_flows[0].expiry, Expiry::keep);
  EXPECT_EQ(diary.ended_flows[0].record.client.port, 1001);
}

// A program ends it, as it does when its client begins anew: no pass would meet it again.
TEST_F(FlowSweep, WitnessIsToldOfWhatAProgramEnded) {
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    family_ = family;
    FlowTable table = agent();
    Diary diary;
    ASSERT_GE(new_flow(1), 0);
    ASSERT_TRUE(drop(*find_client(1)));
    table.advance_clock(milliseconds(100));
    table.set_witness(&diary);
    ASSERT_GE(new_flow(2), 0);
    open(2);
    line(find_client(2)->index).bytes = 7;
    line(find_member(2)->index).bytes = 9;
    const uint32_t index = find_client(2)->index;
    ASSERT_TRUE(drop(*find_client(2)));
    ASSERT_GE(new_flow(3), 0);
    ASSERT_TRUE(drop(*find_client(3))) << "half-open: it never was a connection";
    table.advance_clock(milliseconds(100));
    ASSERT_EQ(diary.ended_flows.size(), 1u);
    const datapath::EndedFlow& ended = diary.ended_flows[0];
    EXPECT_EQ(ended.record.client.port, 1002);
    EXPECT_EQ(ended.record.client.address.family(), family);
    EXPECT_EQ(ended.record.snat.port, 20002);
    EXPECT_EQ(ended.record.member.port, 8080);
    EXPECT_EQ(ended.record.bytes_in, 7u);
    EXPECT_EQ(ended.record.bytes_out, 9u);
    EXPECT_EQ(ended.record.state, LB_FLOW_OPEN);
    EXPECT_TRUE(ended.is_answered);
    EXPECT_EQ(diary.met_lines, std::vector<uint32_t>{index}) << "for its birth";
    table.advance_clock(milliseconds(100));
    EXPECT_EQ(diary.ended_flows.size(), 1u) << "once";
  }
}

// Else what is told when nobody asks would be told to the next one who does.
TEST_F(FlowSweep, ProgramsTellNobodyWhenThereIsNoWitness) {
  FlowTable table = agent();
  Diary diary;
  table.set_witness(&diary);
  table.set_witness(nullptr);
  ASSERT_GE(new_flow(1), 0);
  open(1);
  ASSERT_TRUE(drop(*find_client(1)));
  table.set_witness(&diary);
  table.advance_clock(milliseconds(100));
  EXPECT_TRUE(diary.ended_flows.empty());
}

// As the sweep tells it: each live flow, and the rings with the clock.
class FlowBirth : public FlowSweep {
 protected:
  std::optional<uint32_t> met(datapath::FlowBirths& births, uint32_t id) {
    const auto hit = find_client(id);
    births.met(lines(), hit->index, hit->word);
    return births.of(lines(), hit->index, hit->word);
  }
  void tick(datapath::FlowBirths& births) {
    memory().clock().tick++;
    births.sample();
  }
};

TEST_F(FlowBirth, IsKnownToATick) {
  memory().clock().tick = 500;
  ASSERT_GE(new_flow(1), 0);
  datapath::FlowBirths births(memory());
  tick(births);
  ASSERT_GE(new_flow(2), 0);
  tick(births);  // 502
  tick(births);
  ASSERT_GE(new_flow(3), 0);
  EXPECT_EQ(met(births, 1), std::nullopt) << "it was there before";
  EXPECT_EQ(met(births, 2), 502u);
  EXPECT_EQ(met(births, 3), 503u) << "since the last tick";
  tick(births);
  EXPECT_EQ(met(births, 1), std::nullopt);
  EXPECT_EQ(met(births, 2), 502u);
}

TEST_F(FlowBirth, IsOfTheFlowThatHasTheLineNow) {
  datapath::FlowBirths births(memory());
  ASSERT_GE(new_flow(1), 0);
  open(1);
  tick(births);
  const auto first = met(births, 1);
  const auto hit = *find_client(1);
  ASSERT_TRUE(drop(hit));
  for (int i = 0; i < 5; i++) tick(births);
  ASSERT_GE(new_flow(1), 0);
  tick(births);
  const auto again = *find_client(1);
  EXPECT_EQ(births.of(lines(), again.index, again.word), std::nullopt) << "not met yet";
  EXPECT_EQ(met(births, 1).value(), first.value() + 6);
}

}  // namespace
}  // namespace flow_test
