// flow_stress OBJECT [tight] [grace] [immortal]: programs on all CPUs against an agent that sweeps
// and is killed at random moments, or dies by lot at any of its steps. Every second all stops and
// every invariant is checked.
//   tight     tables of 8 and 4 buckets, where a line is filled again at once
//   grace     the agent waits for the grace period before it frees lines
//   immortal  the agent is not killed
// FLOW_STRESS_SECONDS: how long (10).
#include "tests/bpf/flow_table/flow_stress.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "agent/datapath/flow_check.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/grace.h"
#include "bpf/flow_layout.h"
#include "tests/bpf/flow_table/flow_object.h"

namespace {

using datapath::CheckScope;
using datapath::Expiry;
using datapath::FlowLife;
using datapath::FlowTable;
using Clock = std::chrono::steady_clock;

struct Options {
  bool tight = false, grace = false, immortal = false;
  int seconds = 10, threads = 3;
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "flow_stress: %s\n", why.c_str());
  std::exit(2);
}

template <class T>
T must(base::Result<T> result) {
  if (!result) give_up(result.error().message());
  return std::move(result).value();
}

Expiry keep(const FlowLife&) { return Expiry::keep; }
Expiry end(const FlowLife&) { return Expiry::idle; }

// The threads that run programs. They can be stopped, so that memory is at rest.
class Load {
 public:
  Load(int program, const Options& options) {
    const int cpus = static_cast<int>(std::thread::hardware_concurrency());
    const int batch = options.grace ? 20000 : 2000;
    for (int i = 0; i < options.threads; i++)
      threads_.emplace_back([this, i, cpus, batch, program] { work(i % cpus, batch, program); });
  }
  ~Load() {
    end_ = true;
    rest_ = false;
    for (std::thread& thread : threads_) thread.join();
  }
  void stop() {
    rest_ = true;
    while (resting_ < threads_.size()) ::usleep(200);
  }
  void go_on() {
    rest_ = false;
    while (resting_ > 0) ::usleep(100);
  }
  uint64_t runs() const { return runs_; }

 private:
  void work(int cpu, int batch, int program) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    while (!end_) {
      if (rest_) {
        resting_++;
        while (rest_) ::usleep(200);
        resting_--;
        continue;
      }
      must(flow_test::run(program, batch));
      runs_ += static_cast<uint64_t>(batch);
    }
  }

  std::atomic<bool> rest_{false}, end_{false};
  std::atomic<size_t> resting_{0};
  std::atomic<uint64_t> runs_{0};
  std::vector<std::thread> threads_;
};

class Stress {
 public:
  explicit Stress(const char* object, const Options& options)
      : options_(options), object_(load(object, options)), grace_(must(datapath::Grace::open())) {}

  bool run() {
    Load load(object_.program("stress"), options_);
    const auto start = Clock::now();
    auto next_check = start + std::chrono::seconds(1);
    while (Clock::now() < start + std::chrono::seconds(options_.seconds) && faults_ == 0) {
      live_and_die();
      if (Clock::now() < next_check) continue;
      next_check = Clock::now() + std::chrono::seconds(1);
      load.stop();
      check(dice_() % 4 == 0 ? CheckScope::after_sweep : CheckScope::at_rest);
      load.go_on();
    }
    load.stop();
    check(CheckScope::after_sweep);
    check_that_all_goes();
    report(load.runs());
    return faults_ == 0;
  }

 private:
  static flow_test::FlowObject load(const char* path, const Options& options) {
    const flow_test::Sizes sizes =
        options.tight ? flow_test::Sizes{64, 32, 2} : flow_test::Sizes{1024, 512, 4};
    const flow_test::Constants constants = {{"stress_tuples", sizes.lines},
                                            {"stress_ports", sizes.lines / 5}};
    return must(flow_test::FlowObject::load(path, sizes, constants));
  }

