// Plugging against a network that is a value: what is answered, what is in the files, and what the
// network was told; failures at every call, and starts after them.
#include "agent/octavia/plugging.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "base/file.h"
#include "tests/support/addresses.h"
#include "tests/support/await.h"
#include "tests/support/temporary_folder.h"

namespace octavia {
namespace {

using base::Error;
using base::Status;
using netns::Nic;
using test::mac;
using test::prefix;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kVipMac[] = "02:00:00:00:00:01";
constexpr char kMac2[] = "02:00:00:00:00:02";
constexpr char kMac3[] = "02:00:00:00:00:03";
constexpr char kVip[] = "198.51.100.20";
constexpr char kVipBody[] = R"({"subnet_cidr": "198.51.100.0/24", "gateway": "198.51.100.254",
  "mac_address": "02:00:00:00:00:01", "vrrp_ip": "198.51.100.21", "mtu": 1500,
  "host_routes": [], "additional_vips": [{"subnet_cidr": "2001:db8:100::/64",
  "ip_address": "2001:db8:100::55", "gateway": "2001:db8:100::fe", "host_routes": []}]})";

std::string network_body(const std::string& mac_text, const std::string& address) {
  return R"({"mac_address": ")" + mac_text + R"(", "mtu": 1500, "fixed_ips": [{"ip_address": ")" +
         address + R"(", "subnet_cidr": "203.0.113.0/24", "host_routes": [], "gateway": null}]})";
}

// Brings in what a layout names, as the reconciler does.
class FakeNetwork final : public PlugNetwork {
 public:
  Nics now;
  int rescans = 0;
  netns::LayoutSpec layout;
  std::optional<std::vector<VipRule>> rules;
  std::string refuses;    // what configure() could not do of all the rest
  bool vanishes = false;  // the next NIC before it is brought in
  int fail_at = -1;       // the n-th call from now, from 0

  Awaited<base::Result<Nics>> nics() override {
    if (fails()) co_return Error{EIO, "read the links"};
    co_return now;
  }
  Awaited<Status> rescan() override {
    if (fails()) co_return Error{EIO, "rescan"};
    ++rescans;
    co_return base::Unit{};
  }
  Awaited<Status> configure(netns::LayoutSpec wanted) override {
    if (fails()) co_return Error{EIO, "configure"};
    layout = wanted;
    for (const netns::InterfaceSpec& spec : wanted.interfaces) bring_in(spec);
    if (!refuses.empty()) co_return Error{0, refuses};
    co_return base::Unit{};
  }
  Awaited<Status> enforce(std::vector<VipRule> wanted) override {
    if (fails()) co_return Error{EIO, "enforce"};
    rules = wanted;
    co_return base::Unit{};
  }

 private:
  bool fails() { return fail_at >= 0 && fail_at-- == 0; }
  void bring_in(const netns::InterfaceSpec& spec) {
    const auto outside = std::find_if(now.outside.begin(), now.outside.end(),
                                      [&](const Nic& nic) { return nic.mac == spec.mac; });
    if (outside != now.outside.end()) {
      if (std::exchange(vanishes, false)) return void(now.outside.erase(outside));
      now.inside.push_back({outside->ifindex, spec.name, outside->mac});
      now.outside.erase(outside);
    }
    for (Nic& nic : now.inside)
      if (nic.mac == spec.mac) nic.addresses = spec.addresses;
  }
};

class PluggingTest : public testing::Test {
 protected:
  PluggingTest() {
    folder_ = test::temporary_folder("plugging");
    network_.now.outside = {{2, "eth0", mac("02:00:00:00:00:99")},
                            {3, "ens7", mac(kVipMac)},
                            {4, "ens8", mac(kMac2)},
                            {5, "ens9", mac(kMac3)}};
    start();
  }
  ~PluggingTest() override { std::filesystem::remove_all(folder_); }

  PlugStore store() const { return PlugStore({folder_ + "/interfaces", folder_, folder_}); }

