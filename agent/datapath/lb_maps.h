// The maps of the datapath: their names (bpf/maps.h, bpf/flow_maps.h), and what is in them, as
// types. Who reads or writes one names it by these, and the compiler sees key and value.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/lb_abi.h"

namespace datapath {

template <class K, class V>
struct MapOf {
  using Key = K;
  using Value = V;  // of a per-CPU map: of one CPU
  const char* name;
};
template <class V>
using ArrayOf = MapOf<uint32_t, V>;
template <class V>
struct QueueOf {
  using Value = V;
  const char* name;
};
template <class V>
struct RingOf {
  using Value = V;
  const char* name;
};

using Cells = std::vector<lb_ring_cell>;  // the elements of one ring's map

// Policy: the agent writes, programs read.
inline constexpr MapOf<lb_service_key, lb_service> kServices{"lb_services"};
inline constexpr ArrayOf<uint32_t> kRings{"lb_rings"};  // of maps; their elements: Maps::put_rings
inline constexpr ArrayOf<lb_backend> kBackends{"lb_backends"};
inline constexpr MapOf<lb_cidr_key, lb_cidr> kCidrs{"lb_cidrs"};
inline constexpr ArrayOf<lb_limit> kLimits{"lb_limits"};         // follows from kServices
inline constexpr MapOf<uint32_t, uint32_t> kDevices{"lb_devs"};  // ifindex: itself
inline constexpr ArrayOf<lb_kernel_ports> kKernelPorts{"lb_kernel_ports"};

// Next hops, clients that are remembered, and whose packets have no checksums: both write.
inline constexpr ArrayOf<lb_nexthop> kNexthops{"lb_nexthops"};
inline constexpr MapOf<lb_nexthop_key, uint32_t> kNexthopIds{"lb_nexthop_ids"};
inline constexpr QueueOf<uint32_t> kFreeNexthops{"lb_nexthop_free"};
inline constexpr ArrayOf<lb_client_bucket> kClients{"lb_clients"};
inline constexpr MapOf<uint32_t, lb_checksums> kChecksums{"lb_checksums"};

// The flow table, one for each family.
inline constexpr ArrayOf<lb_flow> kFlows{"lb_flows"};
inline constexpr ArrayOf<lb_flow6> kFlows6{"lb_flows6"};
inline constexpr ArrayOf<lb_bucket> kBuckets{"lb_locks"}, kBuckets6{"lb_locks6"};
inline constexpr ArrayOf<lb_half> kHalfOpen{"lb_half"}, kHalfOpen6{"lb_half6"};
inline constexpr ArrayOf<lb_syn> kSyns{"lb_syns"};
inline constexpr ArrayOf<lb_rest> kRested{"lb_rested"};
inline constexpr RingOf<lb_ended> kEnded{"lb_ended"};
inline constexpr RingOf<lb_change> kChanges{"lb_changes"};
inline constexpr ArrayOf<lb_clock> kClock{"lb_clock"};
inline constexpr ArrayOf<lb_info> kInfo{"lb_info"};
inline constexpr ArrayOf<lb_flow_cpu> kFlowCpus{"lb_flow_cpu"};

// Fragments: what the first ones have left, and those that came before theirs.
inline constexpr MapOf<lb_trace_key, lb_trace> kTraces{"lb_traces"};
inline constexpr MapOf<lb_trace_key, uint64_t> kPassed{"lb_passed"};
inline constexpr RingOf<lb_held> kHeld{"lb_held"};

// Of a handover: the program before this one, by its descriptor. Cannot be read.
inline constexpr MapOf<uint32_t, uint32_t> kBefore{"lb_before"};
inline constexpr MapOf<uint32_t, uint32_t> kBeforeTc{"lb_before_tc"};  // only during a handover

// Counters; verdicts and those of services have a value for each CPU.
inline constexpr ArrayOf<lb_verdict_counters> kVerdicts{"lb_verdicts"};
inline constexpr ArrayOf<lb_service_counters> kServiceCounters{"lb_service_cnt"};
inline constexpr ArrayOf<lb_service_sum> kServiceSums{"lb_service_sum"};
inline constexpr ArrayOf<lb_use> kServiceUse{"lb_service_use"}, kBackendUse{"lb_backend_use"};

}  // namespace datapath
