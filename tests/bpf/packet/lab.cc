#include "tests/bpf/packet/lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/datapath/flow_policy.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/pins.h"
#include "agent/datapath/program.h"
#include "bpf/flow_layout.h"
#include "tests/support/own_pins.h"

namespace test {

namespace {

constexpr char kNeighbours[] =
    "192.0.2.1 192.0.2.50 192.0.2.60 2001:db8:1::1 2001:db8:1::50 203.0.113.50 2001:db8:2::50";

void write_sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/net/" + name);
  file << value << std::flush;
  if (!file) {
    std::fprintf(stderr, "cannot set net/%s\n", name.c_str());
    std::abort();
  }
}

void run_batch(const std::string& commands) {
  FILE* batch = popen("ip -batch -", "w");
  ASSERT_NE(batch, nullptr);
  std::fputs(commands.c_str(), batch);
  ASSERT_EQ(pclose(batch), 0);
}

// Nothing comes in by them but what a test sends: the other ends say nothing of their own (MLD),
// which would be counted beside a test's packet.
void make_links() {
  run_batch("link set lo up\n");
  for (const uint32_t ifindex : {kEth0, kEth1, kEth2}) {
    const std::string name = "eth" + std::to_string(ifindex - kEth0);
    run_batch("link add name " + name + " index " + std::to_string(ifindex) + " address " +
              mac_of_link(ifindex).text() + " type veth peer name peer" + name + "\n");
    write_sysctl("ipv6/conf/peer" + name + "/disable_ipv6", "1");
    run_batch("link set " + name + " up\nlink set peer" + name + " up\n");
  }
}

std::string neighbour_commands() {
  std::string batch;
  std::istringstream words(kNeighbours);
  for (std::string word; words >> word;) {
    const uint32_t egress = egress_of(ip(word));
    batch += "neigh add " + word + " lladdr " + mac_of(ip(word)).text() + " dev eth" +
             std::to_string(egress - kEth0) + " nud permanent\n";
  }
  return batch;
}

constexpr char kAddresses[] = R"(
addr add 192.0.2.10/24 dev eth0
addr add 192.0.2.100/32 dev eth0
addr add 203.0.113.10/24 dev eth1
addr add 198.18.0.10/24 dev eth2
addr add 2001:db8:1::10/64 dev eth0 nodad
addr add 2001:db8:1::100/128 dev eth0 nodad
addr add 2001:db8:2::10/64 dev eth1 nodad
route add default via 192.0.2.1
route add default via 2001:db8:1::1
route add unreachable 198.51.100.128/25
route add unreachable 2001:db8:c:1::/64
)";

// The namespace of the drawing, for all tests of this process.
class Namespace : public testing::Environment {
 public:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(own_pins());
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root: " << std::strerror(errno);
    for (const char* name : {"ipv4/ip_forward", "ipv6/conf/all/forwarding"})
      write_sysctl(name, "1");
    make_links();
    run_batch(kAddresses + neighbour_commands());
  }
};

const testing::Environment* const kNamespace =
    testing::AddGlobalTestEnvironment(new Namespace);  // gtest owns it

Net drawn() {
  Net net;
  net.link(kEth0, "eth0", {"192.0.2.10/24", "192.0.2.100/32", "2001:db8:1::10/64"})
      .link(kEth1, "eth1", {"203.0.113.10/24", "2001:db8:2::10/64"})
      .link(kEth2, "eth2", {"198.18.0.10/24"})
      .gateway("192.0.2.1")
      .gateway("2001:db8:1::1");
  return net;
}

}  // namespace

datapath::Options Lab::options() {
  datapath::Options options;
  options.pin_root = "/sys/fs/bpf/packet-test";
  options.flows4 = options.flows6 = 512;
  return options;
}

void Lab::SetUp() {
  net_ = drawn();
  reopen(wanted());
}

void Lab::reopen(const datapath::Options& options) {
  TearDown();
  open(options);
}

void Lab::restart() {
  datapath_.reset();
  open(options());
  ids_ = plan::ids_of(datapath_->tables());
}

void Lab::open(const datapath::Options& options) {
  auto opened = datapath::Datapath::open(options);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  datapath_ = std::move(*opened);
  const auto attached = datapath_->attach({{"eth0", kEth0}, {"eth1", kEth1}});
  ASSERT_TRUE(attached.ok()) << attached.error().message();
  if (!is_on_tc()) return;
  const auto& about = datapath_->about();
  auto loaded = datapath::load_tc_program({about.lines4, about.lines6}, about.info, pinned_maps(),
                                          datapath::Role::alone);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  tc_ = std::move(*loaded);
}

