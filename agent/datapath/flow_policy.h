// FlowPolicy: when a flow has to end, from the tables that are applied. Pure: a value and a
// function of it.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/datapath/tables.h"
#include "bpf/lb_abi.h"

namespace datapath {

// Ticks are those of lb_clock, LB_TICK_MS each. A closed connection is kept until the last ACK and
// a repeated FIN have passed: those come within a retransmission timeout or two.
inline constexpr uint32_t kClosedTicks = 5000 / LB_TICK_MS;
// After RST nothing is owed but what was under way already.
inline constexpr uint32_t kResetTicks = 2000 / LB_TICK_MS;
// UDP that nobody answers, as conntrack has it; a listener may ask for less. And UDP that was
// answered, but whose client has not sent again: a question and its answer.
inline constexpr uint32_t kUnansweredTicks = 30000 / LB_TICK_MS;
inline constexpr uint32_t kAnsweredTicks = 10000 / LB_TICK_MS;

// What there is to know about a flow for this decision.
struct FlowLife {
  uint8_t protocol = 0;  // IPPROTO_*
  lb_flow_state state = LB_FLOW_OPEN;
  uint32_t service = 0;
  uint32_t backend = 0;
  bool answered = false;      // by the member
  uint32_t idle = 0;          // ticks since the last packet of either direction
  bool is_elsewhere = false;  // another node has its listener's VIP, and does not have the flow
  // Where it is: its forward line. Who judges by that knows why.
  base::Family family = base::Family::ipv4;
  uint32_t line = 0;
};

enum class Expiry {
  keep,
  listener_gone,
  backend_gone,  // datagrams leave a dead or disabled member at once; TCP and SCTP are not cut
  unanswered,    // half-open for too long
  idle,
  closed,
  reset,
  elsewhere,  // it has ended at the other node of a pair, or begun anew there
};
inline constexpr size_t kExpiries = 8;

class FlowPolicy {
 public:
  static FlowPolicy of(const Tables& tables);
  Expiry expiry(const FlowLife& flow) const;

 private:
  static constexpr uint32_t kNever = 0;
  // Ticks, kNever: no limit. As HAProxy understands a timeout of 0.
  struct Limits {
    bool known = false;
    uint32_t connect = kNever;
    uint32_t client = kNever;
    uint32_t idle = kNever;  // the shorter of client's and member's
  };

  std::vector<Limits> services_;  // by id
  std::vector<bool> usable_;      // backends by id: may keep the datagrams of their clients
};

}  // namespace datapath
