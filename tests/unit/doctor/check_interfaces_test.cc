#include <cerrno>

#include "tests/unit/doctor/well.h"

namespace doctor::testing {
namespace {

using netns::Offload;
using netns::XdpMode;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

void set(Interface& interface, const char* feature, Offload value) {
  netns::Device device = *interface.device;
  device.features[feature] = value;
  interface.device = device;
}

TEST(CheckXdp, SaysModeReasonAndRemedy) {
  Facts facts = well();
  interface(facts, "eth1").xdp = XdpMode::generic;
  nlohmann::json status = *facts.agent;
  status["interfaces"][0]["reason"] = "frames would be lost";
  facts.agent = status;
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::warn,
                                              "generic, which is slower: frames would "
                                              "be lost",
                                              "gro on")));
  interface(facts, "eth1").mtu = 9000;
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::warn, "generic", "see mtu")));
  interface(facts, "eth1").xdp = XdpMode::none;
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::fail, "no program", "log")));
}

TEST(CheckInterfaces, TcIsAsGoodAndTakesEveryOffload) {
  Facts facts = well();
  Interface& eth1 = interface(facts, "eth1");
  eth1.xdp = XdpMode::none;
  eth1.on_tc = true;
  eth1.mtu = interface(facts, "eth2").mtu = 9000;
  set(eth1, "rx-lro", {.on = true});
  interface(facts, "eth2").xdp = XdpMode::native;
  nlohmann::json status = *facts.agent;
  status["interfaces"][0]["reason"] = "as configured";
  facts.agent = status;
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::ok, "tc ingress: as configured", "")));
  for (const auto check : {check_xdp, check_offloads, check_mtu, check_queues})
    EXPECT_THAT(check(facts), Each(Is(Grade::ok)));
}

TEST(CheckXdp, ALinkIsUpHasACarrierAndIsThere) {
  Facts facts = well();
  interface(facts, "eth1").up = false;
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::fail, "down")));
  interface(facts, "eth1").up = true;
  interface(facts, "eth1").carrier = false;
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::fail, "no carrier")));
  facts.configuration.interfaces = {"eth7"};
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::fail, "not in namespace amphora-haproxy")));
}

TEST(CheckXdp, NoInterfacesAreSaid) {
  Facts facts = well();
  facts.configuration.interfaces.clear();
  facts.space = Space{};
  EXPECT_THAT(check_xdp(facts), ElementsAre(Says(Grade::warn, "no interfaces")));
}

TEST(CheckInterfaces, WithoutTheNamespaceNothingIsSeen) {
  Facts facts = well();
  facts.space = base::Error{EPERM, "enter"};
  for (const auto check : {check_xdp, check_offloads, check_mtu, check_queues, check_sysctls})
    EXPECT_THAT(check(facts), ElementsAre(Says(Grade::unseen, "enter", "root")));
}

TEST(CheckOffloads, AggregationStopsNativeXdpWhereItIsRefused) {
  Facts facts = well();
  set(interface(facts, "eth1"), "rx-lro", {.on = true});
  EXPECT_THAT(check_offloads(facts), Each(Is(Grade::ok)));  // the driver has taken it
  interface(facts, "eth1").xdp = XdpMode::generic;
  EXPECT_THAT(check_offloads(facts),
              Contains(Says(Grade::warn, "rx-lro",
                            "ip netns exec amphora-haproxy ethtool -K eth1 lro off")));
}

TEST(CheckOffloads, WhatIsFixedIsTheHosts) {
  Facts facts = well();
  set(interface(facts, "eth2"), "rx-gro-hw", {.on = true, .fixed = true});
  interface(facts, "eth2").xdp = XdpMode::generic;
  EXPECT_THAT(check_offloads(facts),
              Contains(Says(Grade::warn, "rx-gro-hw is on and fixed", "ctrl_guest_offloads=on")));
  EXPECT_THAT(check_xdp(facts), Contains(Says(Grade::warn, "generic", "see offloads")));
}

TEST(CheckOffloads, GuestsChecksumsAreLostWithoutNativeXdp) {
  Facts facts = well();
  const auto says = Says(Grade::warn, "without checksums", "guest_csum=off");
  EXPECT_THAT(check_offloads(facts), Not(Contains(says)));
  interface(facts, "eth1").xdp = interface(facts, "eth2").xdp = XdpMode::generic;
  EXPECT_THAT(check_offloads(facts), Contains(says));
  set(interface(facts, "eth2"), "rx-checksum", {});
  EXPECT_THAT(check_offloads(facts), Not(Contains(says)));  // eth1 is no virtio_net
}

TEST(CheckMtu, NativeXdpTakesOnePage) {
  Facts facts = well();
  Interface& eth1 = interface(facts, "eth1");
  eth1.xdp = XdpMode::generic;
  for (const auto& [mtu, grade] : {std::pair{1500, Grade::ok}, std::pair{3506, Grade::ok},
                                   std::pair{3507, Grade::warn}, std::pair{9000, Grade::warn}}) {
    eth1.mtu = mtu;
    EXPECT_EQ(check_mtu(facts)[0].grade, grade) << mtu;
  }
  EXPECT_THAT(check_mtu(facts)[0], Says(Grade::warn, "3506 at most", "link set eth1 mtu 1500"));
  eth1.xdp = XdpMode::native;  // a driver with larger pages
  EXPECT_EQ(check_mtu(facts)[0].grade, Grade::ok);
}

TEST(CheckMtu, DifferentOnesDropWhatIsTooBig) {
  Facts facts = well();
  interface(facts, "eth2").mtu = 1400;
  EXPECT_THAT(check_mtu(facts),
              Contains(Says(Grade::warn, "eth1 has 1500 and eth2 1400", "the same MTU")));
}

TEST(CheckQueues, VirtioNeedsOneForEachCpuBesides) {
  Facts facts = well();
  const auto with = [&](uint32_t now, uint32_t most) {
    netns::Device device = *interface(facts, "eth2").device;
    device.queues = {now, most};
    interface(facts, "eth2").device = device;
    return check_queues(facts).at(0);
  };
  EXPECT_THAT(with(2, 4), Says(Grade::ok, "2 of 4 queues for 2 CPUs"));
  EXPECT_THAT(with(2, 3), Says(Grade::warn, "a lock", "ethtool -L eth2 combined 1"));
  EXPECT_THAT(with(2, 2), Says(Grade::warn, "a lock", "4 queues"));
  EXPECT_EQ(check_queues(facts).size(), 1u);  // eth1 is no virtio_net
}

TEST(CheckSysctls, AreAsTheAgentSetsThem) {
  Facts facts = well();
  EXPECT_THAT(check_sysctls(facts), ElementsAre(Says(Grade::ok, "1 are as they must be")));
  const_cast<Space&>(*facts.space).sysctls["net/ipv4/ip_forward"] = "0";
  EXPECT_THAT(check_sysctls(facts),
              ElementsAre(Says(Grade::fail, "it is 0 and must be 1",
                               "ip netns exec amphora-haproxy sysctl -w net/ipv4/ip_forward=1")));
  // A kernel without IPv6 has none of its sysctls.
  const_cast<Space&>(*facts.space).sysctls.clear();
  EXPECT_THAT(check_sysctls(facts), ElementsAre(Is(Grade::ok)));
}

}  // namespace
}  // namespace doctor::testing
