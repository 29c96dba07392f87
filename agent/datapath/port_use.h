// PortUse: how many of the source ports towards each member are taken. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/datapath/flow_table.h"
#include "agent/datapath/tables.h"
#include "base/uuid.h"

namespace datapath {

// Of a member: the flows that it has, each with a port of its own, and how many there can be, with
// all source addresses. Closed ones do not count: they give their port up. Few are left:
// connections are soon refused.
struct PortUse {
  base::Uuid member;
  uint64_t used = 0, ports = 0;

  bool is_scarce() const { return used * 5 >= ports * 4; }
};

// In words for people.
std::string scarce_ports(const PortUse& use);

// Source ports at one address that are not the kernel's alone.
uint32_t snat_ports(const lb_info& info, const lb_kernel_ports& kernel);

// Of every backend, with nothing used yet.
std::map<uint16_t, PortUse> port_limits(const Tables& tables, const lb_info& info);
// The same with what the census has found.
std::vector<PortUse> port_use(const std::map<uint16_t, PortUse>& limits, const FlowCensus& census);

}  // namespace datapath
