// Datapath::attach. Every test has a namespace of its own, with veth pairs v0 - v0p, ... in it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "tests/bpf/datapath/fixture.h"

namespace datapath {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Attach : public DatapathTest {
 protected:
  static std::vector<uint32_t> devices(Datapath& datapath) {
    std::vector<uint32_t> out;
    uint32_t key = 0;
    const uint32_t* from = nullptr;
    while (bpf_map_get_next_key(datapath.map_fd("lb_devs"), from, &key) == 0) {
      out.push_back(key);
      from = &key;
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  bool pinned(const std::string& interface) const {
    return std::filesystem::exists(folder() + "/links/" + interface);
  }
};

TEST_F(Attach, NativeOnVethAndInPlaceAfterARestart) {
  make_veth("v0");
  const std::vector<std::pair<std::string, uint32_t>> v0 = {{"v0", ifindex("v0")}};
  uint32_t first_program = 0;
  std::string link;
  {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    const auto attached = datapath->attach(v0);
    ASSERT_TRUE(attached.ok()) << attached.error().message();
    ASSERT_EQ(attached->size(), 1u);
    EXPECT_EQ(attached->front().mode, AttachMode::native);
    EXPECT_EQ(attached->front().reason, "");
    EXPECT_EQ(devices(*datapath), std::vector<uint32_t>{ifindex("v0")});
    first_program = program_on("v0");
    link = output_of("bpftool link show pinned " + folder() + "/links/v0 | cut -d: -f1");
  }
  // The agent is gone, its program is not.
  EXPECT_EQ(program_on("v0"), first_program);
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  EXPECT_EQ(program_on("v0"), first_program);
  ASSERT_TRUE(datapath->attach(v0).ok());
  EXPECT_NE(program_on("v0"), first_program);
  EXPECT_NE(program_on("v0"), 0u);
  EXPECT_EQ(output_of("bpftool link show pinned " + folder() + "/links/v0 | cut -d: -f1"), link);
}

TEST_F(Attach, GenericWithTheReason) {
  auto datapath = open_on(Hook::xdp);
  ASSERT_NE(datapath, nullptr);
  const auto attached = datapath->attach({{"lo", ifindex("lo")}});
  ASSERT_TRUE(attached.ok()) << attached.error().message();
  EXPECT_EQ(attached->front().mode, AttachMode::generic);
  EXPECT_THAT(attached->front().reason, HasSubstr("Operation not supported"));
  const auto again = datapath->attach({{"lo", ifindex("lo")}});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->front().mode, AttachMode::generic);
  EXPECT_EQ(again->front().reason, attached->front().reason);
}

// Else a frame of another network would be taken for one of this.
TEST_F(Attach, VlanTagsAreLeftOnTheFrames) {
  make_veth("v0");
  ASSERT_TRUE(shell("ethtool -K v0 rxvlan on rx-vlan-stag-hw-parse on"));
  ASSERT_THAT(output_of("ethtool -k v0 | grep rx-vlan-offload:"), HasSubstr(": on"));
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->attach({{"v0", ifindex("v0")}}).ok());
  EXPECT_THAT(output_of("ethtool -k v0 | grep rx-vlan-offload:"), HasSubstr(": off"));
  EXPECT_THAT(output_of("ethtool -k v0 | grep rx-vlan-stag-hw-parse:"), HasSubstr(": off"));
}

// Its other end may leave a tag beside the frame, and nobody puts it in.
TEST_F(Attach, WhereAVethHasVlansXdpDoesNotSeeTags) {
  make_veth("v0");
  const std::vector<std::pair<std::string, uint32_t>> v0 = {{"v0", ifindex("v0")}};
  const std::map<uint32_t, Vlan> trunk = {{ifindex("v0"), Vlan::trunk}};
  {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    ASSERT_EQ(datapath->attach(v0)->front().mode, AttachMode::native);
    const auto moved = datapath->attach(v0, {}, trunk);
    ASSERT_TRUE(moved.ok()) << moved.error().message();
    EXPECT_EQ(moved->front().mode, AttachMode::tc);
    EXPECT_THAT(moved->front().reason, HasSubstr("does not see them"));
    EXPECT_EQ(moved->front().obstacle, "");
  }
  auto datapath = open_on(Hook::xdp);
  ASSERT_NE(datapath, nullptr);
  const auto insisted = datapath->attach(v0, {}, trunk);
  ASSERT_TRUE(insisted.ok()) << insisted.error().message();
  EXPECT_NE(insisted->front().mode, AttachMode::tc);
  EXPECT_THAT(insisted->front().obstacle, AllOf(HasSubstr("does not see them"), HasSubstr("tc")));
}

// Native is not even tried: generic XDP would be there for a moment.
TEST_F(Attach, AVlanIsOnTc) {
  make_veth("v0");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  const uint32_t v0 = ifindex("v0");
  const auto attached = datapath->attach({{"v0", v0}}, {}, {{v0, Vlan::device}});
  ASSERT_TRUE(attached.ok()) << attached.error().message();
  EXPECT_EQ(attached->front().mode, AttachMode::tc);
  EXPECT_THAT(attached->front().reason, HasSubstr("a VLAN has no native XDP"));
}

TEST_F(Attach, GenericWhereSentFramesWouldBeLost) {
  make_veth("v0");
  make_veth("v1");
  auto datapath = open_on(Hook::xdp);
  ASSERT_NE(datapath, nullptr);
  const auto all_but_v0 = [this](uint32_t index) {
    EXPECT_NE(program_on(index == ifindex("v0") ? "v0" : "v1"), 0u) << "asked too early";
    return index != ifindex("v0");
  };
  const auto attached =
      datapath->attach({{"v0", ifindex("v0")}, {"v1", ifindex("v1")}}, all_but_v0);
  ASSERT_TRUE(attached.ok()) << attached.error().message();
  EXPECT_EQ((*attached)[0].mode, AttachMode::generic);
  EXPECT_THAT((*attached)[0].reason, AllOf(HasSubstr("would be lost"), HasSubstr("gro on")));
  EXPECT_EQ((*attached)[1].mode, AttachMode::native);
  EXPECT_NE(program_on("v0"), 0u);
}

// Why an earlier agent's link is generic, nobody knows any more. Another try costs a moment without
// a program, so that no flow may live.
TEST_F(Attach, NativeIsTriedAgainWhenNoFlowLives) {
  make_veth("v0");
  const std::vector<std::pair<std::string, uint32_t>> v0 = {{"v0", ifindex("v0")}};
  const auto takes_none = [](uint32_t) { return false; };
  const auto takes_all = [](uint32_t) { return true; };
  {
    auto datapath = open_on(Hook::xdp);
    ASSERT_NE(datapath, nullptr);
    ASSERT_EQ(datapath->attach(v0, takes_none)->front().mode, AttachMode::generic);
    ASSERT_TRUE(datapath->release_unused({}).ok());
    EXPECT_EQ(datapath->attach(v0, takes_all)->front().mode, AttachMode::generic);
  }
  auto datapath = open_on(Hook::xdp);
  ASSERT_NE(datapath, nullptr);
  const auto kept = datapath->attach(v0, takes_all);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->front().mode, AttachMode::generic) << "nobody has counted flows yet";
  EXPECT_THAT(kept->front().reason, HasSubstr("earlier start"));
  Census busy;
  busy.services[1] = true;
  ASSERT_TRUE(datapath->release_unused(busy).ok());
  EXPECT_EQ(datapath->attach(v0, takes_all)->front().mode, AttachMode::generic);
  ASSERT_TRUE(datapath->release_unused({}).ok());
  EXPECT_EQ(datapath->attach(v0, takes_none)->front().mode, AttachMode::generic);
  const auto again = datapath->attach(v0, takes_all);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->front().mode, AttachMode::native);
  EXPECT_EQ(again->front().reason, "");
  EXPECT_NE(program_on("v0"), 0u);
}