  // Another start of the agent.
  void start() {
    auto loaded = store().load();
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_THAT(loaded->unreadable, IsEmpty());
    plugging_ = std::make_unique<AmphoraPlugging>(
        network_,
        [this](std::function<Status()> work) -> Awaited<Status> {
          if (fail_writing_) co_return Error{ENOSPC, "write"};
          co_return work();
        },
        store(), loaded->plugs, [this] { return topology_; });
  }

  Answer plug_vip() { return test::await(plugging_->plug_vip(kVip, kVipBody)); }
  Answer plug(const char* mac_text, const std::string& address = "203.0.113.100") {
    return test::await(plugging_->plug_network(network_body(mac_text, address)));
  }
  std::string file(const std::string& name) const {
    auto text = base::read_file(folder_ + "/" + name);
    return text ? *text : "";
  }

  std::string folder_;
  FakeNetwork network_;
  Topology topology_ = Topology::single;
  bool fail_writing_ = false;
  std::unique_ptr<AmphoraPlugging> plugging_;
};

const Answer kNotFound{.status = 404, .details = "No suitable network interface found"};

TEST_F(PluggingTest, TheVipBecomesEth1) {
  EXPECT_EQ(plug_vip(), (Answer{.status = 202,
                                .message = "OK",
                                .details = "VIPs plugged on interface eth1: 198.51.100.20, "
                                           "2001:0db8:0100:0000:0000:0000:0000:0055"}));
  EXPECT_EQ(file("plugged_interfaces"), "02:00:00:00:00:01 eth1\n");
  EXPECT_EQ(network_.layout, plugging_->layout());
  EXPECT_EQ(network_.layout.vips.size(), 2u);
  ASSERT_THAT(network_.layout.interfaces, SizeIs(1));
  EXPECT_EQ(network_.layout.interfaces[0].mac, mac(kVipMac));
  EXPECT_EQ(plug_vip(), (Answer{.status = 409, .message = "Interface already exists"}));
}

TEST_F(PluggingTest, TheTopologyIsThatOfNow) {
  topology_ = Topology::active_standby;
  plug_vip();
  EXPECT_EQ(network_.layout.vips.begin()->keeper, netns::VipKeeper::keepalived);
}

TEST_F(PluggingTest, MembersGetTheFirstFreeName) {
  plug_vip();
  EXPECT_EQ(plug(kMac2),
            (Answer{.status = 202, .message = "OK", .details = "Plugged on interface eth2"}));
  EXPECT_EQ(plug(kMac3).details, "Plugged on interface eth3");
  EXPECT_EQ(file("plugged_interfaces"),
            "02:00:00:00:00:01 eth1\n02:00:00:00:00:02 eth2\n02:00:00:00:00:03 eth3\n");
  // eth2 was detached, and another port is attached.
  std::erase_if(network_.now.inside, [](const Nic& nic) { return nic.name == "eth2"; });
  network_.now.outside.push_back({6, "ens10", mac("02:00:00:00:00:04")});
  EXPECT_EQ(plug("02:00:00:00:00:04").details, "Plugged on interface eth2");
  EXPECT_EQ(file("plugged_interfaces"),
            "02:00:00:00:00:01 eth1\n02:00:00:00:00:04 eth2\n02:00:00:00:00:03 eth3\n");
}

TEST_F(PluggingTest, APluggedNetworkIsUpdated) {
  plug_vip();
  plug(kMac2);
  EXPECT_EQ(plug(kMac2, "203.0.113.101"),
            (Answer{.status = 202, .message = "OK", .details = "Updated existing interface eth2"}));
  ASSERT_THAT(network_.layout.interfaces, SizeIs(2));
  EXPECT_THAT(network_.layout.interfaces[1].addresses, ElementsAre(prefix("203.0.113.101/24")));
}

