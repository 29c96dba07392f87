// Plugging in real namespaces: what the kernel has afterwards.
//
//   original namespace                namespace "lb"                 namespace "peer"
//   (of the test's thread)            (under test)
//     ens7 fa:16:3e:aa:00:01 ───────→ eth1 (VIP) ─────── veth ─────  peer7
//     ens8 fa:16:3e:aa:00:02 ───────→ eth2 (members) ─── veth ─────  peer8
#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "agent/octavia/plugging.h"
#include "netns/nics.h"
#include "tests/net/netns/lab.h"
#include "tests/net/plug/kernel_state.h"
#include "tests/support/await.h"
#include "tests/support/temporary_folder.h"

namespace plug_test {
namespace {

using base::Status;
using netns_test::ip;
using netns_test::sh;
using octavia::Answer;
using octavia::Awaited;
using octavia::Topology;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kVip[] = "203.0.113.10";

// The bodies that the samples come from.
std::string vip_keys() {
  return R"("subnet_cidr": "203.0.113.0/24", "gateway": "203.0.113.1",
    "mac_address": "FA:16:3E:AA:00:01", "vrrp_ip": "203.0.113.21", "mtu": 1450,
    "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "203.0.113.5"}],
    "additional_vips": [{"ip_address": "2001:db8::10", "subnet_cidr": "2001:db8::/64",
                         "gateway": "2001:db8::1", "host_routes": []}])";
}

std::string fixed_ip(const std::string& address, const std::string& subnet,
                     const std::string& host_routes = "") {
  return R"({"ip_address": ")" + address + R"(", "subnet_cidr": ")" + subnet +
         R"(", "gateway": null, "host_routes": [)" + host_routes + "]}";
}

std::string network_body(const std::string& mac, const std::string& fixed_ips,
                         const std::string& more = "") {
  return R"({"mac_address": ")" + mac + R"(", "mtu": 1450, "fixed_ips": [)" + fixed_ips + "]" +
         more + "}";
}

std::string members_body() {
  return network_body("fa:16:3e:aa:00:02",
                      fixed_ip("192.0.2.5", "192.0.2.0/24",
                               R"({"destination": "198.51.100.128/25", "nexthop": "192.0.2.9"})") +
                          "," + fixed_ip("192.0.3.5", "192.0.3.0/24"));
}

// What the reconciler is to the agent.
class LabNetwork final : public octavia::PlugNetwork {
 public:
  LabNetwork(const netns::Namespace& space, netns::Network& network)
      : space_(space), network_(network) {}

  Awaited<base::Result<Nics>> nics() override {
    auto inside = netns::read_nics(space_.fd());
    auto outside = netns::read_nics(space_.original_fd());
    if (!inside) co_return inside.error();
    if (!outside) co_return outside.error();
    co_return Nics{*std::move(inside), *std::move(outside)};
  }
  Awaited<Status> rescan() override { co_return netns::rescan_pci(); }
  Awaited<Status> configure(netns::LayoutSpec layout) override {
    auto arranged = network_.arrange(layout);
    if (!arranged) co_return arranged.error();
    if (!arranged->errors.empty()) co_return arranged->errors.front();
    co_return base::Unit{};
  }
  Awaited<Status> enforce(std::vector<octavia::VipRule>) override { co_return base::Unit{}; }

 private:
  const netns::Namespace& space_;
  netns::Network& network_;
};

class PlugTest : public netns_test::Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    folder_ = test::temporary_folder("plug");
    attach("7", "fa:16:3e:aa:00:01");
    attach("8", "fa:16:3e:aa:00:02");
    start();
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  // As a hypervisor does: the NIC appears in the original namespace under some name.
  static void attach(const std::string& n, const std::string& mac) {
    sh("ip link add ens" + n + " address " + mac + " type veth peer name peer" + n + " netns peer");
    sh("ip -n peer link set peer" + n + " up");
  }

  // A start of the agent, with the files of the one before.
  void start() {
    open();
    real_ = std::make_unique<LabNetwork>(*space_, *network_);
    octavia::PlugStore store({folder_ + "/interfaces", folder_, folder_});
    auto loaded = store.load();
    ASSERT_TRUE(loaded) << loaded.error().message();
    plugging_ = std::make_unique<octavia::AmphoraPlugging>(
        *real_, [](std::function<Status()> work) -> Awaited<Status> { co_return work(); }, store,
        loaded->plugs, [this] { return topology_; });
    arrange(plugging_->layout());
  }

  Answer plug_vip() { return test::await(plugging_->plug_vip(kVip, "{" + vip_keys() + "}")); }
  Answer plug(const std::string& body) { return test::await(plugging_->plug_network(body)); }
  // Nothing is left to do, and nothing was refused.
  void expect_settled() { arrange(plugging_->layout()); }

  std::string folder_;
  Topology topology_ = Topology::single;
  std::unique_ptr<LabNetwork> real_;
  std::unique_ptr<octavia::AmphoraPlugging> plugging_;
};

