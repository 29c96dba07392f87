#include "agent/datapath/port_use.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "agent/datapath/abi.h"

namespace datapath {
namespace {

constexpr uint32_t kLeastPort = 1024;

// VIPs of either family that flows to the pool may have as their source.
std::map<base::Uuid, std::set<base::IpAddress>> vips_by_pool(const Tables& tables) {
  std::map<base::Uuid, std::set<base::IpAddress>> vips;
  for (const auto& [key, service] : tables.services)
    vips[from_abi(service.pool)].insert(from_abi(from_abi(key.family), key.vip));
  return vips;
}

}  // namespace

std::string scarce_ports(const PortUse& use) {
  return std::to_string(use.used) + " of " + std::to_string(use.ports) +
         " source ports towards the member are in use; when none is left, connections go to other "
         "members or are refused (no_snat_port)";
}

uint32_t snat_ports(const lb_info& info, const lb_kernel_ports& kernel) {
  const uint32_t low = std::max<uint32_t>(info.snat_port_min, kLeastPort);
  const uint32_t high = info.snat_port_max;
  if (low > high) return 0;
  const uint32_t first = std::max<uint32_t>(low, kernel.min);
  const uint32_t last = std::min<uint32_t>(high, kernel.max);
  return high - low + 1 - (first <= last ? last - first + 1 : 0);
}

std::map<uint16_t, PortUse> port_limits(const Tables& tables, const lb_info& info) {
  const uint64_t ports = snat_ports(info, tables.kernel_ports);
  const auto vips = vips_by_pool(tables);
  std::map<uint16_t, PortUse> limits;
  for (const auto& [id, backend] : tables.backends) {
    PortUse& limit = limits[id] = {from_abi(backend.member), 0, ports};
    const auto of_pool = vips.find(from_abi(backend.pool));
    if ((backend.flags & LB_BACKEND_SNAT_VIP) == 0 || of_pool == vips.end()) continue;
    const auto is_ours = [family = from_abi(backend.family)](const auto& vip) {
      return vip.family() == family;
    };
    limit.ports *= static_cast<uint64_t>(
        std::count_if(of_pool->second.begin(), of_pool->second.end(), is_ours));
  }
  return limits;
}

std::vector<PortUse> port_use(const std::map<uint16_t, PortUse>& limits, const FlowCensus& census) {
  std::vector<PortUse> all;
  for (const auto& [id, limit] : limits) {
    all.push_back(limit);
    if (id >= census.backend_use.size()) continue;
    const lb_use& use = census.backend_use[id];
    all.back().used = uint64_t{use.flows} + use.opening;
  }
  return all;
}

}  // namespace datapath
