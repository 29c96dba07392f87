#include "agent/control/router.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "agent/control/versions.h"

namespace control {
namespace {

using model::Kind;

const std::string kId = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const std::string kOther = "b3c1f3bf-0a62-43df-85cc-96228658aff9";

struct Expected {
  std::string method, target;
  Action action;
  Kind kind = Kind::load_balancer;
  std::string id = {}, parent = {};
};

std::string text(const base::Uuid& id) { return id.is_nil() ? "" : id.text(); }

class Routes : public ::testing::TestWithParam<Expected> {};

TEST_P(Routes, AreFound) {
  const Expected& want = GetParam();
  const auto routed = route(want.method, want.target, "{}");
  ASSERT_TRUE(std::holds_alternative<Call>(routed)) << std::get<NoRoute>(routed).fault.text;
  const Call& call = std::get<Call>(routed);
  EXPECT_EQ(call.action, want.action);
  EXPECT_EQ(call.kind, want.kind);
  EXPECT_EQ(text(call.id), want.id);
  EXPECT_EQ(text(call.parent), want.parent);
}

const std::string kBase = "/v2.0/lbaas";

INSTANTIATE_TEST_SUITE_P(
    Table, Routes,
    ::testing::Values(
        Expected{"GET", "/", Action::root_versions}, Expected{"GET", "/v2", Action::v2_document},
        Expected{"GET", "/v2.0/", Action::v2_document},
        Expected{"GET", "/v2/lbaas/", Action::v2_document},
        Expected{"GET", "/v2.0/octavia", Action::v2_document},
        Expected{"GET", kBase + "/loadbalancers", Action::list},
        Expected{"GET", "/v2.0/loadbalancers", Action::list},
        Expected{"GET", "/v2.0/loadbalancers.json?name=a.json", Action::list},
        Expected{"GET", "/v2/loadbalancers/" + kId + ".json", Action::show, Kind::load_balancer,
                 kId},
        Expected{"PUT", "/v2/pools/" + kId + "/members/" + kOther, Action::update, Kind::member,
                 kOther, kId},
        Expected{"GET", "/v2.0/quotas", Action::quotas},
        Expected{"GET", "/v2.0/quotas/defaults.json", Action::default_quota},
        Expected{"GET", "/v2.0/floatingips.json?port_id=x", Action::networks},
        Expected{"GET", "/v2.0/security-groups", Action::networks},
        Expected{"HEAD", "/v2/lbaas/loadbalancers/", Action::list},
        Expected{"POST", kBase + "/loadbalancers", Action::create},
        Expected{"GET", kBase + "/loadbalancers/" + kId, Action::show, Kind::load_balancer, kId},
        Expected{"PUT", kBase + "/loadbalancers/" + kId, Action::update, Kind::load_balancer, kId},
        Expected{"DELETE", kBase + "/loadbalancers/" + kId + "?cascade=true", Action::remove,
                 Kind::load_balancer, kId},
        Expected{"GET", kBase + "/loadbalancers/" + kId + "/status", Action::status_tree,
                 Kind::load_balancer, kId},
        Expected{"GET", kBase + "/loadbalancers/" + kId + "/statuses", Action::status_tree,
                 Kind::load_balancer, kId},
        Expected{"GET", kBase + "/loadbalancers/" + kId + "/stats", Action::load_balancer_stats,
                 Kind::load_balancer, kId},
        Expected{"GET", kBase + "/l7policies", Action::list, Kind::l7policy},
        Expected{"POST", kBase + "/l7policies", Action::create, Kind::l7policy},
        Expected{"PUT", kBase + "/l7policies/" + kId, Action::update, Kind::l7policy, kId},
        Expected{"DELETE", kBase + "/l7policies/" + kId, Action::remove, Kind::l7policy, kId},
        Expected{"GET", kBase + "/l7policies/" + kOther + "/rules", Action::list, Kind::l7rule, "",
                 kOther},
        Expected{"POST", kBase + "/l7policies/" + kOther + "/rules", Action::create, Kind::l7rule,
                 "", kOther},
        Expected{"GET", kBase + "/l7policies/" + kOther + "/rules/" + kId, Action::show,
                 Kind::l7rule, kId, kOther},
        Expected{"PUT", kBase + "/l7policies/" + kOther + "/rules/" + kId, Action::update,
                 Kind::l7rule, kId, kOther},
        Expected{"DELETE", kBase + "/l7policies/" + kOther + "/rules/" + kId, Action::remove,
                 Kind::l7rule, kId, kOther},
        Expected{"GET", kBase + "/quotas/defaults", Action::default_quota},
        Expected{"GET", kBase + "/quotas/p", Action::quota},
        Expected{"GET", kBase + "/listeners", Action::list, Kind::listener},
        Expected{"POST", kBase + "/listeners", Action::create, Kind::listener},
        Expected{"GET", kBase + "/listeners/" + kId, Action::show, Kind::listener, kId},
        Expected{"PUT", kBase + "/listeners/" + kId, Action::update, Kind::listener, kId},
        Expected{"DELETE", kBase + "/listeners/" + kId, Action::remove, Kind::listener, kId},
        Expected{"GET", kBase + "/listeners/" + kId + "/stats", Action::listener_stats,
                 Kind::listener, kId},
        Expected{"GET", kBase + "/pools", Action::list, Kind::pool},
        Expected{"POST", kBase + "/pools", Action::create, Kind::pool},
        Expected{"GET", kBase + "/pools/" + kId, Action::show, Kind::pool, kId},
        Expected{"PUT", kBase + "/pools/" + kId, Action::update, Kind::pool, kId},
        Expected{"DELETE", kBase + "/pools/" + kId, Action::remove, Kind::pool, kId},
        Expected{"GET", kBase + "/pools/" + kId + "/members", Action::list, Kind::member, "", kId},
        Expected{"POST", kBase + "/pools/" + kId + "/members", Action::create, Kind::member, "",
                 kId},
        Expected{"PUT", kBase + "/pools/" + kId + "/members?additive_only=true",
                 Action::replace_members, Kind::member, "", kId},
        Expected{"GET", kBase + "/pools/" + kId + "/members/" + kOther, Action::show, Kind::member,
                 kOther, kId},
        Expected{"PUT", kBase + "/pools/" + kId + "/members/" + kOther, Action::update,
                 Kind::member, kOther, kId},
        Expected{"DELETE", kBase + "/pools/" + kId + "/members/" + kOther, Action::remove,
                 Kind::member, kOther, kId},
        Expected{"GET", "/healthz", Action::health}, Expected{"GET", "/metrics", Action::metrics},
        Expected{"GET", "/v1/status", Action::status},
        Expected{"POST", "/v1/failover", Action::move_vips},
        Expected{"GET", "/v1/flows?limit=3", Action::flows},
        Expected{"GET", "/v1/verdicts", Action::verdicts}));

NoRoute refused(std::string_view method, std::string_view target, std::string_view body = "{}") {
  const auto routed = route(method, target, body);
  const auto* refusal = std::get_if<NoRoute>(&routed);
  return refusal != nullptr ? *refusal : NoRoute{{200, "routed"}, ""};
}

TEST(Route, AnUnknownPathIsNotFound) {
  for (const char* target :
       {"/v3", "/v2/lbaas/lbaas", "/lbaas/pools", "/v2/lbaas/amphorae", "/v1/status/more", "/v1",
        "/v2/lbaas/pools/members/x/y/z", "/%7Bpool%7D"})
    EXPECT_EQ(refused("GET", target).fault.status, 404) << target;
}

TEST(Route, TextThatIsNoIdNamesNothing) {
  EXPECT_EQ(refused("GET", "/v2/lbaas/loadbalancers/bogus").fault.text,
            "Load Balancer bogus not found.");
  EXPECT_EQ(refused("PUT", "/v2/lbaas/pools/bogus/members").fault.text, "Pool bogus not found.");
  EXPECT_EQ(refused("GET", "/v2/lbaas/pools/" + kId + "/members/x").fault.text,
            "Member x not found.");
  EXPECT_EQ(refused("GET", "/v2/lbaas/listeners/00000000-0000-0000-0000-000000000000").fault.status,
            404);
}

TEST(Route, AMethodThatIsNotThereIsNotAllowed) {
  EXPECT_EQ(refused("DELETE", "/v2/lbaas/pools").fault.status, 405);
  EXPECT_EQ(refused("DELETE", "/v2/lbaas/pools").allow, "GET, HEAD, POST");
  EXPECT_EQ(refused("PATCH", "/v2/lbaas/pools/" + kId).allow, "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(refused("POST", "/v1/flows").allow, "GET, HEAD");
  EXPECT_EQ(refused("get", "/v1/flows").fault.status, 405);
}

TEST(Route, ABodyMustBeAnObject) {
  EXPECT_EQ(refused("POST", "/v2/lbaas/pools", "{").fault.status, 400);
  EXPECT_EQ(refused("POST", "/v2/lbaas/pools", "[]").fault.status, 500);
  EXPECT_EQ(refused("GET", "/v2/lbaas/pools", "{").fault.text, "routed");
}

TEST(Route, ATargetMustBeOne) { EXPECT_EQ(refused("GET", "/%zz").fault.status, 400); }

TEST(Versions, HaveOneThatIsCurrent) {
  const auto document = root_versions("http://lb:9876");
  int current = 0;
  for (const auto& version : document.at("versions")) {
    EXPECT_EQ(version.at("links").at(0).at("href"), "http://lb:9876/v2");
    EXPECT_EQ(version.at("links").at(0).at("rel"), "self");
    if (version.at("status") == "CURRENT") ++current;
  }
  EXPECT_EQ(current, 1);
  EXPECT_EQ(document.at("versions").size(), 27u);
}

}  // namespace
}  // namespace control
