#include "agent/datapath/sizes.h"

#include <algorithm>
#include <bit>
#include <fstream>
#include <string>

#include "bpf/lb_abi.h"

namespace datapath {
namespace {

constexpr uint64_t kLinesPerFlow = 4;
// A machine with more memory has it for others; who wants more flows says so.
constexpr uint64_t kMostByDefault = 256ull << 20;  // bytes, for each family

// What a line costs with its shares of a bucket's lock, of the ring of half-open flows and their
// SYNs, and of the ports that rest, in sixteenths of a byte.
constexpr uint64_t line_cost(base::Family family) {
  const bool four = family == base::Family::ipv4;
  const uint64_t line = four ? sizeof(lb_flow) : sizeof(lb_flow6);
  return 16 * line + 16 * sizeof(lb_bucket) / LB_FLOW_WAYS +
         16 * (sizeof(lb_half) + sizeof(lb_syn)) / LB_HALF_SHARE +
         (four ? 16 * sizeof(lb_rest) / LB_REST_SHARE : 0);
}

uint32_t clamped(uint64_t lines) {
  return static_cast<uint32_t>(std::clamp<uint64_t>(lines, LB_FLOW_MIN_LINES, LB_FLOW_MAX_LINES));
}

}  // namespace

uint32_t lines_for_flows(uint32_t flows) { return clamped(std::bit_ceil(kLinesPerFlow * flows)); }

uint32_t lines_for_memory(base::Family family, uint64_t memory_bytes) {
  const uint64_t share =
      std::min(memory_bytes / (family == base::Family::ipv4 ? 16 : 32), kMostByDefault * 5 / 4);
  return clamped(std::bit_floor(share * 16 / line_cost(family)));
}

uint32_t bytes_per_flow(base::Family family) {
  return static_cast<uint32_t>(kLinesPerFlow * line_cost(family) / 16);
}

uint64_t machine_memory_bytes() {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string key; meminfo >> key;) {
    uint64_t kib = 0;
    if (key == "MemTotal:" && meminfo >> kib) return kib * 1024;
    std::getline(meminfo, key);
  }
  return 0;
}

uint32_t half_open_rings(int online_cpus) {
  const auto cpus = static_cast<uint32_t>(std::max(online_cpus, 1));
  return std::min<uint32_t>(std::bit_ceil(cpus), LB_MAX_CPUS);
}

}  // namespace datapath
