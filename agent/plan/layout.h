// Where VIPs live, and the layout of the namespace.
#pragma once

#include <cstdint>
#include <string>

#include "agent/model/model.h"
#include "agent/plan/plan.h"
#include "base/ip.h"
#include "netns/netns_spec.h"

namespace plan {

// Can be an address of a load balancer or of a member: one machine, elsewhere.
bool is_unicast(const base::IpAddress& address);

// PENDING_DELETE counts as gone.
bool is_wanted(const model::Common& resource);

// vip_address and additional_vips, each once, without those that cannot be one.
std::set<base::IpAddress> vips_of(const model::LoadBalancer& lb);

struct VipPlace {
  std::string interface;  // "lo" if no other link has a network with the VIP
  uint32_t ifindex = 0;   // 0: not there (yet)
};
// The link whose connected networks have the VIP: the longest such prefix, as observed or, before
// that, as configured. The VIP itself, put there as a host prefix before, says nothing.
VipPlace place_of(const base::IpAddress& vip, const netns::Observed& observed,
                  const netns::LayoutSpec& configured);

netns::LayoutSpec make_layout(const model::Model& model, const netns::Observed& observed,
                              const netns::LayoutSpec& configured);

}  // namespace plan
