// packet_bench [--rounds N] [--flows N] [--json FILE]: nanoseconds a packet costs, by
// BPF_PROG_TEST_RUN. The floor (parse, swap of the MACs, XDP_TX), the project's program and the
// same program on a kernel HASH take turns in every round. As root, on a quiet machine. Every row
// has the wrapper in it, and what the kernel does around each run; "net" is without the floor,
// which has both too. A few flows of a table at half load find no room (docs/flow-table.md): those
// are the packets that were not sent. --flows leaves out the tables for more flows (4096, 65536,
// 1048576).
#include <bpf/bpf.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "agent/datapath/flow_memory.h"
#include "tests/bench/packet/bench.h"
#include "tests/bench/packet/lab.h"

namespace packet_bench {
namespace {

constexpr uint32_t kSyn = 0x02, kSynAck = 0x12, kAck = 0x10;
constexpr uint32_t kRuns = 100000;   // of one measurement
constexpr int kTries = 5;            // the smallest is the round's
constexpr uint32_t kNewer = 200000;  // flows, most of them while the rings are full

struct Kind {
  const char* name;
  const char* object;
};
constexpr std::array<Kind, 2> kKinds = {{{"lines", LINES_OBJECT}, {"hash", HASH_OBJECT}}};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "packet_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(base::Result<T> result) {
  if (!result) give_up(result.error().message());
  return std::move(result).value();
}

// By row, then by what was measured: one value of each round.
class Results {
 public:
  void add(const std::string& row, const std::string& kind, double ns) {
    if (values_.find(row) == values_.end()) order_.push_back(row);
    values_[row][kind].push_back(ns);
  }
  double smallest(const std::string& row, const std::string& kind) const {
    const auto& values = values_.at(row).at(kind);
    return *std::min_element(values.begin(), values.end());
  }
  double median(const std::string& row, const std::string& kind) const {
    std::vector<double> values = values_.at(row).at(kind);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  bool has(const std::string& row, const std::string& kind) const {
    return values_.at(row).count(kind) != 0;
  }
  const std::vector<std::string>& rows() const { return order_; }

 private:
  std::vector<std::string> order_;
  std::map<std::string, std::map<std::string, std::vector<double>>> values_;
};

// One loaded object with a table for `flows` at half load, and one frame.
class Bench {
 public:
  Bench(const Kind& kind, base::Family family, uint32_t flows, uint32_t ifindex)
      : family_(family),
        ring_(4 * flows / LB_HALF_SHARE),
        ifindex_(ifindex),
        object_(load(kind, family, flows)) {
    must(write_policy(object_, ifindex));
    void* control = ::mmap(nullptr, sizeof(bench_control), PROT_READ | PROT_WRITE, MAP_SHARED,
                           object_.map("bench_control"), 0);
    if (control == MAP_FAILED) give_up("map bench_control");
    control_ = static_cast<bench_control*>(control);
    make_frame();
  }
  ~Bench() { ::munmap(control_, sizeof(bench_control)); }

  const flow_test::FlowObject& object() const { return object_; }
  std::string suffix() const { return family_ == base::Family::ipv6 ? "6" : "4"; }

  double random(const std::string& program, uint32_t flows, uint32_t runs = kRuns) {
    *control_ = {.order = BENCH_AT_RANDOM,
                 .next = 0,
                 .mask = flows - 1,
                 .flags = kAck,
                 .port = port_,
                 .zero = 0,
                 .wrong = 0};
    double smallest = run(program, runs);
    for (int i = 1; i < kTries; i++) smallest = std::min(smallest, run(program, runs));
    return smallest;
  }
  double in_turn(const std::string& program, uint32_t first, uint32_t flows, uint32_t flags) {
    *control_ = {.order = BENCH_IN_TURN,
                 .next = first,
                 .mask = 0,
                 .flags = flags,
                 .port = port_,
                 .zero = 0,
                 .wrong = 0};
    return run(program, flows);
  }
  double no_service() {
    port_ = 81 << 8;
    const uint32_t before = wrong_;
    const double ns = random("client", 1);
    port_ = 80 << 8;
    wrong_ = before;  // they were not to be sent
    return ns;
  }

  // Makes and opens flows, as many at a time as may be half-open; ns for making one.
  double fill(uint32_t flows) {
    const uint32_t chunk = std::min(ring_, flows);
    double sum = 0;
    for (uint32_t first = 0; first < flows; first += chunk) {
      sum += in_turn("begin", first, chunk, kSyn);
      in_turn("member", first, chunk, kSynAck);
      in_turn("client", first, chunk, kAck);
    }
    return sum / (flows / chunk);
  }
  // Makes flows in an empty table, as many as may be half-open. Before each run the kernel waits
  // for some ten milliseconds, and what else runs then has the caches.
  double make_new() {
    clear();
    return in_turn("client", 0, ring_, kSyn);
  }
  // The rings are full and the caches warm: each new flow ends the oldest one.
  double make_newer() { return in_turn("client", 0, kNewer, kSyn); }
  void persist() { must(make_persistent(object_, family_)); }
  bool has_rings() const { return object_.map("bench_hash") < 0; }
  uint32_t wrong() const { return wrong_; }