  // One agent, from its start to its death.
  void live_and_die() {
    const auto seed = static_cast<uint32_t>(dice_());
    const pid_t child = ::fork();
    if (child == 0) be_agent(seed);
    int left_ms = options_.immortal ? 1000 : static_cast<int>(1 + dice_() % 30);
    bool gone = false;
    for (; left_ms > 0 && !gone; left_ms--) {
      ::usleep(1000);
      gone = ::waitpid(child, nullptr, WNOHANG) == child;
    }
    if (!gone) {
      if (options_.immortal) return finish(child);
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    deaths_++;
    deaths_since_repair_++;
  }

  void finish(pid_t child) {
    ::kill(child, SIGTERM);
    ::waitpid(child, nullptr, 0);
  }

  [[noreturn]] void be_agent(uint32_t seed) {
    static volatile std::sig_atomic_t asked_to_go = 0;
    std::signal(SIGTERM, [](int) { asked_to_go = 1; });
    std::mt19937 dice(seed);
    FlowTable table(must(object_.memory()));
    const bool mortal = !options_.immortal && (dice() & 1) != 0;
    const uint32_t sides = (dice() & 1) != 0 ? 15 : 255;
    if (mortal)
      table.set_point_hook([&](FlowTable::Point) {
        if ((dice() & sides) == 0) ::_exit(0);
      });
    const auto judge = [&](const FlowLife& flow) {
      const uint32_t odds = flow.state == LB_FLOW_HALF_OPEN ? 15
                            : flow.state == LB_FLOW_OPEN    ? 7
                                                            : 3;
      return (dice() & odds) == 0 ? Expiry::idle : Expiry::keep;
    };
    while (asked_to_go == 0) {
      table.advance_clock(std::chrono::milliseconds(LB_TICK_MS));
      sweep(table, judge, 1 + dice() % 2048);
      if (dice() % 8 == 0) ::usleep(500);
    }
    ::_exit(0);
  }

  // A whole pass, in slices; what a slice ended is sometimes released before the next one.
  void sweep(FlowTable& table, const FlowTable::Judge& judge, size_t slice) {
    while (table.sweep(judge, slice) == FlowTable::Progress::more)
      if (slice % 2 == 0) release(table);
    release(table);
  }

  void release(FlowTable& table) {
    if (table.begin_grace() == 0) return;
    if (options_.grace) must(grace_.wait());
    while (table.release(7) > 0) continue;
  }

  void check(CheckScope scope) {
    FlowTable table(must(object_.memory()));
    count(datapath::check_flows(table.memory(), CheckScope::at_rest));
    if (scope == CheckScope::at_rest) return;
    sweep(table, keep, SIZE_MAX);
    count(datapath::check_flows(table.memory(), CheckScope::after_sweep));
    check_use(table, deaths_since_repair_);
    for (int pass = 0; pass < 2; pass++) sweep(table, keep, SIZE_MAX);
    check_use(table, 0);
    deaths_since_repair_ = 0;
    checks_++;
  }

  // Each death of an agent may have left one flow that was not counted out.
  void check_use(const FlowTable& table, uint64_t most_too_high) {
    uint64_t too_high = 0;
    const auto compare = [&](const std::vector<lb_use>& live, std::span<lb_use> use) {
      for (size_t id = 0; id < use.size(); id++) {
        for (const auto part : {&lb_use::flows, &lb_use::closing, &lb_use::opening}) {
          if (use[id].*part < live[id].*part) fail("a use is below the flows there are");
          too_high += use[id].*part - live[id].*part;
        }
      }
    };
    compare(table.census().service_use, table.memory().service_use());
    compare(table.census().backend_use, table.memory().backend_use());
    if (too_high > 3 * most_too_high) fail("uses are too high: " + std::to_string(too_high));
  }

  void check_that_all_goes() {
    FlowTable table(must(object_.memory()));
    sweep(table, end, SIZE_MAX);
    for (base::Family family : {base::Family::ipv4, base::Family::ipv6}) {
      const datapath::FlowLines& lines = table.memory().lines(family);
      for (uint32_t i = 0; i < lines.count(); i++)
        if (lb_word_state(lines.line(i).word) != LB_FLOW_FREE) fail("a line was not freed");
    }
    for (const auto& all : {table.memory().service_use(), table.memory().backend_use()})
      for (const lb_use& use : all)
        if (use.flows + use.closing + use.opening != 0) fail("something is in use without flows");
  }

  void count(const std::vector<datapath::FlowFault>& faults) {
    for (const datapath::FlowFault& fault : faults) fail(fault.text());
  }
  void fail(const std::string& what) {
    if (faults_++ < 10) std::printf("  BROKEN: %s\n", what.c_str());
  }

  void report(uint64_t runs) {
    static constexpr const char* kNames[STRESS_COUNTS] = {
        "hits",          "replies", "new",  "changed",  "restarted", "ports taken",
        "second comers", "no room", "busy", "recycled", "torn",      "doubled"};
    std::vector<uint64_t> cpus(static_cast<size_t>(libbpf_num_possible_cpus()));
    std::printf("%.1f million runs, %llu agents died, %d whole checks:",
                static_cast<double>(runs) / 1e6, static_cast<unsigned long long>(deaths_), checks_);
    for (uint32_t i = 0; i < STRESS_COUNTS; i++) {
      bpf_map_lookup_elem(object_.map("stress_counts"), &i, cpus.data());
      uint64_t sum = 0;
      for (uint64_t value : cpus) sum += value;
      std::printf(" %s %llu,", kNames[i], static_cast<unsigned long long>(sum));
      if ((i == STRESS_TORN || i == STRESS_DOUBLED) && sum > 0) fail(kNames[i]);
      if ((i == STRESS_NEW || i == STRESS_CHANGED) && sum == 0) fail("nothing happened");
    }
    std::printf("\n%s\n", faults_ > 0 ? "FAILED" : "all invariants held");
  }

  Options options_;
  flow_test::FlowObject object_;
  datapath::Grace grace_;
  std::mt19937 dice_{1};
  uint64_t faults_ = 0, deaths_ = 0, deaths_since_repair_ = 0;
  int checks_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) give_up("which object?");
  Options options;
  if (const char* seconds = std::getenv("FLOW_STRESS_SECONDS"))
    options.seconds = std::atoi(seconds);
  for (int i = 2; i < argc; i++) {
    options.tight |= std::strcmp(argv[i], "tight") == 0;
    options.grace |= std::strcmp(argv[i], "grace") == 0;
    options.immortal |= std::strcmp(argv[i], "immortal") == 0;
  }
  return Stress(argv[1], options).run() ? 0 : 1;
}