TEST_F(PlugTest, SingleIsAsAStockAgentLeavesIt) {
  EXPECT_EQ(plug_vip().status, 202);
  EXPECT_EQ(plug(members_body()).details, "Plugged on interface eth2");
  expect_settled();
  KernelState expected = sampled_kernel_state("single");
  // A stock agent of release 11 takes the rules of the VIP away again when it plugs eth2.
  expected["ip -4 rule"].insert("100:	from 203.0.113.10 lookup 1");
  expected["ip -6 rule"].insert("100:	from 2001:db8::10 lookup 1");
  EXPECT_EQ(read_kernel_state("lb"), expected);
  EXPECT_THAT(sh("ip -br link"), Not(HasSubstr("ens")));
}

TEST_F(PlugTest, ActiveStandbyIsAsAStockAgentLeavesIt) {
  topology_ = Topology::active_standby;
  EXPECT_EQ(plug_vip().status, 202);
  EXPECT_EQ(plug(members_body()).status, 202);
  expect_settled();
  EXPECT_EQ(read_kernel_state("lb"), sampled_kernel_state("active-standby"));
}

TEST_F(PlugTest, WhatKeepalivedSetsStays) {
  topology_ = Topology::active_standby;
  plug_vip();
  sh("ip -n lb addr add 203.0.113.10/32 dev eth1");
  sh("ip -n lb -6 addr add 2001:db8::10/128 dev eth1 nodad preferred_lft 0");
  sh("ip -n lb route add default via 203.0.113.1 dev eth1 onlink table 1 proto 18");
  sh("ip -n lb rule add from 203.0.113.10 lookup 1 priority 100 proto 18");
  const KernelState before = read_kernel_state("lb");
  EXPECT_EQ(plug(network_body("fa:16:3e:aa:00:01", fixed_ip("203.0.114.9", "203.0.114.0/24"),
                              R"(, "vip_net_info": {"vip": "203.0.113.10", )" + vip_keys() + "}"))
                .details,
            "Updated existing interface eth1");
  KernelState expected = before;
  expected["addr eth1"].insert("inet 203.0.114.9/24");
  expected["ip -4 route show table main"].insert(
      "203.0.114.0/24 dev eth1 proto kernel scope link src 203.0.114.9");
  EXPECT_EQ(read_kernel_state("lb"), expected);
  expect_settled();
  // As a standby again.
  sh("ip -n lb addr del 203.0.113.10/32 dev eth1");
  expect_settled();
  EXPECT_THAT(sh("ip -n lb addr"), Not(HasSubstr("203.0.113.10")));
}

TEST_F(PlugTest, PluggingOneInterfaceChangesNothingOnAnother) {
  plug_vip();
  const std::string before =
      sh("ip -n lb addr show eth1; ip -n lb rule; ip -n lb route show table 1");
  plug(members_body());
  EXPECT_EQ(sh("ip -n lb addr show eth1; ip -n lb rule; ip -n lb route show table 1"), before);
  plug(network_body("fa:16:3e:aa:00:02", fixed_ip("192.0.3.5", "192.0.3.0/24")));
  EXPECT_EQ(sh("ip -n lb addr show eth1; ip -n lb rule; ip -n lb route show table 1"), before);
}

