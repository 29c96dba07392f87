// FlowTable: the agent's half of the flow table. It ends flows that have expired, counts the live
// ones and keeps the clock, all in mapped memory: no lock, and no system call per flow.
//
// Every step on a flow is one atomic operation and may be the last one before a SIGKILL: the next
// agent's sweep goes on from what the words say. docs/flow-table.md has the reasons for the order.
//
// One thread at a time, and one agent at a time on the maps. A coroutine drives it:
//   each 100 ms: table.advance_clock(elapsed)
//   again and again:
//     do progress = table.sweep(judge, kSweepSlice), and let others run; while more
//     if (table.begin_grace() > 0) { Grace::wait() on another thread;
//                                    do tell the ends of table.ending(kReleaseSlice);
//                                    while (table.release(kReleaseSlice) > 0), others run; }
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "agent/datapath/census.h"
#include "agent/datapath/flow_memory.h"
#include "agent/datapath/flow_policy.h"
#include "agent/datapath/flow_witness.h"
#include "agent/datapath/ring_reader.h"

namespace datapath {

// About a millisecond each: lines looked at, flows given back.
inline constexpr size_t kSweepSlice = 16384;
inline constexpr size_t kReleaseSlice = 4096;

// What one whole pass over the table found. Flows that came or went meanwhile may be in or not.
struct FlowCensus {
  struct Table {
    std::array<uint64_t, LB_FLOW_STATES> lines{};  // by state: flows, for those of forward lines
    uint64_t spilled_buckets = 0;
  };
  uint64_t pass = 0;                             // 0: there was none yet
  Census used;                                   // ids that lines which are not free name
  std::array<Table, 2> tables;                   // IPv4, IPv6
  std::vector<lb_use> service_use, backend_use;  // of the live flows, by id
  std::vector<lb_service_sum> service_traffic;   // of the live flows, by service id
  std::array<uint64_t, kExpiries> ended{};       // flows this pass ended, by reason
};

// "half_open", "open", ... "reset"; other states have a name too.
const char* flow_state_name(uint32_t state);

class FlowTable {
 public:
  using Judge = std::function<Expiry(const FlowLife&)>;
  enum class Progress {
    more,
    pass_done,
    release_first,  // nothing was done: flows of the last pass wait for begin_grace and release
  };
  // Where a test may stop the agent: what it has just done.
  enum class Point { killed, buried, found_dead, forward_freed, reply_freed };

  // `ended`: what programs have ended, for the witness.
  explicit FlowTable(FlowMemory memory, EndedRing ended = {});

  const FlowMemory& memory() const { return memory_; }

  // The only writer of the clock. What is less than a tick is kept for the next call; a long pause
  // counts as kMostTicks, so that no flow ages while nobody was there.
  void advance_clock(std::chrono::milliseconds elapsed);
  static constexpr uint32_t kMostTicks = 5;

  // Looks at so many further lines, of both families one after the other. Flows that `judge` does
  // not keep are ended; what a dead agent left is taken over.
  Progress sweep(const Judge& judge, size_t lines);
  // Flows ended so far are released after a grace period that begins after this call; how many.
  size_t begin_grace();
  // The flows that release() of so many would give back next, of those that wait for it.
  std::vector<EndedFlow> ending(size_t flows) const;
  // Counts the ended flows out and frees their lines, so many at most; how many are left.
  size_t release(size_t flows);

  const FlowCensus& census() const { return census_; }  // of the last whole pass
  uint64_t half_open_overwritten() const;               // flows that gave way to newer ones

  // nullptr: nobody. Outlives this. Programs tell of the flows that they end as long as there is
  // one.
  void set_witness(FlowWitness* witness);
  // Programs tell of connections that they open, close and end (lb_changes), or do not.
  enum class Changes : uint8_t { untold, told };
  void set_changes(Changes changes);
  // Until then another node may tell of flows that it has begun: packets of no flow that the kernel
  // would refuse are dropped (LB_NO_FLOW_YET). That ends by itself, whoever is killed meanwhile.
  void await_flows(std::chrono::steady_clock::time_point until);
  void set_point_hook(std::function<void(Point)> hook) { hook_ = std::move(hook); }

 private:
  static constexpr uint32_t kAlone = LB_FLOW_NONE;
  struct Ended {
    const FlowLines* lines;
    uint32_t forward;  // kAlone: only the reply line is left
    uint32_t reply;
    // For the witness. Of what a dead agent left, nobody knows.
    Expiry expiry = Expiry::keep;
    bool is_answered = false;
  };

  void set_flag(uint32_t flag, bool asked);
  void begin_pass();
  void end_pass();
  uint64_t use_raises() const;
  void forget_drift();
  void repair_use(const std::vector<lb_use>& before, std::vector<lb_use>& drift,
                  const std::vector<lb_use>& counted, std::span<lb_use> use);
  void sweep_line(const FlowLines& lines, uint32_t index, const Judge& judge);
  void sweep_flow(const FlowLines& lines, uint32_t index, uint64_t word, const Judge& judge);
  void sweep_dead_reply(const FlowLines& lines, uint32_t index);
  bool kill(const FlowLines& lines, uint32_t index, uint64_t word);
  void bury(const FlowLines& lines, uint32_t index);
  void release_one(const Ended& ended);
  EndedFlow ended_flow(const Ended& ended) const;
  void tell_of(const Ended& ended) const;
  void tell_of(const lb_ended& ended) const;
  void count_use(const lb_flow& forward, const lb_flow* reply, uint32_t state);
  void reached(Point point) const {
    if (hook_) hook_(point);
  }

  FlowMemory memory_;
  std::chrono::milliseconds clock_rest_{0};
  uint64_t position_ = 0;  // in the pass: IPv4 lines, then IPv6 lines
  std::vector<Ended> ended_, waiting_;
  FlowCensus census_, counting_;

  // Use counters are only wrong after an agent was killed; they are repaired when it is quiet.
  uint64_t raises_ = 0;
  std::vector<lb_use> counted_services_, counted_backends_;  // with those that are dead
  std::vector<lb_use> service_use_before_, backend_use_before_;
  std::vector<lb_use> service_drift_, backend_drift_;  // modulo 2^32, like the uses
  std::function<void(Point)> hook_;
  FlowWitness* witness_ = nullptr;
  EndedRing ended_ring_;
};

}  // namespace datapath
