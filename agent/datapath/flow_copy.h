// Copies of flows, made while programs go on changing them.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/datapath/flow_memory.h"

namespace datapath {

// A line as it is now, whosoever it is; IPv4: its first half.
lb_flow6 copy_line(const FlowLines& lines, uint32_t index);

// Both lines were one flow's all the time they were read.
struct WholeFlow {
  lb_flow6 forward, reply;
};
// Of a live forward line; nullopt: there is none, or it changed hands meanwhile.
std::optional<WholeFlow> copy_flow(const FlowLines& lines, uint32_t index);

// The live line of this tuple (IPv6: with these addresses, too); LB_FLOW_NONE: there is none.
uint32_t find_line(const FlowLines& lines, uint64_t seed, const lb_flow6& like);

}  // namespace datapath