 private:
  static flow_test::FlowObject load(const Kind& kind, base::Family family, uint32_t flows) {
    const bool six = family == base::Family::ipv6, hash = std::strcmp(kind.name, "hash") == 0;
    const uint32_t lines = hash ? LB_FLOW_MIN_LINES : 4 * flows;
    flow_test::Sizes sizes{six ? LB_FLOW_MIN_LINES : lines, six ? lines : LB_FLOW_MIN_LINES, 1};
    if (hash) sizes.others[six ? "bench_hash6" : "bench_hash"] = 2 * flows;
    return must(flow_test::FlowObject::load(kind.object, sizes));
  }

  void make_frame() {
    frame_.fill(0);
    if (family_ == base::Family::ipv6) {
      const uint8_t head[] = {0x86, 0xdd, 0x60, 0, 0, 0, 0, 30, 6, 64};
      std::memcpy(&frame_[12], head, sizeof(head));
      frame_[54 + 12] = 0x50;
      length_ = 84;
    } else {
      const uint8_t head[] = {0x08, 0, 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 6};
      std::memcpy(&frame_[12], head, sizeof(head));
      frame_[34 + 12] = 0x50;
      length_ = 64;
    }
  }

  double run(const std::string& program, uint32_t runs) {
    xdp_md context{};
    context.data_end = length_;
    context.ingress_ifindex = ifindex_;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame_.data(), .data_size_in = length_,
                .ctx_in = &context, .ctx_size_in = sizeof(context),
                .repeat = static_cast<int>(runs));
    if (bpf_prog_test_run_opts(object_.program((program + suffix()).c_str()), &options) != 0)
      give_up("run " + program + suffix() + ": " + std::strerror(errno));
    wrong_ += control_->wrong;
    return options.duration;
  }

  void clear() {
    if (!has_rings()) return clear_hash();
    auto memory = must(object_.memory());
    const datapath::FlowLines& lines = memory.lines(family_);
    const bool six = family_ == base::Family::ipv6;
    std::memset(static_cast<void*>(&lines.line(0)), 0,
                size_t{lines.count()} * (six ? sizeof(lb_flow6) : sizeof(lb_flow)));
    for (lb_half& half : lines.half()) half.entry = 0;
  }
  void clear_hash() {
    const int map = object_.map(family_ == base::Family::ipv6 ? "bench_hash6" : "bench_hash");
    std::array<uint8_t, 64> key{};
    while (bpf_map_get_next_key(map, nullptr, key.data()) == 0)
      bpf_map_delete_elem(map, key.data());
  }