TEST_F(PluggingTest, MembersOnTheNetworkOfTheVip) {
  plug_vip();
  const std::string body =
      network_body(kVipMac, "203.0.113.100").insert(1, R"("vip_net_info": {"vip": "198.51.100.20",
        "subnet_cidr": "198.51.100.0/24", "gateway": "198.51.100.254",
        "mac_address": "02:00:00:00:00:01", "vrrp_ip": "198.51.100.21"},)");
  EXPECT_EQ(test::await(plugging_->plug_network(body)).details, "Updated existing interface eth1");
  ASSERT_THAT(network_.layout.interfaces, SizeIs(1));
  EXPECT_EQ(network_.layout.vips.size(), 1u) << "the body had no additional VIP any more";
  EXPECT_THAT(network_.layout.interfaces[0].addresses,
              ElementsAre(prefix("198.51.100.21/24"), prefix("203.0.113.100/24")));
}

TEST_F(PluggingTest, WhatIsNotThereIsLookedForAndAskedForAgain) {
  network_.now.outside.clear();
  EXPECT_EQ(plug_vip(), kNotFound);
  EXPECT_EQ(plug(kMac2), kNotFound);
  EXPECT_EQ(network_.rescans, 2);
  EXPECT_EQ(file("plugged_interfaces"), "");
}

TEST_F(PluggingTest, BadBodiesChangeNothing) {
  EXPECT_EQ(test::await(plugging_->plug_vip("x", kVipBody)).status, 400);
  EXPECT_EQ(test::await(plugging_->plug_network("{")).status, 400);
  EXPECT_EQ(file("plugged_interfaces"), "");
  EXPECT_EQ(network_.now.outside.size(), 4u);
}

TEST_F(PluggingTest, ASecondVipPortIsRefused) {
  plug_vip();
  std::string body = kVipBody;
  body.replace(body.find(kVipMac), sizeof(kVipMac) - 1, kMac2);
  const Answer answer = test::await(plugging_->plug_vip(kVip, body));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.details, "eth1 is that of 02:00:00:00:00:01 already");
}

TEST_F(PluggingTest, ARouteThatIsRefusedIsForTheLog) {
  network_.refuses = "add route default via 198.51.100.254 dev eth1: Network is unreachable";
  EXPECT_EQ(plug_vip().status, 202);
}

TEST_F(PluggingTest, AnInterfaceThatDoesNotComeIsAnError) {
  network_.vanishes = true;
  EXPECT_EQ(plug_vip(), (Answer{.status = 500,
                                .message = "Error plugging VIP",
                                .details = "eth1 did not come up with its addresses"}));
  network_.vanishes = true;
  network_.refuses = "move ens8 into the namespace as eth2: No such device";
  EXPECT_EQ(plug(kMac2).details, network_.refuses);
}

TEST_F(PluggingTest, TheNextStartHasTheSameLayout) {
  plug_vip();
  plug(kMac2);
  const netns::LayoutSpec before = plugging_->layout();
  start();
  EXPECT_EQ(plugging_->layout(), before);
  EXPECT_NE(file("interfaces/lo.json"), "");
}

// Whichever call fails, the same request sent again arrives. The third looks what has come of it.
TEST_F(PluggingTest, AnyCallMayFail) {
  const PlugNetwork::Nics fresh = network_.now;
  for (int n = 0; n < 3; ++n) {
    network_.now = fresh;
    std::filesystem::remove_all(folder_);
    start();
    network_.fail_at = n;
    const Answer answer = plug_vip();
    EXPECT_EQ(answer.status, 500) << n;
    EXPECT_EQ(answer.message, "Error plugging VIP");
    EXPECT_NE(answer.details, "");
    // After the third it is there, whether we saw it or not.
    EXPECT_EQ(plug_vip().status, n < 2 ? 202 : 409);
    network_.fail_at = n;
    EXPECT_EQ(plug(kMac2).message, "Error plugging network");
    EXPECT_EQ(plug(kMac2).status, 202);
    network_.fail_at = -1;
  }
  network_.now.outside.clear();
  network_.fail_at = 1;
  EXPECT_EQ(plug(kMac3).status, 500) << "the rescan failed";
}

