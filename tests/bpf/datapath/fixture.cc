#include "tests/bpf/datapath/fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace datapath {

bool shell(const std::string& command) { return std::system(command.c_str()) == 0; }

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> chunk;
  while (pipe != nullptr && fgets(chunk.data(), chunk.size(), pipe) != nullptr)
    text += chunk.data();
  if (pipe != nullptr) pclose(pipe);
  return text;
}

void DatapathTest::SetUp() {
  if (geteuid() != 0) FAIL() << "needs root (BPF): run it with sudo";
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  root_ = "/sys/fs/bpf/lb-test-" + std::to_string(getpid()) + "-" + test->name();
  home_ = base::Fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
}

void DatapathTest::TearDown() {
  if (root_.empty()) return;
  const auto gone = Datapath::teardown(root_);
  EXPECT_TRUE(gone.ok()) << gone.error().message();
  setns(home_.get(), CLONE_NEWNET);
}

Options DatapathTest::options() const {
  Options options;
  options.pin_root = root_;
  options.flows4 = options.flows6 = 256;
  return options;
}

std::unique_ptr<Datapath> DatapathTest::open(const Options& with) {
  auto datapath = Datapath::open(with);
  EXPECT_TRUE(datapath.ok()) << datapath.error().message();
  return datapath.ok() ? std::move(*datapath) : nullptr;
}

std::string DatapathTest::error_of(const Options& with) {
  const auto datapath = Datapath::open(with);
  EXPECT_FALSE(datapath.ok());
  return datapath.ok() ? "" : datapath.error().message();
}

uint32_t DatapathTest::ifindex(const std::string& name) const {
  return if_nametoindex(name.c_str());
}

uint32_t DatapathTest::program_on(const std::string& name) const {
  uint32_t id = 0;
  bpf_xdp_query_id(static_cast<int>(ifindex(name)), 0, &id);
  return id;
}

void DatapathTest::make_veth(const std::string& name) {
  ASSERT_TRUE(shell("ip link add " + name + " type veth peer name " + name + "p && ip link set " +
                    name + " up && ip link set " + name + "p up"));
}

void DatapathTest::attach_foreign_program(const std::string& name) {
  const bpf_insn pass[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  const base::Fd program(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "foreigner", "GPL", pass, std::size(pass), nullptr));
  ASSERT_TRUE(program.valid());
  ASSERT_EQ(bpf_xdp_attach(static_cast<int>(ifindex(name)), program.get(), 0, nullptr), 0);
}

}  // namespace datapath
