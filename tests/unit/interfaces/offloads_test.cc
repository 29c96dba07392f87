// Offloads that XDP cannot bear.
#include "agent/datapath/offloads.h"

#include <gmock/gmock.h>

namespace datapath {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Features = std::set<std::string>;

netns::Device device(const char* driver, const Features& on) {
  netns::Device device{driver, {{"rx-lro", {}}, {"rx-hashing", {.on = true}}}, {}};
  for (const std::string& feature : on) device.features[feature].on = true;
  return device;
}

TEST(Offloads, JoinedPacketsAreUnbearableWhateverTheDriver) {
  EXPECT_EQ(unbearable(device("ixgbe", {"rx-checksum", "rx-lro", "rx-gro", "rx-gro-hw"})),
            (Features{"rx-lro", "rx-gro-hw"}));
  EXPECT_EQ(unbearable(device("ixgbe", {"rx-checksum", "rx-gro"})), Features{});
}

// Where packets come from another machine's stack and not by a wire.
TEST(Offloads, ChecksumsThatNobodyHasComputedAre) {
  for (const char* driver : {"virtio_net", "vif"})
    EXPECT_EQ(unbearable(device(driver, {"rx-checksum"})), Features{"rx-checksum"});
  EXPECT_EQ(unbearable(device("virtio_net", {"rx-gro", "tx-checksum-ip-generic"})), Features{});
}

TEST(Offloads, AreNamedWithWhatHelps) {
  EXPECT_EQ(why_not_forwarded("eth1", "virtio_net", {}, "no native XDP"), "");
  EXPECT_THAT(
      why_not_forwarded("eth1", "virtio_net", {"rx-checksum", "rx-gro-hw"}, "no native XDP"),
      AllOf(HasSubstr("eth1"), HasSubstr("(no native XDP)"), HasSubstr("rx-checksum, rx-gro-hw"),
            HasSubstr("ctrl_guest_offloads"), HasSubstr("guest_csum=off")));
}

TEST(Queues, AreTooFewWhereNoCpuHasItsOwn) {
  const auto locked = [](uint32_t now, uint32_t most, uint32_t cpus) {
    return why_locked("eth1", {"virtio_net", {}, netns::Queues{now, most}}, cpus);
  };
  EXPECT_THAT(locked(2, 2, 2), AllOf(HasSubstr("eth1"), HasSubstr("ethtool -L eth1 combined"),
                                     HasSubstr("2 at most"), HasSubstr("4 queues")));
  EXPECT_THAT(locked(1, 4, 4), HasSubstr("5 queues"));
  EXPECT_EQ(locked(4, 4, 2), "");  // two of them are XDP's
  EXPECT_EQ(locked(1, 4, 2), "");
  EXPECT_EQ(why_locked("eth1", {"ixgbe", {}, netns::Queues{2, 2}}, 2), "");
  EXPECT_EQ(why_locked("eth1", {"virtio_net", {}, std::nullopt}, 2), "");
}

}  // namespace
}  // namespace datapath
