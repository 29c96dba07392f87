// Bodies of plug/vip and plug/network, and the interface files that come of them: those that stock
// agents wrote are in samples/interfaces-*.
#include "agent/octavia/plug_body.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/addresses.h"

namespace octavia {
namespace {

using base::IpAddress;
using base::IpPrefix;

using testing::ElementsAre;

using test::ip;
using test::prefix;
using testing::IsEmpty;

// What the samples come from.
constexpr char kSampleVip[] = "203.0.113.10";
constexpr char kSampleVipBody[] = R"({
  "subnet_cidr": "203.0.113.0/24", "gateway": "203.0.113.1", "mac_address": "FA:16:3e:aa:00:01",
  "vrrp_ip": "203.0.113.21", "mtu": 1450,
  "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "203.0.113.5"}],
  "additional_vips": [{"ip_address": "2001:db8::10", "subnet_cidr": "2001:db8::/64",
                       "gateway": "2001:db8::1", "host_routes": []}]})";
constexpr char kVipNetBody[] = R"({
  "mac_address": "fa:16:3e:aa:00:01", "mtu": 1450,
  "fixed_ips": [
    {"ip_address": "203.0.113.21", "subnet_cidr": "203.0.113.0/24", "gateway": "203.0.113.1",
     "host_routes": []},
    {"ip_address": "203.0.114.9", "subnet_cidr": "203.0.114.0/24", "gateway": null,
     "host_routes": []}],
  "vip_net_info": {
    "vip": "203.0.113.10", "subnet_cidr": "203.0.113.0/24", "gateway": "203.0.113.1",
    "mac_address": "fa:16:3e:aa:00:01", "vrrp_ip": "203.0.113.21", "mtu": 1450,
    "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "203.0.113.5"}],
    "additional_vips": [{"ip_address": "2001:db8::10", "subnet_cidr": "2001:db8::/64",
                         "gateway": "2001:db8::1", "host_routes": []}]}})";
constexpr char kNetworkBody[] = R"({
  "mac_address": "fa:16:3e:aa:00:02", "mtu": 1450,
  "fixed_ips": [
    {"ip_address": "192.0.2.5", "subnet_cidr": "192.0.2.0/24", "gateway": "192.0.2.1",
     "host_routes": [{"destination": "198.51.100.128/25", "nexthop": "192.0.2.9"}]},
    {"ip_address": "192.0.3.5", "subnet_cidr": "192.0.3.0/24", "gateway": "192.0.3.1",
     "host_routes": []}]})";

VipBody vip_body(const char* vip, const char* text) {
  auto read = read_vip_body(vip, text);
  EXPECT_TRUE(std::holds_alternative<VipBody>(read)) << std::get<Answer>(read).message;
  return std::get<VipBody>(read);
}

NetworkBody network_body(const char* text) {
  auto read = read_network_body(text);
  EXPECT_TRUE(std::holds_alternative<NetworkBody>(read)) << std::get<Answer>(read).message;
  return std::get<NetworkBody>(read);
}

InterfaceFile sample(const std::string& topology, const std::string& name) {
  const std::string path =
      std::string(OCTAVIA_SAMPLES) + "/interfaces-" + topology + "/" + name + ".json";
  const auto text = base::read_file(path);
  EXPECT_TRUE(text) << path;
  auto file = parse_interface_file(*text, path);
  EXPECT_TRUE(file) << file.error().message();
  return *file;
}

struct Sampled {
  const char* folder;
  Topology topology;
};

class Samples : public testing::TestWithParam<Sampled> {};

TEST_P(Samples, PluggingTheVip) {
  EXPECT_EQ(vip_interface("eth1", vip_body(kSampleVip, kSampleVipBody), {}, GetParam().topology),
            sample(GetParam().folder, "eth1"));
}

TEST_P(Samples, PluggingMembersOnTheNetworkOfTheVip) {
  const NetworkBody body = network_body(kVipNetBody);
  EXPECT_EQ(vip_interface("eth1", *body.vip_net_info, body.fixed_ips, GetParam().topology),
            sample(GetParam().folder, "eth1-after-vip-net-info"));
}