datapath::KernelMaps Lab::pinned_maps() const {
  datapath::KernelMaps maps;
  for (const auto& entry : std::filesystem::directory_iterator(
           datapath::version_folder(options().pin_root, LB_ABI_VERSION))) {
    if (entry.is_directory() || entry.path().filename() == "lb_xdp") continue;
    auto fd = datapath::open_pin(entry.path());
    EXPECT_TRUE(fd.ok()) << fd.error().message();
    const auto added = fd ? maps.add(entry.path().filename(), std::move(*fd)) : base::Unit{};
    EXPECT_TRUE(added.ok()) << entry.path();
  }
  return maps;
}

void Lab::run_beside() {
  const auto& about = datapath_->about();
  auto loaded = datapath::load_program({about.lines4, about.lines6}, about.info, pinned_maps(),
                                       datapath::Role::beside);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  beside_ = std::move(loaded->program);
}

void Lab::TearDown() {
  beside_ = {};
  tc_ = {};
  datapath_.reset();
  ids_ = {};
  const auto removed = datapath::Datapath::teardown(options().pin_root);
  EXPECT_TRUE(removed.ok()) << removed.error().message();
}

void Lab::install(const model::Model& model) {
  for (const auto& [id, member] : model.members)
    if (!net_.observed().hops.contains(member.address)) net_.reaching(member.address.text());
  plan::Plan plan = plan::make_plan(model, {net_.observed(), down_, {}, {}, rates_}, ids_,
                                    {datapath_->resting_services(), datapath_->resting_backends(),
                                     datapath_->resting_destinations()},
                                    netns::LayoutSpec{});
  ids_ = plan.ids;
  for (const datapath::Step& step : datapath::diff(datapath_->tables(), plan.tables)) {
    const auto applied = datapath_->apply(step);
    ASSERT_TRUE(applied.ok()) << applied.error().message();
  }
}

namespace {

// What a run gives back, and is told of where the frame comes in.
union Context {
  xdp_md xdp;
  __sk_buff tc;
};

uint32_t as_xdp(uint32_t action) {
  switch (static_cast<int32_t>(action)) {
    case TC_ACT_UNSPEC:
      return XDP_PASS;
    case TC_ACT_SHOT:
      return XDP_DROP;
    case TC_ACT_REDIRECT:
      return kSentByTc;
  }
  return XDP_ABORTED;
}

}  // namespace

bool is_on_tc() {
  static const char* const hook = std::getenv("LAB_HOOK");
  return hook != nullptr && std::string_view(hook) == "tc";
}

bool can_run(const Bytes& frame) {
  constexpr size_t kEthernet = 14, kIpv4 = 20, kIpv6 = 40;
  if (!is_on_tc()) return true;
  const bool is_ipv4 = frame[12] == 0x08 && frame[13] == 0x00;
  const bool is_ipv6 = frame[12] == 0x86 && frame[13] == 0xdd;
  return frame.size() >= kEthernet + (is_ipv4 ? kIpv4 : is_ipv6 ? kIpv6 : 1);
}

int Lab::run_summed(const Bytes& frame, uint32_t ingress) {
  return try_on_tc(frame, ingress, 1u << 2);  // BPF_F_TEST_SKB_CHECKSUM_COMPLETE
}

int Lab::try_on_tc(const Bytes& frame, uint32_t ingress, uint32_t flags) {
  __sk_buff context{};
  context.ifindex = ingress;
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()), .ctx_in = &context,
              .ctx_size_in = sizeof(context), .repeat = 1, .flags = flags);
  return -bpf_prog_test_run_opts(tc_.get(), &run);
}

Outcome Lab::run(const Bytes& frame, uint32_t ingress, uint32_t segment) {
  const bool on_tc = is_on_tc() && !beside_.valid();
  const auto before = datapath_->verdicts();
  Outcome outcome{0, {}, frame, Bytes(frame.size() + 64), ingress};
  Context context{};
  if (on_tc) {
    context.tc.ifindex = ingress;
    context.tc.gso_size = segment;
  } else {
    context.xdp.data_end = static_cast<uint32_t>(frame.size());
    context.xdp.ingress_ifindex = ingress;
  }
  LIBBPF_OPTS(
      bpf_test_run_opts, run, .data_in = frame.data(), .data_out = outcome.after.data(),
      .data_size_in = static_cast<uint32_t>(frame.size()),
      .data_size_out = static_cast<uint32_t>(outcome.after.size()), .ctx_in = &context,
      .ctx_size_in = static_cast<uint32_t>(on_tc ? sizeof(context.tc) : sizeof(context.xdp)),
      .repeat = 1);
  const int program = beside_.valid() ? beside_.get() : on_tc ? tc_.get() : datapath_->program_fd();
  const int err = bpf_prog_test_run_opts(program, &run);
  EXPECT_EQ(err, 0) << "test run of " << frame.size() << " bytes: " << std::strerror(-err);
  outcome.after.resize(run.data_size_out);
  outcome.action = on_tc ? as_xdp(run.retval) : run.retval;
  const auto after = datapath_->verdicts();
  for (size_t v = 0; v < LB_VERDICT_COUNT; ++v) outcome.counted[v] = (*after)[v] - (*before)[v];
  verdicts_seen().insert(outcome.verdict());
  return outcome;
}

