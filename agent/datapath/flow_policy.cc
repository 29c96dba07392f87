#include "agent/datapath/flow_policy.h"

#include <netinet/in.h>

#include <algorithm>

namespace datapath {
namespace {

// Rounded up: a limit is never cut short. The last tick that counts may have just begun.
uint32_t ticks(uint32_t ms) { return ms / LB_TICK_MS + (ms % LB_TICK_MS != 0); }

// Of two limits of which 0 means none.
uint32_t shorter(uint32_t a, uint32_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

bool reached(uint32_t idle, uint32_t limit) { return limit != 0 && idle > limit; }

}  // namespace

FlowPolicy FlowPolicy::of(const Tables& tables) {
  FlowPolicy policy;
  policy.services_.resize(LB_MAX_SERVICES);
  policy.usable_.resize(LB_MAX_BACKENDS);
  for (const auto& [key, service] : tables.services) {
    if (service.id >= LB_MAX_SERVICES) continue;
    Limits& limits = policy.services_[service.id];
    limits.known = true;
    limits.connect = ticks(service.connect_timeout);
    limits.client = ticks(service.client_timeout);
    limits.idle = shorter(limits.client, ticks(service.member_timeout));
  }
  for (const auto& [id, backend] : tables.backends) {
    // One that drains (weight 0) keeps its clients until they are idle; one that is disabled does
    // not.
    constexpr unsigned kWanted = LB_BACKEND_PRESENT | LB_BACKEND_RETURNING;
    if (id < LB_MAX_BACKENDS)
      policy.usable_[id] = (backend.flags & (kWanted | LB_BACKEND_GONE)) == kWanted;
  }
  return policy;
}

Expiry FlowPolicy::expiry(const FlowLife& flow) const {
  if (flow.is_elsewhere) return Expiry::elsewhere;
  if (flow.service >= services_.size() || !services_[flow.service].known)
    return Expiry::listener_gone;
  const Limits& limits = services_[flow.service];
  const bool datagrams = flow.protocol == IPPROTO_UDP;
  if (datagrams && (flow.backend >= usable_.size() || !usable_[flow.backend]))
    return Expiry::backend_gone;
  switch (flow.state) {
    case LB_FLOW_HALF_OPEN: {
      const uint32_t alone = flow.answered ? kAnsweredTicks : kUnansweredTicks;
      const uint32_t limit = datagrams ? shorter(alone, limits.client) : limits.connect;
      return reached(flow.idle, limit) ? Expiry::unanswered : Expiry::keep;
    }
    case LB_FLOW_CLOSED:
      return reached(flow.idle, kClosedTicks) ? Expiry::closed : Expiry::keep;
    case LB_FLOW_RESET:
      return reached(flow.idle, kResetTicks) ? Expiry::reset : Expiry::keep;
    default:  // open, or closed by one side: the other one may still have much to say
      // One-way datagrams: there is no member's silence to speak of.
      if (datagrams && !flow.answered)
        return reached(flow.idle, limits.client) ? Expiry::idle : Expiry::keep;
      return reached(flow.idle, limits.idle) ? Expiry::idle : Expiry::keep;
  }
}

}  // namespace datapath
