#include "agent/datapath/pinned_flows.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <thread>

#include "agent/datapath/flow_memory.h"
#include "agent/datapath/pins.h"
#include "base/fd.h"
#include "bpf/lb_abi.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;

// The kernel maps nothing by a descriptor that can be read from only, not even for reading.
std::map<std::string, Fd> open_maps(const std::string& folder) {
  std::map<std::string, Fd> out;
  for (const std::string& name : list_folder(folder))
    if (auto fd = open_pin(folder + "/" + name); fd) out.emplace(name, std::move(*fd));
  return out;
}

std::vector<FlowFault> check(const FlowMemory& memory) {
  std::vector<FlowFault> faults = check_flows(memory, CheckScope::at_rest);
  std::ranges::sort(faults);
  return faults;
}

}  // namespace

Result<CheckedFlows> check_pinned_flows(const std::string& pin_root,
                                        std::chrono::milliseconds apart) {
  const std::string folder = version_folder(pin_root, LB_ABI_VERSION);
  const std::map<std::string, Fd> maps = open_maps(folder);
  if (maps.empty()) return Error{ENOENT, "open the maps in " + folder};
  const auto descriptor = [&](const char* name) {
    const auto found = maps.find(name);
    return found == maps.end() ? -1 : found->second.get();
  };
  const auto memory = FlowMemory::map(descriptor, MapMemory::Access::read);
  if (!memory) return memory.error();
  CheckedFlows out;
  for (const base::Family family : {base::Family::ipv4, base::Family::ipv6})
    out.lines += memory->lines(family).count();
  const std::vector<FlowFault> first = check(*memory);
  if (first.empty()) return out;
  std::this_thread::sleep_for(apart);
  std::ranges::set_intersection(first, check(*memory), std::back_inserter(out.faults));
  return out;
}

}  // namespace datapath
