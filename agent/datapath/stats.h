// Stats: counters of the datapath, summed over the CPUs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/datapath/maps.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

using Verdicts = std::array<uint64_t, LB_VERDICT_COUNT>;  // packets by enum lb_verdict; [0] is 0

// What becomes of a packet.
enum class Fate { sent, passed, dropped };  // sent on; to the kernel; nowhere

std::string_view verdict_name(lb_verdict verdict);  // "established"
Fate verdict_fate(lb_verdict verdict);

struct ServiceStats {
  Verdicts verdicts{};
  uint64_t flows = 0;      // made since the service exists
  uint64_t persisted = 0;  // of these: to the member that the client had
  // Of flows that have ended; what is live counts on its own lines (flow_table.h).
  uint64_t bytes_in = 0, bytes_out = 0;  // from clients, from members
  uint32_t connections = 0;              // now: established, and not yet closed or reset
};

base::Result<Verdicts> read_verdicts(Maps& maps);
base::Result<ServiceStats> read_service_stats(Maps& maps, uint32_t service);

}  // namespace datapath
