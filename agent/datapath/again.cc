#include "agent/datapath/again.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

// By a source of zeros the program knows that it waits for nobody any more (bpf/hold.h).
std::vector<uint8_t> marked(const HeldFragment& fragment) {
  std::vector<uint8_t> frame = fragment.frame;
  std::fill_n(frame.begin() + ETH_ALEN, ETH_ALEN, uint8_t{0});
  return frame;
}

}  // namespace

Result<Again> Again::open(int program, int traces, int passed) {
  bpf_insn insns[2] = {};
  insns[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  insns[0].imm = XDP_PASS;
  insns[1].code = BPF_JMP | BPF_EXIT;
  Fd pass(bpf_prog_load(BPF_PROG_TYPE_XDP, "lb_pass", "Dual BSD/GPL", insns, std::size(insns),
                        nullptr));
  if (!pass.valid()) return Error{errno, "load lb_pass"};
  return Again(program, std::move(pass), traces, passed);
}

bool Again::first_has_come(const lb_trace_key& packet) const {
  lb_trace trace{};
  if (bpf_map_lookup_elem(traces_, &packet, &trace) == 0) return true;
  uint64_t came = 0;  // in the clock of bpf_ktime_get_ns()
  if (bpf_map_lookup_elem(passed_, &packet, &came) != 0) return false;
  const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(now.count()) - came < LB_TRACE_LASTS_NS;
}

// In native mode the program is run itself, and what it decides is done. Elsewhere what passes XDP
// comes by the program as any packet of the interface does.
Status Again::run(const HeldFragment& fragment, AttachMode mode) const {
  const std::vector<uint8_t> frame = marked(fragment);
  xdp_md context{};
  context.data_end = static_cast<uint32_t>(frame.size());
  context.ingress_ifindex = fragment.ifindex;
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()), .ctx_in = &context,
              .ctx_size_in = sizeof(context), .repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
              .batch_size = 1);
  const int program = mode == AttachMode::native ? program_ : pass_.get();
  if (bpf_prog_test_run_opts(program, &run) == 0) return Unit{};
  return Error{errno, "send a fragment through the program again"};
}

void Again::lose(const HeldFragment& fragment, size_t count) const {
  const std::vector<uint8_t> frame = marked(fragment);
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()),
              .repeat = static_cast<int>(count));
  (void)bpf_prog_test_run_opts(program_, &run);
}

}  // namespace datapath
