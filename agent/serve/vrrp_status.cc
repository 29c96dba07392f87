#include "agent/serve/vrrp_status.h"

#include <algorithm>
#include <vector>

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

namespace {

bool is_here(const base::IpAddress& address, const std::vector<base::IpAddress>& addresses) {
  return std::ranges::find(addresses, address) != addresses.end();
}

}  // namespace

control::VrrpStatus vrrp_status(const VrrpFacts& facts, const netns::Observed& observed) {
  const keepalived::Instance& instance = facts.instance;
  keepalived::Seen seen = seen_of(instance.interface, observed);
  seen.runs = facts.running;
  seen.checks_pass = facts.reasons_against.empty();
  control::VrrpStatus status;
  status.role = keepalived::to_text(keepalived::role_of(instance, seen));
  status.interface = instance.interface;
  status.priority = instance.priority;
  for (const auto* vips : {&instance.vips, &instance.excluded})
    for (const base::IpAddress& vip : *vips)
      status.vips.push_back({vip, is_here(vip, seen.addresses)});
  for (const keepalived::Floating& one : instance.floating)
    status.vips.push_back(
        {one.address, is_here(one.address, seen_of(one.interface, observed).addresses)});
  status.running = facts.running;
  status.starts = facts.counts.starts;
  status.reloads = facts.counts.reloads;
  status.restarts = facts.counts.restarts;
  status.unfit_because = facts.reasons_against;
  return status;
}

}  // namespace serve
