// FlowRecord: a flow as a value, read out of the table.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/ip.h"
#include "bpf/lb_abi.h"

namespace datapath {

// What is the same whoever tells of the flow, by whatever names.
struct FlowFacts {
  base::Endpoint client, vip, snat, member;
  uint64_t bytes_in = 0, bytes_out = 0;  // from and to the client: L4 payload
};

// As the datapath names things.
struct FlowRecord : FlowFacts {
  uint8_t protocol = 0;  // IPPROTO_*
  lb_flow_state state = LB_FLOW_FREE;
  uint32_t service = 0, backend = 0;
  uint32_t nexthop_out = 0, nexthop_back = 0;  // towards the member, towards the client
  // Since the last packet of each direction, in steps of a tick.
  std::chrono::milliseconds idle_client{0}, idle_member{0};
};

}  // namespace datapath
