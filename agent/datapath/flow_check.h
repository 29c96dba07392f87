// The invariants of the flow table (docs/flow-table.md, section 4), checked over mapped memory.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/datapath/flow_memory.h"

namespace datapath {

// Something that must not be; ordered, so that two checks can be intersected.
struct FlowFault {
  base::Family family = base::Family::ipv4;
  uint32_t line = 0;  // index; of a bucket its first line
  uint64_t word = 0;  // of the line, when it was looked at
  std::string what;

  std::string text() const;
  auto operator<=>(const FlowFault&) const = default;
};

enum class CheckScope {
  at_rest,      // no program runs, no agent sweeps
  after_sweep,  // besides, a whole sweep and its release are over: nothing is left half done
};

// Exact at rest. While programs run, flows that are just being made or ended look faulty: a fault
// counts if a second check, a while later, finds it again.
std::vector<FlowFault> check_flows(const FlowMemory& memory, CheckScope scope);

}  // namespace datapath
