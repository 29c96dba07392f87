// What the kernel can do, and what of the datapath is in it.
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "agent/cli/look/parts.h"
#include "agent/datapath/pinned_flows.h"
#include "agent/datapath/pins.h"
#include "agent/datapath/program.h"
#include "agent/datapath/refusal.h"
#include "bpf/lb_abi.h"

namespace look {
namespace {

// Longer than the agent takes from one step on a flow to the next.
constexpr std::chrono::milliseconds kApart{2000};

// Every question of bpf(2) is refused who is not, as if the kernel had nothing.
doctor::Seen<std::string> missing_features() {
  if (const std::string lacks = datapath::missing_capabilities(); !lacks.empty())
    return base::Error{EPERM, "ask the kernel for its features without " + lacks};
  return datapath::missing_kernel_features();
}

}  // namespace

doctor::Kernel look_at_kernel(const std::string& pin_root) {
  doctor::Kernel out;
  utsname name{};
  if (::uname(&name) == 0) out.release = name.release;
  out.has_btf = ::access("/sys/kernel/btf/vmlinux", F_OK) == 0;
  out.missing = missing_features();
  out.compiles = datapath::compiles_programs();
  out.has_bpffs = datapath::is_on_bpffs(pin_root);
  out.abi = LB_ABI_VERSION;
  out.oldest_abi = LB_ABI_OLDEST;
  if (auto readable = datapath::can_read_pins(pin_root); !readable)
    out.pinned = readable.error();
  else
    out.pinned = datapath::pinned_versions(pin_root);
  return out;
}

doctor::Seen<doctor::Flows> look_at_flows(const std::string& pin_root) {
  if (auto readable = datapath::can_read_pins(pin_root); !readable) return readable.error();
  const auto checked = datapath::check_pinned_flows(pin_root, kApart);
  if (!checked) return checked.error();
  doctor::Flows out{checked->lines, {}};
  for (const datapath::FlowFault& fault : checked->faults) out.faults.push_back(fault.text());
  return out;
}

}  // namespace look
