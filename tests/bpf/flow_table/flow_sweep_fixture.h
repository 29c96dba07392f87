// FlowSweep: the agent's half on the small table, and agents that are killed at any of its steps.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "agent/datapath/flow_check.h"
#include "tests/bpf/flow_table/flow_fixture.h"

namespace flow_test {

using datapath::CheckScope;
using datapath::Expiry;
using datapath::FlowLife;
using datapath::FlowTable;

inline Expiry keep(const FlowLife&) { return Expiry::keep; }
inline Expiry end(const FlowLife&) { return Expiry::idle; }
inline Expiry end_half_open(const FlowLife& flow) {
  return flow.state == LB_FLOW_HALF_OPEN ? Expiry::unanswered : Expiry::keep;
}

inline void release(FlowTable& table) {
  table.begin_grace();  // nothing runs here, so there is nothing to wait for
  while (table.release(1) > 0) continue;
}

inline void pass(FlowTable& table, const FlowTable::Judge& judge) {
  while (table.sweep(judge, 10) == FlowTable::Progress::more) continue;
  release(table);
}

class FlowSweep : public Flows {
 protected:
  FlowTable agent() const {
    auto memory = map();
    EXPECT_TRUE(memory) << memory.error().message();
    auto ended = ended_ring();
    EXPECT_TRUE(ended) << ended.error().message();
    return FlowTable(std::move(memory).value(), std::move(ended).value());
  }
  // An agent that ends all flows and is killed at its n-th step; false: it had no such step.
  bool agent_dies_at_step(int n, const FlowTable::Judge& judge) {
    const pid_t child = ::fork();
    if (child == 0) {
      FlowTable table = agent();
      int left = n;
      table.set_point_hook([&](FlowTable::Point) {
        if (left-- == 0) ::raise(SIGKILL);
      });
      pass(table, judge);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }
  void expect_sound(CheckScope scope) {
    for (const auto& fault : datapath::check_flows(memory(), scope)) ADD_FAILURE() << fault.text();
  }
  uint32_t service_use() const { return memory().service_use()[kService].flows; }
  uint32_t backend_use() const { return memory().backend_use()[kBackend].flows; }
  uint32_t opening() const { return memory().backend_use()[kBackend].opening; }
};

}  // namespace flow_test
