#include "agent/datapath/take_run.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <string>

#include "bpf/handover.h"

namespace datapath {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;

namespace {

constexpr int kLockTries = 1000;

}  // namespace

Status run_program(int program, const char* what, std::span<const uint8_t> packet,
                   std::span<uint8_t> after) {
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet.data(), .data_out = after.data(),
              .data_size_in = static_cast<uint32_t>(packet.size()),
              .data_size_out = static_cast<uint32_t>(after.size()));
  if (bpf_prog_test_run_opts(program, &run) != 0) return Error{errno, what};
  if (run.retval != XDP_PASS) return Error{0, std::string(what) + ": the program refused"};
  return Unit{};
}

Result<int32_t> take_unlocked(const std::function<Result<int32_t>()>& take) {
  Result<int32_t> taken = take();
  for (int tries = 1; tries < kLockTries && taken && *taken == LB_TAKE_BUSY; tries++)
    taken = take();
  return taken;
}

}  // namespace datapath
