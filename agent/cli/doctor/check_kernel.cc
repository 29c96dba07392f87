// Of the kernel: what it can do, and what of the datapath is in it.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "agent/cli/doctor/checks.h"

namespace doctor {
namespace {

constexpr std::pair kOldest{6, 1};

// Of "6.1.0-40-amd64": 6, 1. What is none is 0, 0.
std::pair<int, int> version_of(const std::string& release) {
  int major = 0, minor = 0;
  const char* const end = release.data() + release.size();
  const auto [dot, err] = std::from_chars(release.data(), end, major);
  if (err != std::errc{} || dot == end || *dot != '.') return {};
  std::from_chars(dot + 1, end, minor);
  return {major, minor};
}

std::string numbers(const std::vector<int>& versions) {
  std::string out;
  for (const int version : versions) out += (out.empty() ? "v" : ", v") + std::to_string(version);
  return out;
}

Diagnosis check_features(const Kernel& kernel) {
  if (!kernel.missing.ok()) return unseen("kernel-features", "", kernel.missing.why_not());
  if (kernel.missing->empty())
    return {"kernel-features", "", Grade::ok, "everything that the XDP program needs is there", ""};
  return {"kernel-features", "", Grade::fail, "not there: " + *kernel.missing,
          "run a kernel of 6.1 or newer with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS"};
}

Diagnosis check_jit(const Kernel& kernel) {
  if (!kernel.compiles.ok()) return unseen("jit", "", kernel.compiles.why_not());
  if (*kernel.compiles) return {"jit", "", Grade::ok, "BPF is compiled", ""};
  return {"jit", "", Grade::warn, "BPF is interpreted, many times slower",
          "sysctl -w net.core.bpf_jit_enable=1"};
}

bool answers(const Facts& facts) { return facts.agent.ok(); }

}  // namespace

Diagnoses check_kernel(const Facts& facts) {
  const Kernel& kernel = facts.kernel;
  const bool old = version_of(kernel.release) < kOldest;
  return {
      {"kernel", "", old ? Grade::fail : Grade::ok, "Linux " + kernel.release,
       old ? "run a kernel of 6.1 or newer" : ""},
      {"btf", "", kernel.has_btf ? Grade::ok : Grade::fail,
       kernel.has_btf ? "/sys/kernel/btf/vmlinux is there" : "no /sys/kernel/btf/vmlinux",
       kernel.has_btf ? "" : "run a kernel with CONFIG_DEBUG_INFO_BTF"},
      check_features(kernel),
      check_jit(kernel),
  };
}

Diagnoses check_bpffs(const Facts& facts) {
  const std::string& root = facts.configuration.pin_root;
  if (facts.kernel.has_bpffs)
    return {{"bpffs", "", Grade::ok, root + " is on a bpf file system", ""}};
  return {
      {"bpffs", "", Grade::fail, "no bpf file system is mounted for " + root,
       "mount -t bpf bpf /sys/fs/bpf, and restart the agent: maps that are pinned elsewhere are "
       "lost to it"}};
}

Diagnoses check_pins(const Facts& facts) {
  const Kernel& kernel = facts.kernel;
  const std::string& root = facts.configuration.pin_root;
  if (!kernel.has_bpffs)
    return {{"pins", "", Grade::fail, "there is no place for them", "see bpffs"}};
  if (!kernel.pinned.ok()) return {unseen("pins", "", kernel.pinned.why_not())};
  const std::vector<int>& versions = *kernel.pinned;
  const std::string there = root + " has maps of ABI " + numbers(versions);
  const std::string ours = "v" + std::to_string(kernel.abi);
  if (versions.empty())
    return {{"pins", "", answers(facts) ? Grade::fail : Grade::warn,
             "no maps are pinned in " + root,
             answers(facts) ? "restart the agent: it has another pin_root, or its pins were removed"
                            : "start the agent, which makes them"}};
  if (std::ranges::any_of(versions, [&](int v) { return v > kernel.abi; }))
    return {{"pins", "", Grade::fail, there + ", newer than ours, " + ours,
             "install the version that made them, or end its connections by --teardown"}};
  if (versions.front() < kernel.oldest_abi)
    return {{"pins", "", Grade::fail,
             there + ", of which ours, " + ours + ", takes over v" +
                 std::to_string(kernel.oldest_abi) + " and newer",
             "run a version between them first, or end the connections by --teardown"}};
  if (versions != std::vector{kernel.abi})
    return {{"pins", "", Grade::warn, there + "; an upgrade to " + ours + " is not over",
             "start the agent, which takes the flows over"}};
  return {{"pins", "", Grade::ok, there, ""}};
}

Diagnoses check_flow_table(const Facts& facts) {
  if (!facts.flows.ok()) {
    // Where nothing is pinned, there is no table; that is said by the pins.
    if (facts.kernel.pinned.ok() && facts.kernel.pinned->empty()) return {};
    return {unseen("flow-table", "", facts.flows.why_not())};
  }
  const Flows& flows = *facts.flows;
  const std::string lines = std::to_string(flows.lines) + " lines";
  if (flows.faults.empty()) return {{"flow-table", "", Grade::ok, lines + " are consistent", ""}};
  return {{"flow-table", "", Grade::fail,
           std::to_string(flows.faults.size()) + " faults in " + lines +
               "; the first: " + flows.faults.front(),
           "report it; amphora-xdp-agent --teardown and a start make a new table, and end the "
           "connections"}};
}

}  // namespace doctor
