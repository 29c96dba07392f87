#include "agent/serve/pair_life.h"

#include <algorithm>

#include "bpf/flow_layout.h"

namespace serve {

namespace {

// What moves with the VIPs and has had no packet here for so long would be at the other node, if it
// still were.
constexpr uint32_t kElsewhereTicks = 2000 / LB_TICK_MS;

}  // namespace

// What is half-open, closed or reset is this node's own, and ages as ever.
datapath::FlowLife life_in_pair(datapath::FlowLife flow, const PairView& view, bool is_told,
                                const std::function<bool()>& moves) {
  if ((lb_state_uses(flow.state) & LB_USE_FLOWS) == 0) return flow;
  if (!view.is_standby || !view.follows)
    flow.idle = std::min(flow.idle, view.now - view.ages_from);
  else if (is_told)
    flow.idle = 0;
  else
    flow.is_elsewhere = flow.idle > kElsewhereTicks && moves();
  return flow;
}

bool has_come(const datapath::FlowLife& flow, const PairView& view) {
  return !view.is_standby && flow.idle < view.now - view.active_from;
}

}  // namespace serve