Ends Lab::forwarded(const Packet& packet, uint32_t ingress) {
  const Outcome outcome = run(packet, ingress);
  EXPECT_TRUE(outcome.verdict() == LB_NEW_FLOW || outcome.verdict() == LB_ESTABLISHED) << outcome;
  EXPECT_EQ(flaw(outcome.after), std::nullopt) << outcome;
  return ends_of(outcome.after);
}

Ends Lab::connect(const base::Endpoint& client, const base::Endpoint& vip) {
  const Ends inside = forwarded(tcp(client, vip).syn());
  const uint32_t far = egress_of(inside.to.address);
  EXPECT_THAT(run(tcp(inside.to, inside.from).syn_ack(), far),
              Continues(tcp(vip, client).syn_ack()));
  EXPECT_THAT(run(tcp(client, vip)), Continues(tcp(inside.from, inside.to)));
  return inside;
}

lb_service Lab::service(const base::Endpoint& vip, uint8_t proto) const {
  lb_service_key key{};
  key.vip = datapath::to_abi(vip.address);
  key.port = htons(vip.port);
  key.proto = proto;
  key.family = static_cast<uint8_t>(vip.address.family());
  return datapath_->tables().services.at(key);
}

datapath::ServiceStats Lab::stats_of(const base::Endpoint& vip, uint8_t proto) {
  auto stats = datapath_->service_stats(service(vip, proto).id);
  EXPECT_TRUE(stats.ok());
  return *stats;
}

void Lab::pass(std::chrono::milliseconds time) {
  const uint32_t only = 0;
  lb_clock clock{};
  const int map = datapath_->map_fd("lb_clock");
  ASSERT_EQ(bpf_map_lookup_elem(map, &only, &clock), 0);
  clock.tick += static_cast<uint32_t>(time.count() / LB_TICK_MS);
  ASSERT_EQ(bpf_map_update_elem(map, &only, &clock, BPF_ANY), 0);
}

void Lab::change_service(const base::Endpoint& vip,
                         const std::function<void(lb_service&)>& change) {
  for (auto [key, service] : datapath_->tables().services) {
    if (key.port != htons(vip.port) ||
        datapath::from_abi(vip.address.family(), key.vip) != vip.address)
      continue;
    change(service);
    const auto applied = datapath_->apply(datapath::PutService{key, service});
    ASSERT_TRUE(applied.ok()) << applied.error().message();
    return;
  }
  FAIL() << "no service at " << vip.text();
}

size_t Lab::live_flows() {
  size_t flows = 0;
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    const datapath::FlowLines& lines = datapath_->flows().memory().lines(family);
    for (uint32_t i = 0; i < lines.count(); ++i) flows += lb_word_is_forward(lines.line(i).word);
  }
  return flows;
}

void Lab::sweep(int passes) {
  datapath::FlowTable& table = datapath_->flows();
  const auto policy = datapath::FlowPolicy::of(datapath_->tables());
  const auto judge = [&](const datapath::FlowLife& flow) { return policy.expiry(flow); };
  for (; passes > 0; --passes) {
    while (table.sweep(judge, datapath::kSweepSlice) == datapath::FlowTable::Progress::more) {
    }
    if (table.begin_grace() > 0)
      while (table.release(datapath::kReleaseSlice) > 0) {
      }
    const auto released = datapath_->release_unused(table.census().used);
    ASSERT_TRUE(released.ok()) << released.error().message();
  }
}

void Lab::each_line(const std::function<void(lb_flow&)>& change) {
  const size_t lines = datapath_->about().lines4;
  void* memory = mmap(nullptr, lines * sizeof(lb_flow), PROT_READ | PROT_WRITE, MAP_SHARED,
                      datapath_->map_fd("lb_flows"), 0);
  ASSERT_NE(memory, MAP_FAILED);
  for (size_t i = 0; i < lines; ++i) change(static_cast<lb_flow*>(memory)[i]);
  munmap(memory, lines * sizeof(lb_flow));
}

}  // namespace test
