// Which hook an interface is on, and what is known of it: in other namespaces, after it came again,
// where one of the hooks is refused, and on a kernel without TCX.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <sched.h>

#include <atomic>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/datapath/links.h"
#include "tests/bpf/datapath/fixture.h"

namespace datapath {
namespace {

using testing::AllOf;
using testing::HasSubstr;

bool takes_none(uint32_t) { return false; }
bool takes_all(uint32_t) { return true; }

class AttachHooks : public DatapathTest {
 protected:
  using Interfaces = std::vector<std::pair<std::string, uint32_t>>;

  void make_veth_again(const std::string& name, uint32_t index) {
    ASSERT_TRUE(shell("ip link add " + name + " index " + std::to_string(index) +
                      " type veth peer name " + name + "p && ip link set " + name +
                      " up && ip link set " + name + "p up"));
  }
  bool runs_on(uint32_t index) const { return Links(folder()).runs_on(index); }
  Attachment attach(Datapath& datapath, const std::string& interface,
                    const TakesFrames& takes_frames = {}) {
    const auto attached = datapath.attach({{interface, ifindex(interface)}}, takes_frames);
    EXPECT_TRUE(attached.ok()) << attached.error().message();
    return attached.ok() ? attached->front() : Attachment{};
  }
};

// A program of another's, in the place of our filter.
void take_place_of_filter(uint32_t ifindex) {
  const bpf_insn pass[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  const base::Fd program(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tc_foreigner", "GPL", pass,
                                       std::size(pass), nullptr));
  ASSERT_TRUE(program.valid());
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = BPF_TC_INGRESS);
  LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program.get(), .handle = 1, .priority = 1000);
  ASSERT_EQ(bpf_tc_hook_create(&hook), 0);
  ASSERT_EQ(bpf_tc_attach(&hook, &filter), 0);
}

// ---- which interface it is ---------------------------------------------------------------------

TEST_F(AttachHooks, ALinkOfAnotherNamespaceIsNotOfThisInterface) {
  make_veth("v0");
  const uint32_t index = ifindex("v0");
  auto datapath = open_on(Hook::tc);
  ASSERT_NE(datapath, nullptr);
  attach(*datapath, "v0");
  EXPECT_TRUE(runs_on(index));
  // It stays there, and so does its link.
  const base::Fd first(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  make_veth_again("v0", index);
  EXPECT_FALSE(runs_on(index));
  EXPECT_EQ(attach(*datapath, "v0").mode, AttachMode::tc);
  EXPECT_NE(ingress_on("v0"), 0u);
  EXPECT_TRUE(runs_on(index));
}

TEST_F(AttachHooks, AnInterfaceThatCameAgainIsOnNoHook) {
  make_veth("v0");
  const uint32_t index = ifindex("v0");
  {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    EXPECT_EQ(attach(*datapath, "v0", takes_none).mode, AttachMode::tc);
  }
  ASSERT_TRUE(shell("ip link del v0"));
  make_veth_again("v0", index);
  EXPECT_FALSE(runs_on(index));
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  EXPECT_EQ(attach(*datapath, "v0", takes_all).mode, AttachMode::native) << "no flow was there";
}

TEST_F(AttachHooks, WhoTakesTheProgramOffIsSeen) {
  make_veth("v0");
  auto datapath = open_on(Hook::xdp);
  ASSERT_NE(datapath, nullptr);
  attach(*datapath, "v0");
  EXPECT_TRUE(runs_on(ifindex("v0")));
  ASSERT_TRUE(shell("bpftool link detach pinned " + folder() + "/links/v0 >/dev/null"));
  EXPECT_FALSE(runs_on(ifindex("v0")));
  attach_foreign_program("v0");
  EXPECT_FALSE(runs_on(ifindex("v0"))) << "another's";
  datapath = nullptr;
  datapath = open_on(Hook::tc);
  ASSERT_NE(datapath, nullptr);
  attach(*datapath, "v0");
  EXPECT_TRUE(runs_on(ifindex("v0")));
  for (const auto& pin : {" tcx", " clsact"})
    shell("bpftool link detach pinned '" + folder() + "/links/" + std::to_string(ifindex("v0")) +
          pin + "' >/dev/null 2>&1");
  EXPECT_FALSE(runs_on(ifindex("v0")));
  attach(*datapath, "v0");
  EXPECT_TRUE(runs_on(ifindex("v0")));
}

// No link can be moved from one mode of XDP to the other: tc has the packets meanwhile.
TEST_F(AttachHooks, BetweenTheModesOfXdpThereIsAlwaysAProgram) {
  make_veth("v0");
  const uint32_t index = ifindex("v0");
  {
    auto datapath = open_on(Hook::xdp);
    ASSERT_NE(datapath, nullptr);
    EXPECT_EQ(attach(*datapath, "v0").mode, AttachMode::native);
  }
  auto datapath = open_on(Hook::generic);
  ASSERT_NE(datapath, nullptr);
  std::atomic<bool> done = false;
  int bare = 0;
  std::thread watch([&] {
    // Twice: it may change the hook while one after the other is looked at.
    while (!done)
      if (!runs_on(index) && !runs_on(index)) bare++;
  });
  EXPECT_EQ(attach(*datapath, "v0").mode, AttachMode::generic);
  done = true;
  watch.join();
  EXPECT_EQ(bare, 0);
  EXPECT_EQ(ingress_on("v0"), 0u);
}

// ---- where one is refused ----------------------------------------------------------------------

TEST_F(AttachHooks, WhatIsOnTcStaysThereIfXdpIsRefused) {
  make_veth("v0");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  EXPECT_EQ(attach(*datapath, "v0", takes_none).mode, AttachMode::tc);
  datapath = nullptr;
  attach_foreign_program("v0");
  datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->release_unused({}).ok());  // XDP is tried again
  const Attachment kept = attach(*datapath, "v0", takes_all);
  EXPECT_EQ(kept.mode, AttachMode::tc);
  EXPECT_THAT(kept.reason, HasSubstr("another XDP program"));
  EXPECT_NE(ingress_on("v0"), 0u);
}

