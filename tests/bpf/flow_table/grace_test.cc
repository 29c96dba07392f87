// The kernel's promise that the agent's exact counters rest on, asked of the kernel that runs.
#include "agent/datapath/grace.h"

#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/bpf/flow_table/flow_object.h"

namespace {

struct Runs {
  uint64_t begun, ended;
};

TEST(Grace, WaitsForARunThatHadBegun) {
  const std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object(
      bpf_object__open_file(LONG_RUN_OBJECT, nullptr), bpf_object__close);
  ASSERT_NE(object, nullptr);
  ASSERT_EQ(bpf_object__load(object.get()), 0);
  void* mapped = mmap(nullptr, sizeof(Runs), PROT_READ, MAP_SHARED,
                      bpf_object__find_map_fd_by_name(object.get(), "long_runs"), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  auto* const runs = static_cast<volatile Runs*>(mapped);
  const int program = bpf_program__fd(bpf_object__find_program_by_name(object.get(), "long_run"));
  auto grace = datapath::Grace::open();
  ASSERT_TRUE(grace) << grace.error().message();

  // On a busy machine a run may be over before its grace period begins: such a run shows nothing.
  constexpr int kShown = 3;
  constexpr uint64_t kTries = 50;
  int in_time = 0;
  for (uint64_t i = 0; i < kTries && in_time < kShown; i++) {
    std::thread run([&] { EXPECT_TRUE(flow_test::run(program)); });
    while (runs->begun == i) std::this_thread::yield();
    const bool runs_still = runs->ended == i;
    const auto waited = grace->wait();
    EXPECT_TRUE(waited) << waited.error().message();
    EXPECT_TRUE(!runs_still || runs->ended == i + 1) << "the run was not waited for";
    in_time += runs_still;
    run.join();
  }
  EXPECT_EQ(in_time, kShown) << "runs were over before the grace period began";
  munmap(mapped, sizeof(Runs));
}

}  // namespace
