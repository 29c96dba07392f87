// next_agent PIN-ROOT [STEP]: what an agent of the next ABI version does to the datapath when it is
// started: takes over the flows, then keeps clock and table until SIGTERM. With STEP (HandoverStep,
// as a number) it is killed (-9) there. Prints a JSON object when it is ready, and one at its end.
#include <linux/bpf.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "agent/datapath/datapath.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/grace.h"

namespace {

using datapath::Datapath;
using datapath::FlowTable;

volatile sig_atomic_t stopped = 0;

void pass(Datapath& datapath, const datapath::Grace& grace) {
  const auto policy = datapath::FlowPolicy::of(datapath.tables());
  const auto judge = [&policy](const datapath::FlowLife& flow) { return policy.expiry(flow); };
  FlowTable& flows = datapath.flows();
  while (flows.sweep(judge, datapath::kSweepSlice) == FlowTable::Progress::more) {
  }
  if (flows.begin_grace() == 0 || !grace.wait()) return;
  while (flows.release(datapath::kReleaseSlice) > 0) {
  }
}

// {"abi": 3, "established": 4711, "new_flow": 12, "flows": 15}
void report(Datapath& datapath) {
  const auto verdicts = datapath.verdicts();
  if (!verdicts) return;
  uint64_t flows = 0;
  for (const auto& [key, service] : datapath.tables().services)
    if (const auto stats = datapath.service_stats(service.id)) flows += stats->flows;
  std::printf("{\"abi\": %u, \"established\": %llu, \"new_flow\": %llu, \"flows\": %llu}\n",
              datapath.about().info.abi,
              static_cast<unsigned long long>((*verdicts)[LB_ESTABLISHED]),
              static_cast<unsigned long long>((*verdicts)[LB_NEW_FLOW]),
              static_cast<unsigned long long>(flows));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  datapath::Options options;
  options.pin_root = argv[1];
  if (argc > 2)
    options.handover_hook = [at = std::atoi(argv[2])](datapath::HandoverStep step) {
      if (static_cast<int>(step) == at) kill(getpid(), SIGKILL);
    };
  signal(SIGTERM, [](int) { stopped = 1; });
  auto datapath = Datapath::open(options);
  auto grace = datapath::Grace::open();
  if (!datapath || !grace) {
    std::fprintf(stderr, "next_agent: %s\n",
                 datapath ? "no grace period" : datapath.error().message().c_str());
    return 1;
  }
  report(**datapath);
  constexpr std::chrono::milliseconds kTick{LB_TICK_MS};
  for (int ticks = 0; stopped == 0; ticks++) {
    std::this_thread::sleep_for(kTick);
    (*datapath)->flows().advance_clock(kTick);
    if (ticks % 20 == 0) pass(**datapath, *grace);
  }
  report(**datapath);
}
