// Sizes: how many lines the flow tables get (docs/flow-table.md, memory). Pure.
#pragma once

#include <cstdint>

#include "base/ip.h"

namespace datapath {

// Lines of a table for so many flows at half load: a flow has 2 lines, so 4, as a power of two
// within what the ABI allows.
uint32_t lines_for_flows(uint32_t flows);
// Lines that take about 1/16 (IPv4) or 1/32 (IPv6) of the machine's memory, 256 MiB at most: 1M
// IPv4 and 512K IPv6 flows.
uint32_t lines_for_memory(base::Family family, uint64_t memory_bytes);
// What a flow costs at half load, with its share of everything that grows with the table.
uint32_t bytes_per_flow(base::Family family);
// MemTotal; 0 if /proc/meminfo cannot be read.
uint64_t machine_memory_bytes();
// CPUs that run, rounded up to a power of two, as lb_half is divided.
uint32_t half_open_rings(int online_cpus);

}  // namespace datapath