  base::Family family_;
  uint32_t ring_, ifindex_;
  flow_test::FlowObject object_;
  bench_control* control_ = nullptr;
  __be16 port_ = 80 << 8;
  std::array<uint8_t, 128> frame_{};
  uint32_t length_ = 0, wrong_ = 0;
};

void measure_cached(Bench& bench, const Kind& kind, const std::string& family, Results& results) {
  results.add(family + " wrapper", kind.name, bench.random("wrapper", 1));
  results.add(family + " floor", kind.name, bench.random("floor", 1));
  results.add(family + " no service", kind.name, bench.no_service());
  bench.make_new();
  double sum = 0;
  for (int i = 0; i < 16; i++) sum += bench.make_new();
  results.add(family + " new flow after a pause", kind.name, sum / 16);
  // the other one would only fill up
  if (!bench.has_rings()) return;
  results.add(family + " new flow in cache, and an end", kind.name, bench.make_newer());
  bench.persist();
  results.add(family + " the same of persistent clients", kind.name, bench.make_newer());
}

void measure_many(Bench& bench, const Kind& kind, const std::string& family, uint32_t flows,
                  Results& results) {
  const double fill = bench.fill(flows);
  const auto label = [&](const char* what, uint32_t n) {
    return family + " " + what + ", " + std::to_string(n) + (n == 1 ? " flow" : " flows");
  };
  if (flows == BENCH_MAX_FLOWS) results.add(label("filling", flows), kind.name, fill);
  const std::vector<uint32_t> counts = flows == BENCH_MAX_FLOWS
                                           ? std::vector<uint32_t>{flows}
                                           : std::vector<uint32_t>{1, 4096, flows};
  results.add(family + " floor", kind.name, bench.random("floor", 1));
  for (uint32_t n : counts) {
    results.add(label("wrapper of replies", n), kind.name, bench.random("wrapper_reply", n));
    results.add(label("client to member", n), kind.name, bench.random("client", n));
    results.add(label("member to client", n), kind.name, bench.random("member", n));
  }
}

void run_round(uint32_t ifindex, uint32_t most, Results& results) {
  for (base::Family family : {base::Family::ipv4, base::Family::ipv6}) {
    const std::string name = family == base::Family::ipv4 ? "IPv4" : "IPv6";
    for (uint32_t flows : {4096u, 65536u, BENCH_MAX_FLOWS})
      for (const Kind& kind : kKinds) {
        if (flows > most) continue;
        Bench bench(kind, family, flows, ifindex);
        if (flows == 4096)
          measure_cached(bench, kind, name, results);
        else
          measure_many(bench, kind, name, flows, results);
        if (bench.wrong() > 0)
          std::fprintf(stderr, "%s %s: %u packets were not sent\n", kind.name, name.c_str(),
                       bench.wrong());
      }
  }
}

// What is compared of a row, all by minima.
struct Compared {
  double net, of_floor;
  std::optional<double> of_hash;
};

Compared compare(const Results& results, const std::string& row) {
  const double floor = results.smallest(row.substr(0, 4) + " floor", "lines");
  const double lines = results.smallest(row, "lines");
  Compared compared{lines - floor, lines / floor, std::nullopt};
  if (results.has(row, "hash")) compared.of_hash = lines / results.smallest(row, "hash");
  return compared;
}

// Both lines at half load, locks, ring.
constexpr size_t bytes_per_flow(size_t line) {
  return 4 * line + 4 * sizeof(lb_bucket) / LB_FLOW_WAYS + 4 * sizeof(lb_half) / LB_HALF_SHARE;
}

void print(const Results& results) {
  std::printf("%-34s %15s %6s %8s %15s %7s\n", "ns: minimum / median", "lines", "net", "x floor",
              "HASH", "x HASH");
  for (const std::string& row : results.rows()) {
    const Compared compared = compare(results, row);
    std::printf("%-34s %6.0f /%7.0f %6.0f %8.2f", row.c_str(), results.smallest(row, "lines"),
                results.median(row, "lines"), compared.net, compared.of_floor);
    if (compared.of_hash)
      std::printf(" %6.0f /%7.0f %7.2f", results.smallest(row, "hash"), results.median(row, "hash"),
                  *compared.of_hash);
    std::printf("\n");
  }
  constexpr size_t four = bytes_per_flow(sizeof(lb_flow)), six = bytes_per_flow(sizeof(lb_flow6));
  std::printf("bytes per flow: IPv4 %zu, IPv6 %zu (both lines at half load, locks, ring)\n", four,
              six);
  std::printf("256K IPv4 flows: %.1f MiB\n", static_cast<double>(four) * 262144 / 1048576);
}

void write_json(const Results& results, const std::string& file) {
  nlohmann::json json;
  for (const std::string& row : results.rows()) {
    for (const Kind& kind : kKinds)
      if (results.has(row, kind.name))
        json[row][kind.name] = {{"min_ns", results.smallest(row, kind.name)},
                                {"median_ns", results.median(row, kind.name)}};
    const Compared compared = compare(results, row);
    json[row]["net_ns"] = compared.net;
    json[row]["of_floor"] = compared.of_floor;
    if (compared.of_hash) json[row]["of_hash"] = *compared.of_hash;
  }
  json["bytes per flow"] = {{"IPv4", bytes_per_flow(sizeof(lb_flow))},
                            {"IPv6", bytes_per_flow(sizeof(lb_flow6))}};
  std::ofstream(file) << json.dump(2) << "\n";
}

}  // namespace
}  // namespace packet_bench

int main(int argc, char** argv) {
  using namespace packet_bench;
  int rounds = 9;
  uint32_t most = BENCH_MAX_FLOWS;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--flows") == 0) most = static_cast<uint32_t>(std::atoi(argv[i + 1]));
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(std::thread::hardware_concurrency() - 1, &cpus);
  sched_setaffinity(0, sizeof(cpus), &cpus);
  const sched_param priority{1};
  sched_setscheduler(0, SCHED_FIFO, &priority);  // refused: the numbers scatter more

  const uint32_t ifindex = must(make_network());
  {
    const Bench any(kKinds[0], base::Family::ipv4, 1024, ifindex);
    must(attach(ifindex, any.object().program("floor4")));
  }
  Results results;
  for (int round = 0; round < rounds; round++) run_round(ifindex, most, results);
  print(results);
  if (!json.empty()) write_json(results, json);
  return 0;
}