TEST_P(Samples, PluggingANetworkOfMembers) {
  EXPECT_EQ(network_interface("eth2", network_body(kNetworkBody)),
            sample(GetParam().folder, "eth2"));
}

TEST_P(Samples, TheLoopback) { EXPECT_EQ(loopback_file(), sample(GetParam().folder, "lo")); }

INSTANTIATE_TEST_SUITE_P(Topologies, Samples,
                         testing::Values(Sampled{"single", Topology::single},
                                         Sampled{"active-standby", Topology::active_standby}),
                         [](const auto& sampled) {
                           return std::string(sampled.param.folder).substr(0, 6);
                         });

TEST(VipBodies, NoBaseAddressMeansDhcpAndRouters) {
  const InterfaceFile file =
      vip_interface("eth1", vip_body("2001:db8::10", R"({"subnet_cidr": "2001:db8::/64",
        "gateway": null, "mac_address": "02:00:00:00:00:01",
        "additional_vips": [{"ip_address": "192.0.2.10", "subnet_cidr": "192.0.2.0/24"}]})"),
                    {}, Topology::single);
  EXPECT_TRUE(file.dhcp);
  EXPECT_TRUE(file.ipv6auto);
  EXPECT_THAT(file.addresses, IsEmpty());
  EXPECT_THAT(file.routes, ElementsAre(netns::RouteSpec{.destination = prefix("2001:db8::/64")},
                                       netns::RouteSpec{.destination = prefix("2001:db8::/64"),
                                                        .prefsrc = ip("2001:db8::10"),
                                                        .table = 1},
                                       netns::RouteSpec{.destination = prefix("192.0.2.0/24")},
                                       netns::RouteSpec{.destination = prefix("192.0.2.0/24"),
                                                        .prefsrc = ip("192.0.2.10"),
                                                        .table = 1}));
}

TEST(VipBodies, WhatNewerControllersSayIsKept) {
  std::string text = kSampleVipBody;
  text.insert(1, R"("is_sriov": true, "later": {"unknown": 1},)");
  const InterfaceFile file =
      vip_interface("eth1", vip_body(kSampleVip, text.c_str()), {}, Topology::single);
  EXPECT_EQ(file.is_sriov, true);
  EXPECT_EQ(file.type, InterfaceType::vip);
}

TEST(NetworkBodies, NoAddressesMeansDhcpAndRouters) {
  for (const char* text : {R"({"mac_address": "02:00:00:00:00:02"})",
                           R"({"mac_address": "02:00:00:00:00:02", "fixed_ips": []})",
                           R"({"mac_address": "02:00:00:00:00:02", "fixed_ips": null})"}) {
    const InterfaceFile file = network_interface("eth2", network_body(text));
    EXPECT_TRUE(file.dhcp && file.ipv6auto) << text;
  }
}

struct Bad {
  const char* vip;
  const char* body;
  const char* message;  // "": the generic answer
};