TEST_F(AttachHooks, WhyTcIsRefusedIsSaid) {
  make_veth("v0");
  make_veth("v1");
  const uint32_t v0 = ifindex("v0");
  {
    auto datapath = open_on(Hook::xdp);
    ASSERT_NE(datapath, nullptr);
    const auto attached = datapath->attach({{"v0", v0}, {"v1", ifindex("v1")}},
                                           [v0](uint32_t index) { return index == v0; });
    ASSERT_TRUE(attached.ok()) << attached.error().message();
  }
  take_place_of_filter(v0);
  take_place_of_filter(ifindex("v1"));
  without_links([&] {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    const lb_checksums none_has_one = {.asked = 8, .partial = 8};
    ASSERT_EQ(bpf_map_update_elem(datapath->map_fd("lb_checksums"), &v0, &none_has_one, BPF_ANY),
              0);
    const auto attached = datapath->attach({{"v0", v0}, {"v1", ifindex("v1")}});
    ASSERT_TRUE(attached.ok()) << attached.error().message();
    const auto says_it = AllOf(HasSubstr("tc ingress refused"), HasSubstr("tc_foreigner"));
    EXPECT_EQ((*attached)[0].mode, AttachMode::native);
    EXPECT_THAT((*attached)[0].note, says_it);
    EXPECT_EQ((*attached)[1].mode, AttachMode::generic);
    EXPECT_THAT((*attached)[1].reason, AllOf(HasSubstr("earlier start"), says_it));
  });
}

// ---- a kernel without TCX ----------------------------------------------------------------------

TEST_F(AttachHooks, AFilterWhereThereIsNoTcx) {
  make_veth("v0");
  const uint32_t index = ifindex("v0");
  without_links([&] {
    auto datapath = open_on(Hook::tc);
    ASSERT_NE(datapath, nullptr);
    EXPECT_EQ(attach(*datapath, "v0").mode, AttachMode::tc);
    const uint32_t first = ingress_on("v0");
    EXPECT_NE(first, 0u);
    EXPECT_TRUE(runs_on(index));
    datapath = nullptr;
    datapath = open_on(Hook::tc);
    ASSERT_NE(datapath, nullptr);
    attach(*datapath, "v0");
    EXPECT_NE(ingress_on("v0"), 0u);
    EXPECT_NE(ingress_on("v0"), first) << "another program";
    ASSERT_TRUE(shell("tc qdisc del dev v0 clsact"));
    EXPECT_FALSE(runs_on(index));
    attach(*datapath, "v0");
    EXPECT_TRUE(runs_on(index));
    ASSERT_TRUE(datapath->attach({}).ok());
    EXPECT_EQ(ingress_on("v0"), 0u);
  });
}

// The pin is what says that the filter is ours, and may be taken off.
TEST_F(AttachHooks, AFilterWhosePinIsLostIsPinnedAgain) {
  make_veth("v0");
  without_links([&] {
    auto datapath = open_on(Hook::tc);
    ASSERT_NE(datapath, nullptr);
    attach(*datapath, "v0");
    ASSERT_TRUE(shell("rm '" + folder() + "/links/" + std::to_string(ifindex("v0")) + " clsact'"));
    EXPECT_FALSE(runs_on(ifindex("v0")));
    attach(*datapath, "v0");
    EXPECT_TRUE(runs_on(ifindex("v0")));
  });
}

// ---- whose packets have no checksums -----------------------------------------------------------

TEST_F(AttachHooks, TheNextAgentJudgesChecksumsTheSame) {
  make_veth("v0");
  const uint32_t v0 = ifindex("v0");
  const auto count = [&](Datapath& datapath, const lb_checksums& counted) {
    ASSERT_EQ(bpf_map_update_elem(datapath.map_fd("lb_checksums"), &v0, &counted, BPF_ANY), 0);
  };
  const auto counted = [&](Datapath& datapath) {
    lb_checksums now{};
    bpf_map_lookup_elem(datapath.map_fd("lb_checksums"), &v0, &now);
    return now;
  };
  {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    count(*datapath, {.asked = 1000, .partial = 0});
    EXPECT_EQ(attach(*datapath, "v0").mode, AttachMode::native);
    const lb_checksums few = counted(*datapath);
    count(*datapath, {.asked = few.asked + 20, .partial = few.partial + 20});
    EXPECT_EQ(attach(*datapath, "v0").mode, AttachMode::tc) << "somebody else is there now";
    EXPECT_EQ(datapath->without_checksums().value(), std::set<uint32_t>{v0});
  }
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->release_unused({}).ok());  // else it would stay in any case
  EXPECT_EQ(attach(*datapath, "v0", takes_all).mode, AttachMode::tc);
}

}  // namespace
}  // namespace datapath
