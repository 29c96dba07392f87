#include "agent/control/networks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/control/fakes.h"

namespace control::testing {
namespace {

using nlohmann::json;

ConnectedNetwork front() {
  return {"eth1",
          *base::MacAddress::parse("02:00:00:00:00:01"),
          1500,
          {*base::IpPrefix::parse("198.51.100.2/24"), *base::IpPrefix::parse("198.51.100.10/32"),
           *base::IpPrefix::parse("2001:db8:100::2/64"), *base::IpPrefix::parse("fe80::1/64")}};
}

ConnectedNetwork back() {
  return {"eth2",
          *base::MacAddress::parse("02:00:00:00:00:02"),
          9000,
          {*base::IpPrefix::parse("203.0.113.2/24")}};
}

const model::Model kNoModel;
const Vips kNoVips{kNoModel, nullptr};

TEST(Networks, OfTheInterfacesArePrefixes) {
  const json networks = networks_json({front(), back()}, kNoVips, "networks", {})["networks"];
  const json subnets = networks_json({front(), back()}, kNoVips, "subnets", {})["subnets"];
  ASSERT_EQ(networks.size(), 2u);
  ASSERT_EQ(subnets.size(), 3u);
  EXPECT_EQ(networks[0]["name"], "eth1");
  EXPECT_EQ(networks[1]["mtu"], 9000);
  EXPECT_EQ(subnets[0]["cidr"], "198.51.100.0/24");
  EXPECT_EQ(subnets[0]["name"], "198.51.100.0/24");
  EXPECT_EQ(subnets[1]["cidr"], "2001:db8:100::/64");
  EXPECT_EQ(subnets[1]["ip_version"], 6);
  EXPECT_EQ(subnets[0]["network_id"], networks[0]["id"]);
  EXPECT_EQ(networks[0]["subnets"], json::array({subnets[0]["id"], subnets[1]["id"]}));
  const json port = networks_json({front()}, kNoVips, "ports", {})["ports"][0];
  EXPECT_EQ(port["mac_address"], "02:00:00:00:00:01");
  ASSERT_EQ(port["fixed_ips"].size(), 3u);  // with the VIP
  EXPECT_EQ(port["fixed_ips"][1],
            json({{"subnet_id", subnets[0]["id"]}, {"ip_address", "198.51.100.10"}}));
  EXPECT_TRUE(networks_json({front()}, kNoVips, "policies", {})["policies"].empty());
}

TEST(Networks, KeepTheirIds) {
  auto moved = front();
  moved.addresses[0] = *base::IpPrefix::parse("198.51.100.99/24");
  const json before = networks_json({front()}, kNoVips, "subnets", {})["subnets"];
  EXPECT_EQ(networks_json({back(), moved}, kNoVips, "subnets",
                          {{"name", "198.51.100.0/24"}})["subnets"][0]["id"],
            before[0]["id"]);
  EXPECT_NE(before[0]["id"], before[1]["id"]);
  const auto id = base::Uuid::parse(before[0]["id"].get<std::string>());
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->bytes[6] >> 4, 5);  // version
}

TEST(Networks, AreFoundByNameAndId) {
  const std::vector<ConnectedNetwork> all{front(), back()};
  const auto found = [&](const http::Parameters& query) {
    return networks_json(all, kNoVips, "subnets", query)["subnets"];
  };
  const json subnet = found({{"name", "203.0.113.0/24"}})[0];
  EXPECT_EQ(subnet["cidr"], "203.0.113.0/24");
  EXPECT_EQ(found({{"id", subnet["id"]}}), json::array({subnet}));
  EXPECT_TRUE(found({{"name", "nothing"}}).empty());
  EXPECT_EQ(found({{"ip_version", "4"}}).size(), 2u);
  EXPECT_EQ(found({{"name", "203.0.113.0/24"}, {"name", "198.51.100.0/24"}}).size(), 2u);
  EXPECT_EQ(found({{"name", "203.0.113.0/24"}, {"fields", "id"}})[0], json({{"id", subnet["id"]}}));
  EXPECT_EQ(network_json(all, kNoVips, "subnets", subnet["id"])["subnet"], subnet);
  EXPECT_TRUE(network_json(all, kNoVips, "subnets", "no-id").is_null());
}

// What cloud-provider-openstack and Ansible look up of a load balancer.
TEST(Networks, HaveThePortsOfVips) {
  FakeAgent agent;
  agent.machine.networks_ = {front()};
  const json subnet = agent.get("/v2.0/subnets?name=198.51.100.0/24")["subnets"][0];
  EXPECT_EQ(subnet["allocation_pools"],
            json::array({{{"start", "198.51.100.100"}, {"end", "198.51.100.101"}}}));
  const std::string id =
      agent.make(kBase + "/loadbalancers", {{"loadbalancer", {{"vip_subnet_id", subnet["id"]}}}});
  const json lb = agent.get(kBase + "/loadbalancers/" + id)["loadbalancer"];
  EXPECT_EQ(lb["vip_address"], "198.51.100.100");
  EXPECT_EQ(lb["vip_network_id"], subnet["network_id"]);
  const json port = agent.get("/v2.0/ports/" + lb["vip_port_id"].get<std::string>())["port"];
  EXPECT_EQ(port["device_id"], "lb-" + id);
  EXPECT_EQ(port["network_id"], subnet["network_id"]);
  EXPECT_EQ(port["fixed_ips"],
            json::array({{{"subnet_id", subnet["id"]}, {"ip_address", "198.51.100.100"}}}));
  EXPECT_EQ(agent.get("/v2.0/ports?device_owner=Octavia")["ports"].size(), 1u);
}

TEST(Networks, AreAnswered) {
  FakeAgent agent;
  agent.machine.networks_ = {front(), back()};
  for (const std::string version : {"/v2", "/v2.0"}) {
    const json found = agent.get(version + "/networks?name=eth2")["networks"];
    ASSERT_EQ(found.size(), 1u);
    const std::string id = found[0]["id"];
    EXPECT_EQ(agent.get(version + "/networks/" + id)["network"]["name"], "eth2");
  }
  EXPECT_TRUE(agent.get("/v2.0/qos/policies?name=x")["policies"].empty());
  for (const std::string noun : {"routers", "floatingips", "security-groups",
                                 "security-group-rules", "subnetpools", "extensions"}) {
    std::string key = noun;
    std::replace(key.begin(), key.end(), '-', '_');
    EXPECT_EQ(agent.get("/v2.0/" + noun + "?tenant_id=x").dump(),
              json({{key, json::array()}}).dump());
    EXPECT_EQ(agent.get("/v2.0/" + noun + "/x", 404)["NeutronError"]["type"], "NotFound");
  }
  EXPECT_EQ(agent.get("/v2.0/ports/none", 404)["NeutronError"]["message"],
            "ports: none could not be found.");
  EXPECT_EQ(agent.ask("POST", "/v2.0/networks", "{}")->status, 405);
}

}  // namespace
}  // namespace control::testing
