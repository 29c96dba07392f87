// The flow table of a pin folder, checked by who is not its agent: mapped for reading only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/datapath/flow_check.h"
#include "base/result.h"

namespace datapath {

struct CheckedFlows {
  uint64_t lines = 0;  // of both families
  std::vector<FlowFault> faults;
};

// Programs may run meanwhile: only what is still wrong `apart` later is a fault. Blocks.
// Error::code is ENOENT if no maps of this version are pinned.
base::Result<CheckedFlows> check_pinned_flows(const std::string& pin_root,
                                              std::chrono::milliseconds apart);

}  // namespace datapath
