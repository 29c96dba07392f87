// What is shown of a pair's node: its role by the kernel's addresses, and its keepalived.
#pragma once

#include <string>
#include <vector>

#include "agent/control/operator.h"
#include "keepalived/keepalived_spec.h"
#include "keepalived/process.h"
#include "netns/netns_spec.h"

namespace serve {

struct VrrpFacts {
  const keepalived::Instance& instance;
  bool running = false;  // keepalived
  keepalived::Counts counts;
  std::vector<std::string> reasons_against;
};

// The interface alone, as if keepalived ran and its checks passed. Pure.
keepalived::Seen seen_of(const std::string& interface, const netns::Observed& observed);

// `observed`: the namespace, as it was observed last. Pure.
control::VrrpStatus vrrp_status(const VrrpFacts& facts, const netns::Observed& observed);

}  // namespace serve
