// Where VIPs live, and the layout of the namespace.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/relations.h"
#include "base/ip.h"
#include "netns/netns_spec.h"

namespace plan {

struct VipLink {
  std::string interface;  // "lo" if no other link has a network with the VIP
  uint32_t ifindex = 0;   // 0: not there (yet)
};

// The networks that the links are in, as observed or, before that, as configured. Host prefixes are
// none: the VIP itself, put somewhere before, says nothing.
class Networks {
 public:
  // Copies what it needs.
  Networks(const netns::Observed& observed, const netns::LayoutSpec& configured);

  // The link with the longest network that has the VIP; of two alike the observed one.
  const VipLink& link_of(const base::IpAddress& vip) const;
  // The source towards members behind this link that goes where the VIPs go; nullopt: none does.
  std::optional<base::IpAddress> floating_on(uint32_t ifindex, base::Family family) const;

 private:
  void add(const std::vector<base::IpPrefix>& prefixes, const std::string& interface);

  struct Network {
    base::IpPrefix prefix;
    VipLink link;
  };
  std::map<std::string, uint32_t> links_;  // observed: name -> ifindex
  std::vector<Network> networks_;
  VipLink loopback_;
  std::vector<base::IpAddress> floating_;
};

// `configured`, and what the model adds: the VIPs, each on its link, and the members as targets
// whose next hops are kept known. An amphora's VIPs are its interface files' and its keepalived's:
// they come with `configured` or not at all.
netns::LayoutSpec make_layout(const model::Relations& related, const Networks& networks,
                              const netns::LayoutSpec& configured);

}  // namespace plan
