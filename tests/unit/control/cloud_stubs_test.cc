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
    EXPECT_TRUE(agent.get(kBase + "/providers/amphora-xdp/" + what)[what].empty());
    EXPECT_EQ(agent.get(kBase + "/providers/other/" + what, 501)["faultstring"],
              "Provider 'other' was not found.");
  }
}

TEST(CloudStubs, ListsOfWhatIsNotThereAreEmpty) {
  FakeAgent agent;
  const std::vector<std::array<std::string, 3>> lists{
      {kBase + "/flavors", "flavors", "Flavor"},
      {kBase + "/flavorprofiles", "flavorprofiles", "Flavor Profile"},
      {kBase + "/availabilityzones", "availability_zones", "Availability Zone"},
      {kBase + "/availabilityzoneprofiles", "availability_zone_profiles",
       "Availability Zone Profile"},
      {"/v2.0/octavia/amphorae", "amphorae", "Amphora"}};
  for (const auto& [path, key, noun] : lists) {
    const json body = agent.get(path);
    EXPECT_TRUE(body.at(key).empty());
    EXPECT_TRUE(body.at(key + "_links").empty());
    EXPECT_EQ(agent.get(path + "/" + kNobody, 404)["faultstring"],
              noun + " " + kNobody + " not found.");
    EXPECT_EQ(agent.ask("DELETE", path + "/" + kNobody)->status, 404);
    if (noun == "Amphora") continue;
    const auto refused = agent.ask("POST", path, "{}");
    EXPECT_EQ(refused->status, 403);
    EXPECT_EQ(json::parse(refused->body)["faultstring"],
              "Policy does not allow this request to be performed.");
  }
}

TEST(CloudStubs, QuotasAreWhatTheMachineCarriesOut) {
  FakeAgent agent;
  EXPECT_TRUE(agent.get(kBase + "/quotas")["quotas"].empty());
  for (const std::string path : {"/quotas/defaults", "/quotas/some-project"}) {
    const json quota = agent.get(kBase + path)["quota"];
    EXPECT_EQ(quota["listener"], model::kMostServices);
    EXPECT_EQ(quota["member"], model::kMostMembers);
    for (const char* key : {"load_balancer", "pool", "health_monitor", "l7policy", "l7rule"})
      EXPECT_EQ(quota.at(key), -1) << key;
  }
  EXPECT_EQ(agent.ask("PUT", kBase + "/quotas/p", R"({"quota": {"pool": 1}})")->status, 403);
  EXPECT_EQ(agent.ask("DELETE", kBase + "/quotas/p")->status, 403);
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