TEST(VipBodies, WhatIsWrongIsSaidAsAStockAgentSaysIt) {
  constexpr char kHead[] = R"("gateway": null, "mac_address": "02:00:00:00:00:01")";
  const Bad table[] = {
      {kSampleVip, "", ""},
      {kSampleVip, "[]", ""},
      {kSampleVip, R"({"gateway": null, "mac_address": "02:00:00:00:00:01"})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "mac_address": "02:00:00:00:00:01"})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "gateway": null})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "gateway": null, "mac_address": "eth0"})",
       ""},
      {kSampleVip, R"({"subnet_cidr": 24, @})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "mtu": "big", @})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "mtu": -1, @})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "vrrp_ip": 1, @})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "host_routes": [{}], @})", ""},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "additional_vips": [{}], @})", ""},
      {"203.0.113", R"({"subnet_cidr": "203.0.113.0/24", @})",
       "Invalid VIP: '203.0.113' is no IP address"},
      {"0.0.0.0", R"({"subnet_cidr": "203.0.113.0/24", @})",
       "Invalid VIP: '0.0.0.0' is no address of a host"},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.7/24", @})",
       "Invalid VIP: 203.0.113.7/24 has host bits set"},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/33", @})",
       "Invalid VIP: '203.0.113.0/33' is no subnet"},
      {kSampleVip, R"({"subnet_cidr": "2001:db8::/64", @})",
       "Invalid VIP: 203.0.113.10 is of another address family than its subnet"},
      {kSampleVip,
       R"({"subnet_cidr": "203.0.113.0/24", "additional_vips":
           [{"ip_address": "x; reboot", "subnet_cidr": "203.0.113.0/24"}], @})",
       "Invalid VIP: 'x; reboot' is no IP address"},
      {kSampleVip,
       R"({"subnet_cidr": "203.0.113.0/24",
           "host_routes": [{"destination": "::/0", "nexthop": "203.0.113.1"}], @})",
       "Invalid VIP: ::/0 is of another address family than its subnet"},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "vrrp_ip": "nobody", @})",
       "Invalid VRRP Address: 'nobody' is no IP address"},
      {kSampleVip, R"({"subnet_cidr": "203.0.113.0/24", "vrrp_ip": "2001:db8::1", @})",
       "Invalid VRRP Address: 2001:db8::1 is of another address family than its subnet"},
  };
  for (const Bad& bad : table) {
    std::string body = bad.body;
    if (const size_t at = body.find('@'); at != std::string::npos) body.replace(at, 1, kHead);
    auto read = read_vip_body(bad.vip, body);
    ASSERT_TRUE(std::holds_alternative<Answer>(read)) << body;
    const auto& answer = std::get<Answer>(read);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.message, bad.message) << body;
    EXPECT_EQ(answer.error, *bad.message == 0 ? "400 Bad Request: Invalid subnet information" : "")
        << body;
  }
}

TEST(NetworkBodies, WhatIsWrongIsSaidAsAStockAgentSaysIt) {
  constexpr char kGeneric[] = "400 Bad Request: Invalid port information";
  const struct {
    const char* body;
    const char* message;  // "": the generic answer
  } table[] = {
      {"{", ""},
      {R"({"fixed_ips": []})", ""},
      {R"({@, "fixed_ips": {}})", ""},
      {R"({@, "fixed_ips": [{"ip_address": "192.0.2.5"}]})", ""},
      {R"({@, "vip_net_info": []})", ""},
      {R"({@, "vip_net_info": {"subnet_cidr": "192.0.2.0/24", "gateway": null}})", ""},
      {R"({@, "fixed_ips": [{"ip_address": "eth2", "subnet_cidr": "192.0.2.0/24"}]})",
       "Invalid network port"},
      {R"({@, "fixed_ips": [{"ip_address": "192.0.2.5", "subnet_cidr": "192.0.2.5/24"}]})",
       "Invalid network port"},
      {R"({@, "vip_net_info": {"vip": "x", "subnet_cidr": "192.0.2.0/24", "gateway": null, @}})",
       "Invalid VIP: 'x' is no IP address"},
  };
  for (const auto& bad : table) {
    std::string body = bad.body;
    for (size_t at; (at = body.find('@')) != std::string::npos;)
      body.replace(at, 1, R"("mac_address": "02:00:00:00:00:02")");
    auto read = read_network_body(body);
    ASSERT_TRUE(std::holds_alternative<Answer>(read)) << body;
    const auto& answer = std::get<Answer>(read);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.message, bad.message) << body;
    EXPECT_EQ(answer.error, *bad.message == 0 ? kGeneric : "") << body;
  }
}

TEST(Exploded, AsAStockAgentWritesAddresses) {
  EXPECT_EQ(exploded(ip("2001:db8:100::55")), "2001:0db8:0100:0000:0000:0000:0000:0055");
  EXPECT_EQ(exploded(ip("198.51.100.20")), "198.51.100.20");
}

}  // namespace
}  // namespace octavia
