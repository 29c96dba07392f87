// What a node of a pair makes of the life of a flow: how long it counts as idle, and whose it is.
// Pure.
#pragma once

#include <cstdint>
#include <functional>

#include "agent/datapath/flow_policy.h"

namespace serve {

// The node, as ticks and as what it knows of the other one.
struct PairView {
  bool is_standby = true;
  bool follows = false;      // the other node is active, and has told of all its flows
  uint32_t now = 0;          // ticks
  uint32_t active_from = 0;  // when this node became active last
  uint32_t ages_from = 0;    // when it last followed: idle time counts from then at most
};

// On a standby that follows, what the other node has (`is_told`) does not age, and what could be
// there (`moves`) and is not is over: `is_elsewhere`. Else what it had until now begins to age.
datapath::FlowLife life_in_pair(datapath::FlowLife flow, const PairView& view, bool is_told,
                                const std::function<bool()>& moves);
// The flow has had a packet here since this node is active.
bool has_come(const datapath::FlowLife& flow, const PairView& view);

}  // namespace serve
