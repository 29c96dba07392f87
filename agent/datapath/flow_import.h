// FlowImport: puts the flows of an older table into this one, while the program of this version has
// the flows that are here, and the older program all others. docs/handover.md has the order.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "agent/datapath/flow_memory.h"
#include "agent/datapath/old_flows.h"
#include "base/fd.h"
#include "base/result.h"
#include "bpf/handover.h"

namespace datapath {

class FlowImport {
 public:
  // What a line there says of its way (lb_flow.nexthop), as it is said here.
  using WayOf = std::function<base::Result<uint16_t>(uint16_t)>;
  struct Counts {
    uint64_t taken = 0;
    uint64_t without_room = 0, without_port = 0;  // that stay behind
  };

  // All but the values must outlive it. `program`: lb_take_flow.
  FlowImport(int program, const OldFlows& from, const FlowMemory& to, WayOf way_of)
      : program_(program), from_(&from), to_(&to), way_of_(std::move(way_of)) {}

  // Every flow that is there gets its lines here, too. What did not find a place is counted anew
  // each time.
  base::Status take_all();
  // After a grace period: no program run is at a line there of a flow that was taken. What changed
  // there until it was here is caught up, and the flow is not theirs any more.
  void settle();
  // After the older program has run for the last time: what it counted until the flows were here.
  void count_rest();

  const Counts& counts() const { return counts_; }

 private:
  struct Taken {
    base::Family family;
    uint32_t there, reply_there;  // lines
    uint32_t here;                // forward line; LB_FLOW_NONE: it was here already
    uint64_t word, reply_word;    // there, when it was taken
    uint64_t bytes_in, bytes_out;
  };

  base::Status take(base::Family family, uint32_t forward);
  base::Result<int32_t> run(lb_take& flow) const;
  void settle(const Taken& flow) const;
  void catch_up(const Taken& flow, const lb_flow& forward, const lb_flow& reply) const;
  void change_state(lb_flow& forward, const lb_flow& reply, __u64 word, uint32_t state) const;

  int program_;
  const OldFlows* from_;
  const FlowMemory* to_;
  WayOf way_of_;
  Counts counts_;
  std::vector<Taken> taken_, settled_;
};

}  // namespace datapath
