// What drivers say of XDP (the topology is in lab.h).
#include "netns/xdp_features.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

#include "netns/devices.h"
#include "tests/net/netns/lab.h"

namespace netns_test {
namespace {

class XdpFeatures : public Lab {};

// Before Linux 6.3 the kernel has nothing to say.
bool kernel_tells() {
  int major = 0, minor = 0;
  std::sscanf(sh("uname -r").c_str(), "%d.%d", &major, &minor);
  return major > 6 || (major == 6 && minor >= 3);
}

TEST_F(XdpFeatures, AVethTakesFramesOnceItsOtherEndPolls) {
  open();
  sh("ip -n lb link add v0 type veth peer name v1 && ip -n lb link set v0 up && ip -n lb link set "
     "v1 up");
  const int space = space_->fd();
  const auto index =
      static_cast<uint32_t>(std::stoul(sh("ip -n lb -j link show v0 | jq .[0].ifindex")));
  const auto said = [](bool takes) { return kernel_tells() ? std::optional(takes) : std::nullopt; };
  EXPECT_EQ(netns::takes_xdp_frames(space, index), said(false));
  sh("ip netns exec lb ethtool -K v1 gro on");
  EXPECT_EQ(netns::takes_xdp_frames(space, index), said(true));
  sh("ip netns exec lb ethtool -K v1 gro off");
  EXPECT_EQ(netns::takes_xdp_frames(space, index), said(false));
}

TEST_F(XdpFeatures, ModesAndOffloadsAreRead) {
  open();
  sh("ip -n lb link add v0 type veth peer name v1 && ip -n lb link set v0 up");
  const auto index =
      static_cast<uint32_t>(std::stoul(sh("ip -n lb -j link show v0 | jq .[0].ifindex")));
  const auto mode = [&] { return netns::xdp_modes(space_->fd()).value().at(index); };
  EXPECT_EQ(mode(), netns::XdpMode::none);
  sh("ip -n lb link set dev v0 xdpgeneric obj " XDP_PASS_OBJECT " sec xdp");
  EXPECT_EQ(mode(), netns::XdpMode::generic);
  sh("ip -n lb link set dev v0 xdpgeneric off");
  sh("ip -n lb link set dev v0 xdpdrv obj " XDP_PASS_OBJECT " sec xdp");
  EXPECT_EQ(mode(), netns::XdpMode::native);

  const auto device = [&] {
    return netns::run_in(space_->fd(), [] { return netns::read_device("v0"); });
  };
  ASSERT_TRUE(device().ok()) << device().error().message();
  EXPECT_EQ(device()->driver, "veth");
  ASSERT_TRUE(device()->features.contains("rx-gro"));
  sh("ip netns exec lb ethtool -K v0 gro on");
  EXPECT_EQ(device()->features.at("rx-gro"), (netns::Offload{.on = true, .fixed = false}));
  sh("ip netns exec lb ethtool -K v0 gro off");
  EXPECT_FALSE(device()->features.at("rx-gro").on);
  EXPECT_TRUE(device()->features.at("rx-hashing").fixed);
  EXPECT_FALSE(netns::run_in(space_->fd(), [] { return netns::read_device("none"); }).ok());
}

TEST_F(XdpFeatures, OfAnInterfaceThatIsNotThereNothingIsSaid) {
  open();
  EXPECT_EQ(netns::takes_xdp_frames(space_->fd(), 4711), std::nullopt);
}

}  // namespace
}  // namespace netns_test
