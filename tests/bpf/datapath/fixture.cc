#include "tests/bpf/datapath/fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <thread>

#include "tests/support/own_pins.h"

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

void without_links(const std::function<void()>& work) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_LINK_CREATE, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_PROG_QUERY, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
  };
  const sock_fprog program{std::size(filter), filter};
  std::thread([&] {
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    work();
  }).join();
}

void DatapathTest::SetUp() {
  if (geteuid() != 0) FAIL() << "needs root (BPF): run it with sudo";
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  ASSERT_NO_FATAL_FAILURE(test::own_pins());
  root_ = std::string("/sys/fs/bpf/lb-test-") + info->name();
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

std::unique_ptr<Datapath> DatapathTest::open_on(Hook hook) {
  Options with = options();
  with.hooks.others = hook;
  return open(with);
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

uint32_t DatapathTest::ingress_on(const std::string& name) const {
  constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
  const auto index = static_cast<int>(ifindex(name));
  uint32_t ids[4], count = std::size(ids), flags = 0;
  if (bpf_prog_query(index, kTcxIngress, 0, &flags, ids, &count) == 0 && count > 0) return ids[0];
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = BPF_TC_INGRESS);
  LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1000);
  return bpf_tc_query(&hook, &filter) == 0 ? filter.prog_id : 0;
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