// A packet finds a program at any moment: the new one comes first.
TEST_F(Attach, MovesBetweenTheHooksAsConfigured) {
  make_veth("v0");
  const std::vector<std::pair<std::string, uint32_t>> v0 = {{"v0", ifindex("v0")}};
  const auto on = [&](Hook hook) {
    Options with = options();
    with.hooks.by_interface["v0"] = hook;
    auto datapath = open(with);
    const auto attached = datapath->attach(v0);
    EXPECT_TRUE(attached.ok()) << attached.error().message();
    return attached.ok() ? attached->front() : Attachment{};
  };
  EXPECT_EQ(on(Hook::xdp).mode, AttachMode::native);
  EXPECT_EQ(ingress_on("v0"), 0u);
  const Attachment tc = on(Hook::tc);
  EXPECT_EQ(tc.mode, AttachMode::tc);
  EXPECT_EQ(tc.reason, "as configured");
  EXPECT_EQ(program_on("v0"), 0u);
  EXPECT_NE(ingress_on("v0"), 0u);
  EXPECT_EQ(on(Hook::generic).mode, AttachMode::generic);
  EXPECT_NE(program_on("v0"), 0u);
  EXPECT_EQ(ingress_on("v0"), 0u);
  EXPECT_EQ(on(Hook::xdp).mode, AttachMode::generic) << "flows may live";
  EXPECT_EQ(on(Hook::tc).mode, AttachMode::tc);
}

