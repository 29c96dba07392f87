// FlowWalk: reads all flows, a slice at a time, while programs go on changing them. A record is
// whole: both lines were one flow's all the time they were read.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "agent/datapath/flow_memory.h"
#include "base/ip.h"

namespace datapath {

struct FlowRecord {
  uint8_t protocol = 0;  // IPPROTO_*
  lb_flow_state state = LB_FLOW_FREE;
  base::Endpoint client, vip, snat, member;
  uint32_t service = 0, backend = 0;
  uint32_t nexthop_out = 0, nexthop_back = 0;  // towards the member, towards the client
  // Since the last packet of each direction, in steps of a tick.
  std::chrono::milliseconds idle_client{0}, idle_member{0};
  uint64_t packets_in = 0, bytes_in = 0;  // from the client; bytes of L4 payload
  uint64_t packets_out = 0, bytes_out = 0;
};

// A flow that lives during the whole walk is visited once; one that comes or goes may be missed.
class FlowWalk {
 public:
  enum class Progress { more, done };
  using Visit = std::function<void(const FlowRecord&)>;

  // `memory` must outlive it.
  explicit FlowWalk(const FlowMemory& memory) : memory_(&memory) {}

  // Looks at so many further lines.
  Progress slice(size_t lines, const Visit& visit);

 private:
  const FlowMemory* memory_;
  uint64_t position_ = 0;
};

}  // namespace datapath