TEST_F(PluggingTest, WhatCannotBeWrittenIsForgotten) {
  plug_vip();
  const netns::LayoutSpec before = plugging_->layout();
  fail_writing_ = true;
  EXPECT_EQ(plug(kMac2).status, 500);
  EXPECT_EQ(plugging_->layout(), before);
  EXPECT_EQ(test::await(plugging_->put_rules("eth1", "[]")).status, 500);
  EXPECT_EQ(plugging_->plugs().rules, std::nullopt);
  fail_writing_ = false;
  EXPECT_EQ(plug(kMac2).status, 202);
}

TEST_F(PluggingTest, FilesThatCannotBeReadAreLeftOutAndNamed) {
  plug_vip();
  ASSERT_TRUE(base::write_file(folder_ + "/interfaces/eth2.json", "{", 0644));
  ASSERT_TRUE(base::write_file(folder_ + "/interfaces/eth3.json", R"({"name": "eth1"})", 0644));
  auto loaded = store().load();
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->unreadable,
              testing::UnorderedElementsAre(
                  folder_ + "/interfaces/eth2.json: is no JSON",
                  folder_ + "/interfaces/eth3.json: is of another interface, eth1"));
  EXPECT_EQ(loaded->plugs, plugging_->plugs());
}

// An amphora that did not start could not even be sent others.
TEST_F(PluggingTest, RulesThatCannotBeReadLetNobodyIn) {
  plug_vip();
  ASSERT_TRUE(base::write_file(folder_ + "/vip-rules.json", "{", 0600));
  auto loaded = store().load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->plugs.rules, std::vector<VipRule>());
  EXPECT_EQ(loaded->plugs.files, plugging_->plugs().files);
  EXPECT_THAT(
      loaded->unreadable,
      testing::ElementsAre(folder_ + "/vip-rules.json: is no list of rules: nobody is let in"));
}

TEST_F(PluggingTest, RulesAreKeptAndEnforced) {
  const std::string body = R"([{"protocol": "TCP", "cidr": "192.0.2.0/24", "port": 80}])";
  EXPECT_EQ(test::await(plugging_->put_rules("eth1", body)),
            (Answer{.status = 200, .message = "OK"}));
  ASSERT_TRUE(network_.rules);
  EXPECT_THAT(*network_.rules, SizeIs(1));
  start();
  EXPECT_EQ(plugging_->plugs().rules, network_.rules);
  // Nothing means what there was.
  EXPECT_EQ(test::await(plugging_->put_rules("eth1", "[]")).status, 200);
  EXPECT_THAT(*network_.rules, SizeIs(1));
  EXPECT_EQ(test::await(plugging_->put_rules("eth1", "{}")).status, 400);
  network_.fail_at = 0;
  EXPECT_EQ(test::await(plugging_->put_rules("eth1", body)).status, 500);
}

TEST_F(PluggingTest, NoRulesBeforeAnyLetNobodyIn) {
  EXPECT_EQ(test::await(plugging_->put_rules("eth1", "[]")).status, 200);
  start();
  EXPECT_THAT(plugging_->plugs().rules, testing::Optional(IsEmpty()));
}

TEST_F(PluggingTest, WhoHasAnAddressIsWhatTheKernelSays) {
  network_.now.inside = {{7, "eth1", mac(kVipMac), {prefix("198.51.100.20/32")}, 10, 20}};
  EXPECT_EQ(*test::await(plugging_->interface_of(prefix("198.51.100.20").address)), "eth1");
  EXPECT_EQ(*test::await(plugging_->interface_of(prefix("198.51.100.21").address)), std::nullopt);
  EXPECT_THAT(*test::await(plugging_->traffic()), ElementsAre(InterfaceTraffic{"eth1", 10, 20}));
  network_.fail_at = 0;
  EXPECT_FALSE(test::await(plugging_->interface_of(prefix("198.51.100.20").address)));
}

}  // namespace
}  // namespace octavia