TEST_F(Attach, OnTcInPlaceAfterARestartAndGoneWithTheInterface) {
  make_veth("v0");
  const std::vector<std::pair<std::string, uint32_t>> v0 = {{"v0", ifindex("v0")}};
  Options with = options();
  with.hooks.others = Hook::tc;
  uint32_t first = 0;
  {
    auto datapath = open(with);
    ASSERT_NE(datapath, nullptr);
    ASSERT_TRUE(datapath->attach(v0).ok());
    first = ingress_on("v0");
    EXPECT_NE(first, 0u);
  }
  EXPECT_EQ(ingress_on("v0"), first) << "the agent is gone, its program is not";
  auto datapath = open(with);
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->attach(v0).ok());
  EXPECT_NE(ingress_on("v0"), 0u);
  EXPECT_NE(ingress_on("v0"), first) << "another program";
  ASSERT_TRUE(shell("ip link del v0"));
  make_veth("v0");
  const auto again = datapath->attach({{"v0", ifindex("v0")}});
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_NE(ingress_on("v0"), 0u);
  ASSERT_TRUE(datapath->attach({}).ok());
  EXPECT_EQ(ingress_on("v0"), 0u);
}

TEST_F(Attach, AutomaticIsTcWhereTheDriverHasNoNativeMode) {
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  for (int i = 0; i < 2; i++) {
    const auto attached = datapath->attach({{"lo", ifindex("lo")}});
    ASSERT_TRUE(attached.ok()) << attached.error().message();
    EXPECT_EQ(attached->front().mode, AttachMode::tc);
    EXPECT_THAT(attached->front().reason, HasSubstr("Operation not supported"));
    EXPECT_EQ(program_on("lo"), 0u);
    EXPECT_NE(ingress_on("lo"), 0u);
  }
}

TEST_F(Attach, AutomaticIsTcWhereFramesWouldBeLostAndNativeAgainWhenNoFlowLives) {
  make_veth("v0");
  const std::vector<std::pair<std::string, uint32_t>> v0 = {{"v0", ifindex("v0")}};
  const auto takes_none = [](uint32_t) { return false; };
  const auto takes_all = [](uint32_t) { return true; };
  {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    const auto attached = datapath->attach(v0, takes_none);
    ASSERT_TRUE(attached.ok()) << attached.error().message();
    EXPECT_EQ(attached->front().mode, AttachMode::tc);
    EXPECT_THAT(attached->front().reason, HasSubstr("would be lost"));
    EXPECT_EQ(attached->front().obstacle, "");
  }
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  const auto kept = datapath->attach(v0, takes_all);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->front().mode, AttachMode::tc) << "nobody has counted flows yet";
  EXPECT_THAT(kept->front().reason, HasSubstr("earlier start"));
  ASSERT_TRUE(datapath->release_unused({}).ok());
  const auto again = datapath->attach(v0, takes_all);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->front().mode, AttachMode::native);
  EXPECT_EQ(ingress_on("v0"), 0u);
}

