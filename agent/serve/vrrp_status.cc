#include "agent/serve/vrrp_status.h"

#include <algorithm>

namespace serve {

keepalived::Seen seen_of(const std::string& interface, const netns::Observed& observed) {
  keepalived::Seen seen;
  seen.runs = true;
  seen.link_is_up = false;
  for (const auto& [index, link] : observed.links) {
    if (link.name != interface) continue;
    seen.link_is_up = link.up && link.carrier;
    seen.addresses.reserve(link.addresses.size());
    for (const base::IpPrefix& prefix : link.addresses) seen.addresses.push_back(prefix.address);
  }
  return seen;
}

control::VrrpStatus vrrp_status(const VrrpFacts& facts, const netns::Observed& observed) {
  const keepalived::Instance& instance = facts.instance;
  keepalived::Seen seen = seen_of(instance.interface, observed);
  seen.runs = facts.running;
  seen.checks_pass = facts.reasons_against.empty();
  control::VrrpStatus status;
  status.role = keepalived::to_text(keepalived::role_of(instance, seen));
  status.interface = instance.interface;
  status.priority = instance.priority;
  status.vips.reserve(instance.vips.size() + instance.excluded.size());
  for (const auto* vips : {&instance.vips, &instance.excluded})
    for (const base::IpAddress& vip : *vips)
      status.vips.push_back({vip, std::ranges::find(seen.addresses, vip) != seen.addresses.end()});
  status.running = facts.running;
  status.starts = facts.counts.starts;
  status.reloads = facts.counts.reloads;
  status.restarts = facts.counts.restarts;
  status.unfit_because = facts.reasons_against;
  return status;
}

}  // namespace serve