TEST_F(PlugTest, PluggedAgainWithFewerAddresses) {
  plug_vip();
  plug(members_body());
  EXPECT_EQ(
      plug(network_body("fa:16:3e:aa:00:02", fixed_ip("192.0.3.5", "192.0.3.0/24") + "," +
                                                 fixed_ip("2001:db8:3::5", "2001:db8:3::/64",
                                                          R"({"destination": "2001:db8:9::/48",
                                         "nexthop": "2001:db8:3::9"})")))
          .details,
      "Updated existing interface eth2");
  expect_settled();
  EXPECT_THAT(
      sh("ip -n lb addr show eth2"),
      AllOf(HasSubstr("192.0.3.5/24"), HasSubstr("2001:db8:3::5/64"), Not(HasSubstr("192.0.2.5"))));
  EXPECT_THAT(sh("ip -n lb route"), Not(HasSubstr("198.51.100.128/25")));
  EXPECT_THAT(sh("ip -n lb -6 route"), HasSubstr("2001:db8:9::/48 via 2001:db8:3::9 dev eth2"));
}

TEST_F(PlugTest, MembersOnTheNetworkOfTheVipBringTheirGateway) {
  plug_vip();
  std::string member = fixed_ip("203.0.114.9", "203.0.114.0/24");
  const std::string body =
      network_body("fa:16:3e:aa:00:01", member,
                   R"(, "vip_net_info": {"vip": "203.0.113.10", )" + vip_keys() + "}");
  EXPECT_EQ(plug(body).status, 202);
  expect_settled();
  EXPECT_THAT(sh("ip -n lb addr show eth1"),
              AllOf(HasSubstr("203.0.114.9/24"), HasSubstr("203.0.113.21/24"),
                    HasSubstr("203.0.113.10/32"), HasSubstr("2001:db8::10/128")));
  EXPECT_THAT(sh("ip -n lb rule"), HasSubstr("from 203.0.113.10 lookup 1"));
}

// The namespace is gone, its NICs are outside again under other names, the files are there.
TEST_F(PlugTest, AfterARebootItIsTheSame) {
  plug_vip();
  plug(members_body());
  const KernelState before = read_kernel_state("lb");
  network_.reset();
  ASSERT_TRUE(space_->remove());
  space_.reset();
  ASSERT_TRUE(netns_test::eventually([] {
    return sh("ip -n peer link").find("peer7") == std::string::npos;
  })) << "the NICs go with the namespace";
  attach("7", "fa:16:3e:aa:00:02");
  attach("8", "fa:16:3e:aa:00:01");
  start();
  EXPECT_EQ(read_kernel_state("lb"), before);
  EXPECT_EQ(plug_vip(), (Answer{.status = 409, .message = "Interface already exists"}));
}

TEST_F(PlugTest, WhoHasAnAddressIsWhatTheKernelSays) {
  topology_ = Topology::active_standby;
  plug_vip();
  EXPECT_EQ(*test::await(plugging_->interface_of(ip("203.0.113.21"))), "eth1");
  EXPECT_EQ(*test::await(plugging_->interface_of(ip(kVip))), std::nullopt) << "a standby";
  sh("ip -n lb addr add 203.0.113.10/32 dev eth1");
  EXPECT_EQ(*test::await(plugging_->interface_of(ip(kVip))), "eth1") << "the master";
}

TEST_F(PlugTest, WithoutAddressesRoutersAreFollowed) {
  plug_vip();
  EXPECT_EQ(plug(R"({"mac_address": "fa:16:3e:aa:00:02"})").status, 202);
  expect_settled();
  const auto value = [](const std::string& key) {
    return sh("ip netns exec lb sysctl -n net.ipv6.conf." + key);
  };
  EXPECT_EQ(value("eth2.accept_ra"), "2\n");
  EXPECT_EQ(value("eth2.autoconf"), "1\n");
  EXPECT_EQ(value("eth1.accept_ra"), "0\n");
}

TEST_F(PlugTest, ARouteThatTheKernelRefusesIsNoReasonToFail) {
  // The nexthop is the amphora's own address.
  EXPECT_EQ(plug(network_body("fa:16:3e:aa:00:02", fixed_ip("192.0.2.5", "192.0.2.0/24",
                                                            R"({"destination": "198.51.100.0/24",
                                           "nexthop": "192.0.2.5"})")))
                .status,
            202);
  EXPECT_THAT(sh("ip -n lb addr show eth2"), HasSubstr("192.0.2.5/24"));
}

}  // namespace
}  // namespace plug_test
