#include "agent/datapath/refusal.h"

#include <bpf/bpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <sstream>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/log.h"

namespace datapath {
namespace {

uint64_t effective_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | uint64_t{data[1].effective} << 32;
}

// Helpers the program calls that not every kernel has.
constexpr std::pair<bpf_func_id, const char*> kHelpers[] = {
    {BPF_FUNC_redirect_map, "bpf_redirect_map"},
    {BPF_FUNC_fib_lookup, "bpf_fib_lookup"},
    {BPF_FUNC_map_pop_elem, "bpf_map_pop_elem"},
    {BPF_FUNC_map_push_elem, "bpf_map_push_elem"},
    {BPF_FUNC_loop, "bpf_loop"},
};

void append(std::string& list, const std::string& item) {
  list += (list.empty() ? "" : ", ") + item;
}

void log_last_lines(const std::string& log) {
  constexpr int kLines = 20;
  size_t start = log.find_last_not_of("\n\0");
  if (start == std::string::npos) return;
  for (int line = 0; line < kLines && start != std::string::npos && start > 0; ++line)
    start = log.rfind('\n', start - 1);
  spdlog::debug("the verifier's last lines:\n{}",
                log.substr(start == std::string::npos ? 0 : start));
}

// The line before the verifier's statistics says why.
std::string last_words(const std::string& log) {
  std::istringstream lines(log);
  std::string why = "it did not say why";
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '\0' && !line.starts_with("processed ")) why = line;
  }
  return why;
}

}  // namespace

std::string missing_features(const bpf_object* object) {
  std::string missing;
  if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, nullptr) == 0) append(missing, "XDP programs");
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const bpf_map_type type = bpf_map__type(map);
    if (libbpf_probe_bpf_map_type(type, nullptr) == 0)
      append(missing, std::string("maps of type ") + libbpf_bpf_map_type_str(type));
  }
  for (const auto& [helper, name] : kHelpers) {
    if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helper, nullptr) == 0) append(missing, name);
  }
  return missing;
}

std::string missing_capabilities() {
  const uint64_t have = effective_capabilities();
  const auto has = [have](int capability) { return (have >> capability & 1) != 0; };
  std::string missing;
  // What CAP_SYS_ADMIN stands for on its own, and what it does not.
  if (!has(CAP_SYS_ADMIN)) {
    append(missing, "CAP_SYS_ADMIN");
    if (!has(CAP_BPF)) append(missing, "CAP_BPF");
    if (!has(CAP_PERFMON)) append(missing, "CAP_PERFMON");
  }
  if (!has(CAP_NET_ADMIN)) append(missing, "CAP_NET_ADMIN");
  return missing;
}

base::Result<bool> compiles_programs() {
  bpf_insn passes_all[2]{};
  passes_all[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = XDP_PASS
  passes_all[0].imm = XDP_PASS;
  passes_all[1].code = BPF_JMP | BPF_EXIT;
  const base::Fd fd(bpf_prog_load(BPF_PROG_TYPE_XDP, "lb_passes_all", "GPL", passes_all,
                                  std::size(passes_all), nullptr));
  if (!fd.valid()) return base::Error{errno, "load a BPF program"};
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0)
    return base::Error{errno, "read what a BPF program is"};
  return info.jited_prog_len != 0;
}

std::string explain_refusal(int code, const bpf_object* object, const std::string& log) {
  log_last_lines(log);
  if (code == EPERM || code == EACCES) {
    const std::string missing = missing_capabilities();
    if (!missing.empty()) return "this process lacks " + missing + " (run it as root)";
    if (log.empty()) return "the kernel forbids bpf(2) (lockdown, or a container's seccomp filter)";
  }
  if (code == ENOMEM) return "not enough memory for the flow tables (ask for fewer flows)";
  const std::string missing = missing_features(object);
  if (!missing.empty()) return "this kernel does not have " + missing;
  return "the verifier refused the program: " + last_words(log);
}

}  // namespace datapath