TEST_F(Attach, AutomaticIsTcOnceMostPacketsComeWithoutChecksums) {
  make_veth("v0");
  const uint32_t v0 = ifindex("v0");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  EXPECT_EQ(datapath->attach({{"v0", v0}})->front().mode, AttachMode::native);
  const lb_checksums half = {.asked = 8, .partial = 4}, most = {.asked = 12, .partial = 7};
  const int map = datapath->map_fd("lb_checksums");
  ASSERT_EQ(bpf_map_update_elem(map, &v0, &half, BPF_ANY), 0);
  EXPECT_EQ(datapath->attach({{"v0", v0}})->front().mode, AttachMode::native);
  ASSERT_EQ(bpf_map_update_elem(map, &v0, &most, BPF_ANY), 0);
  const auto moved = datapath->attach({{"v0", v0}});
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->front().mode, AttachMode::tc);
  EXPECT_THAT(moved->front().reason, HasSubstr("without checksums"));
  EXPECT_EQ(program_on("v0"), 0u);
}

TEST_F(Attach, AnotherProgramIsNamedAndTheOthersAreAttached) {
  make_veth("v0");
  make_veth("v1");
  attach_foreign_program("v0");
  const uint32_t foreign = program_on("v0");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  const auto attached = datapath->attach({{"v0", ifindex("v0")}, {"v1", ifindex("v1")}});
  ASSERT_FALSE(attached.ok());
  EXPECT_THAT(attached.error().message(),
              AllOf(HasSubstr("v0"), HasSubstr("foreigner"), HasSubstr(std::to_string(foreign)),
                    HasSubstr("ip link set dev v0 xdp off")));
  EXPECT_EQ(program_on("v0"), foreign);
  ASSERT_EQ(datapath->attachments().size(), 1u);
  EXPECT_EQ(datapath->attachments().front().interface, "v1");
  EXPECT_NE(program_on("v1"), 0u);
  EXPECT_EQ(devices(*datapath), std::vector<uint32_t>{ifindex("v1")});
  ASSERT_TRUE(shell("ip link set dev v0 xdp off"));
  EXPECT_TRUE(datapath->attach({{"v0", ifindex("v0")}, {"v1", ifindex("v1")}}).ok());
}

TEST_F(Attach, AnInterfaceNoLongerWantedIsLeft) {
  make_veth("v0");
  make_veth("v1");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->attach({{"v0", ifindex("v0")}, {"v1", ifindex("v1")}}).ok());
  EXPECT_EQ(devices(*datapath).size(), 2u);
  ASSERT_TRUE(datapath->attach({{"v1", ifindex("v1")}}).ok());
  EXPECT_EQ(program_on("v0"), 0u);
  EXPECT_FALSE(pinned("v0"));
  EXPECT_EQ(devices(*datapath), std::vector<uint32_t>{ifindex("v1")});
}

TEST_F(Attach, AnInterfaceThatWasMadeAgainGetsANewLink) {
  make_veth("v0");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->attach({{"v0", ifindex("v0")}}).ok());
  ASSERT_TRUE(shell("ip link del v0"));
  make_veth("v0");
  EXPECT_EQ(program_on("v0"), 0u);
  ASSERT_TRUE(datapath->attach({{"v0", ifindex("v0")}}).ok());
  EXPECT_NE(program_on("v0"), 0u);
  EXPECT_EQ(devices(*datapath), std::vector<uint32_t>{ifindex("v0")});
}

TEST_F(Attach, ARenamedInterfaceKeepsItsLink) {
  make_veth("v0");
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->attach({{"v0", ifindex("v0")}}).ok());
  const std::string link =
      output_of("bpftool link show pinned " + folder() + "/links/v0 | cut -d: -f1");
  ASSERT_TRUE(shell("ip link set v0 down && ip link set v0 name v0.7 && ip link set v0.7 up"));
  ASSERT_TRUE(datapath->attach({{"v0.7", ifindex("v0.7")}}).ok());
  EXPECT_FALSE(pinned("v0"));
  EXPECT_EQ(output_of("bpftool link show pinned " + folder() + "/links/v0:7 | cut -d: -f1"), link);
}

TEST_F(Attach, AnInterfaceThatIsNotThereIsAnError) {
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  const auto attached = datapath->attach({{"v9", 4711}});
  ASSERT_FALSE(attached.ok());
  EXPECT_THAT(attached.error().message(), HasSubstr("v9"));
  EXPECT_TRUE(devices(*datapath).empty());
}

}  // namespace
}  // namespace datapath
