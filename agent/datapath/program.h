// Program: the programs of XDP and of tc ingress, and the maps they are loaded with.
#pragma once

#include <cstdint>
#include <string>

#include "agent/datapath/kernel_maps.h"
#include "base/fd.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

struct Sizes {
  uint32_t lines4 = 0, lines6 = 0;  // powers of two

  friend bool operator==(const Sizes&, const Sizes&) = default;
};

struct Loaded {
  base::Fd program;
  KernelMaps maps;        // by name, as they are pinned
  uint32_t features = 0;  // LB_FEATURE_*: those of the maps that were not pinned yet
};

// alone: the program has all packets. beside: those of flows that are not in its maps are for the
// program in lb_before (on tc: lb_before_tc), which also makes the new ones.
enum class Role { alone, beside };

// Loads the program on `pinned` maps, or on new ones of these sizes if there are none. All of them
// must be there, but for those whose feature `info` does not have: they are made. An error names
// the map that is missing, or not of the shape that the program was built for. What the kernel
// refuses is explained: privilege, or the feature that is missing.
base::Result<Loaded> load_program(const Sizes& sizes, const lb_info& info, const KernelMaps& pinned,
                                  Role role);

// The program of tc ingress, on the maps that load_program() gave; beside another, also on that in
// which it is.
base::Result<base::Fd> load_tc_program(const Sizes& sizes, const lb_info& info,
                                       const KernelMaps& maps, Role role);

// What the program needs and this kernel does not have, "bpf_loop"; empty: all there. Loads
// nothing. Who may not call bpf(2) gets everything.
std::string missing_kernel_features();

// The programs of bpf/handover.bpf.c, on these maps.
struct HandoverPrograms {
  base::Fd take_flow, add_counts;
};
base::Result<HandoverPrograms> load_handover(const Sizes& sizes, const lb_info& info,
                                             const KernelMaps& pinned);

// The programs of bpf/replica.bpf.c, on these maps, with two of their own.
struct ReplicaPrograms {
  base::Fd take_flows, end_flows;
  base::Fd takes, ends;  // lb_takes, lb_ends
};
base::Result<ReplicaPrograms> load_replica(const Sizes& sizes, const lb_info& info,
                                           const KernelMaps& pinned);

}  // namespace datapath
