#include "agent/control/cloud_stubs.h"

#include <gtest/gtest.h>

#include "agent/model/limits.h"
#include "tests/unit/control/fakes.h"

namespace control::testing {
namespace {

using nlohmann::json;

TEST(CloudStubs, ThereIsOneProvider) {
  FakeAgent agent;
  const json providers = agent.get(kBase + "/providers")["providers"];
  ASSERT_EQ(providers.size(), 1u);
  EXPECT_EQ(providers[0]["name"], "amphora-xdp");
  for (const std::string what : {"flavor_capabilities", "availability_zone_capabilities"}) {
    EXPECT_EQ(agent.get(kBase + "/providers/amphora-xdp/" + what)[what].size(), 3u);
    EXPECT_EQ(agent.get(kBase + "/providers/other/" + what, 400)["faultstring"],
              "Provider 'other' is not enabled.");
  }
}

TEST(CloudStubs, ThereAreNoAmphorae) {
  FakeAgent agent;
  const std::string path = "/v2.0/octavia/amphorae";
  EXPECT_TRUE(agent.get(path).at("amphorae").empty());
  EXPECT_TRUE(agent.get(path).at("amphorae_links").empty());
  EXPECT_EQ(agent.get(path + "/" + kNobody, 404)["faultstring"],
            "Amphora " + kNobody + " not found.");
  EXPECT_EQ(agent.ask("DELETE", path + "/" + kNobody)->status, 404);
}

TEST(Catalog, IsKeptAndShownAsInOctavia) {
  FakeAgent agent;
  const json profile = parsed(agent.ask(
      "POST", kBase + "/flavorprofiles",
      json{{"flavorprofile", {{"name", "p"}, {"provider_name", "amphora"}, {"flavor_data", "{}"}}}}
          .dump()))["flavorprofile"];
  const auto made =
      agent.ask("POST", kBase + "/flavors",
                json{{"flavor", {{"name", "f"}, {"flavor_profile_id", profile["id"]}}}}.dump());
  EXPECT_EQ(made->status, 201);
  const std::string flavor = kBase + "/flavors/" + parsed(made)["flavor"]["id"].get<std::string>();
  EXPECT_EQ(agent.get(flavor)["flavor"], parsed(made)["flavor"]);
  EXPECT_EQ(agent.get(kBase + "/flavors?name=f&fields=name").dump(),
            R"({"flavors":[{"name":"f"}],"flavors_links":[]})");
  EXPECT_EQ(
      parsed(agent.ask("PUT", flavor, R"({"flavor": {"enabled": false}})"))["flavor"]["enabled"],
      false);
  EXPECT_EQ(agent.ask("DELETE", flavor)->status, 204);
  EXPECT_EQ(agent.get(flavor, 404)["faultcode"], "Client");
  for (const auto& [path, key, links] : std::vector<std::array<std::string, 3>>{
           {"/flavors", "flavors", "flavors_links"},
           {"/flavorprofiles", "flavorprofiles", "flavorprofile_links"},
           {"/availabilityzones", "availability_zones", "availability_zones_links"},
           {"/availabilityzoneprofiles", "availability_zone_profiles",
            "availability_zone_profile_links"}}) {
    const json list = agent.get(kBase + path);
    EXPECT_TRUE(list.contains(key)) << path;
    EXPECT_TRUE(list.contains(links)) << path;
    EXPECT_EQ(agent.get(kBase + path + "/" + kNobody, 404)["faultcode"], "Client");
  }
}

TEST(Catalog, HasQuotas) {
  FakeAgent agent;
  EXPECT_TRUE(agent.get(kBase + "/quotas")["quotas"].empty());
  for (const std::string path :
       {"/quotas/defaults", "/quotas/some-project", "/quotas/some-project/default"}) {
    const json quota = agent.get(kBase + path)["quota"];
    EXPECT_EQ(quota["listener"], model::kMostServices);
    EXPECT_EQ(quota["member"], model::kMostMembers);
    for (const char* key : {"load_balancer", "pool", "health_monitor", "l7policy", "l7rule"})
      EXPECT_EQ(quota.at(key), -1) << key;
  }
  const std::string quota = kBase + "/quotas/a-project";  // the fake's default
  const auto set = agent.ask("PUT", quota, R"({"quota": {"loadbalancer": 1}})");
  EXPECT_EQ(set->status, 202);
  EXPECT_EQ(parsed(set)["quota"]["load_balancer"], 1);
  EXPECT_EQ(agent.get(kBase + "/quotas")["quotas"][0]["project_id"], "a-project");
  agent.make(kBase + "/loadbalancers", web());
  const auto more = agent.ask("POST", kBase + "/loadbalancers",
                              R"({"loadbalancer": {"vip_address": "192.0.2.9"}})");
  EXPECT_EQ(more->status, 403);
  EXPECT_EQ(parsed(more)["faultstring"], "Quota has been met for resources: Load Balancer");
  EXPECT_EQ(agent.ask("DELETE", quota)->status, 202);
  EXPECT_EQ(agent.ask("DELETE", quota)->status, 404);
}

TEST(Failover, MakesEverythingAnew) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  const std::string path = kBase + "/loadbalancers/" + lb;
  const auto done = agent.ask("PUT", path + "/failover");
  EXPECT_EQ(done->status, 202);
  EXPECT_EQ(done->body, "");
  EXPECT_EQ(agent.machine.looks, 1);
  EXPECT_EQ(agent.get(path)["loadbalancer"]["provisioning_status"], "ACTIVE");
  agent.changes.finishes = FakeChanges::Finish::never;
  EXPECT_EQ(agent.ask("PUT", path + "/failover")->status, 202);
  EXPECT_EQ(parsed(agent.ask("PUT", path + "/failover"))["faultstring"],
            "Invalid state PENDING_UPDATE of loadbalancer resource " + lb);
  EXPECT_EQ(agent.machine.looks, 2);
  EXPECT_EQ(agent.ask("PUT", kBase + "/loadbalancers/" + kNobody + "/failover")->status, 404);
}

TEST(CloudStubs, ProjectsAreNobodysBusinessHere) {
  FakeAgent agent;
  EXPECT_EQ(agent.ask("GET", "/projects/p")->status, 403);
  EXPECT_EQ(agent.ask("GET", "/projects?name=p")->status, 403);
}

}  // namespace
}  // namespace control::testing
