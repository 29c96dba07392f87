// Census: which ids of the datapath live flows name, found by one whole pass over the flow table.
#pragma once

#include <vector>

#include "bpf/lb_abi.h"

namespace datapath {

// Indexed by id; true: some line that is not free names it.
struct Census {
  std::vector<bool> services = std::vector<bool>(LB_MAX_SERVICES);
  std::vector<bool> backends = std::vector<bool>(LB_MAX_BACKENDS);
  std::vector<bool> nexthops = std::vector<bool>(LB_MAX_NEXTHOPS);
};

}  // namespace datapath
