#include "agent/control/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <vector>

#include "agent/control/routes.h"
#include "tests/unit/control/fakes.h"

namespace control::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Api, TakesAWholeLoadBalancerThroughItsLife) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  EXPECT_EQ(agent.get(kBase + "/loadbalancers/" + lb)["loadbalancer"]["name"], "web");
  EXPECT_EQ(agent.get(kBase + "/loadbalancers/" + lb)["loadbalancer"]["provisioning_status"],
            "ACTIVE");
  const json listeners = agent.get(kBase + "/listeners")["listeners"];
  ASSERT_EQ(listeners.size(), 1u);
  const std::string listener = listeners[0]["id"], pool = listeners[0]["default_pool_id"];
  const std::string members = kBase + "/pools/" + pool + "/members";
  EXPECT_EQ(agent.get(members)["members"].size(), 2u);

  const std::string third =
      agent.make(members, {{"member", {{"address", "192.0.2.13"}, {"protocol_port", 8080}}}});
  EXPECT_EQ(agent.get(members + "/" + third)["member"]["weight"], 1);
  const auto weighted = agent.ask("PUT", members + "/" + third, R"({"member": {"weight": 0}})");
  EXPECT_EQ(weighted->status, 200);
  EXPECT_EQ(parsed(weighted)["member"]["weight"], 0);
  EXPECT_EQ(agent.ask("DELETE", members + "/" + third)->status, 204);
  agent.get(members + "/" + third, 404);

  EXPECT_EQ(
      agent.ask("PUT", kBase + "/listeners/" + listener, R"({"listener": {"name": "x"}})")->status,
      200);
  EXPECT_EQ(agent.ask("DELETE", kBase + "/loadbalancers/" + lb)->status, 400);
  const auto gone = agent.ask("DELETE", kBase + "/loadbalancers/" + lb + "?cascade=true");
  EXPECT_EQ(gone->status, 204);
  EXPECT_EQ(gone->body, "");
  EXPECT_TRUE(agent.get(kBase + "/pools")["pools"].empty());
}

// With ids of nobody; what is missing is said so, and no route is without a handler.
TEST(Api, EveryRouteIsAnswered) {
  FakeAgent agent;
  for (const Route& route : kRoutes) {
    std::string target;
    for (const char c : std::string(route.pattern)) {
      if (c == '{') target += kNobody;
      if (c != '{' && (target.empty() || !target.ends_with(kNobody) || c == '/')) target += c;
    }
    const auto answer = agent.ask(route.method, target, route.body == Body::none ? "" : "{}");
    ASSERT_TRUE(answer) << target;
    EXPECT_THAT(answer->body, Not(HasSubstr("Nothing answers this route"))) << target;
  }
}

TEST(Api, AnswersANestedCreateWithTheWholeTree) {
  FakeAgent agent;
  const auto answer = agent.ask("POST", kBase + "/loadbalancers", web().dump());
  EXPECT_EQ(answer->status, 201);
  const json lb = parsed(answer)["loadbalancer"];
  EXPECT_EQ(lb["provisioning_status"], "PENDING_CREATE");
  EXPECT_EQ(lb["listeners"][0]["name"], "front");
  EXPECT_EQ(lb["pools"][0]["members"].size(), 2u);
}

TEST(Api, ReplacesMembersAtOnce) {
  FakeAgent agent;
  agent.make(kBase + "/loadbalancers", web());
  const std::string pool = agent.get(kBase + "/pools")["pools"][0]["id"];
  const std::string members = kBase + "/pools/" + pool + "/members";
  const std::string one = R"({"members": [{"address": "192.0.2.99", "protocol_port": 1}]})";
  const auto added = agent.ask("PUT", members + "?additive_only=true", one);
  EXPECT_EQ(added->status, 202);
  EXPECT_EQ(added->body, "");
  EXPECT_EQ(agent.get(members)["members"].size(), 3u);
  EXPECT_EQ(agent.ask("PUT", members, one)->status, 202);
  EXPECT_EQ(agent.get(members)["members"].size(), 1u);
}

TEST(Api, LoadBalancersAreTheirProjects) {
  FakeAgent agent;
  const auto project_of = [&](const std::string& header, const json& attributes) {
    http::Request request{"POST",      kBase + "/loadbalancers",
                          "localhost", "http",
                          "",          json{{"loadbalancer", attributes}}.dump(),
                          header};
    std::string body;
    boost::asio::io_context loop;
    boost::asio::co_spawn(
        loop,
        [&]() -> boost::asio::awaitable<void> {
          const auto answer = co_await agent.api.handle(request);
          body = answer.body;
        },
        boost::asio::detached);
    loop.run();
    return json::parse(body).at("loadbalancer").at("project_id").get<std::string>();
  };
  EXPECT_EQ(project_of("", {{"vip_address", "192.0.2.1"}}), "a-project");  // the configuration's
  EXPECT_EQ(project_of("mine", {{"vip_address", "192.0.2.2"}, {"project_id", nullptr}}), "mine");
  EXPECT_EQ(project_of("mine", {{"vip_address", "192.0.2.3"}, {"project_id", "its"}}), "its");
  EXPECT_EQ(project_of("mine", {{"vip_address", "192.0.2.4"}, {"tenant_id", "its"}}), "its");
  EXPECT_EQ(agent.get(kBase + "/loadbalancers?project_id=its")["loadbalancers"].size(), 2u);
  EXPECT_EQ(agent.get(kBase + "/loadbalancers?project_id=none")["loadbalancers"].size(), 0u);
}

TEST(Api, SaysWhatIsNotThere) {
  FakeAgent agent;
  EXPECT_EQ(agent.get(kBase + "/loadbalancers/" + kNobody, 404),
            (json{{"faultcode", "Client"},
                  {"faultstring", "Load Balancer " + kNobody + " not found."},
                  {"debuginfo", nullptr}}));
  for (const char* path : {"/listeners/", "/pools/"}) agent.get(kBase + path + kNobody, 404);
  agent.get(kBase + "/pools/" + kNobody + "/members", 404);
  agent.get(kBase + "/loadbalancers/" + kNobody + "/status", 404);
  agent.get(kBase + "/loadbalancers/" + kNobody + "/stats", 404);
  agent.get(kBase + "/listeners/" + kNobody + "/stats", 404);
  EXPECT_EQ(agent.ask("DELETE", kBase + "/pools/" + kNobody)->status, 404);
  EXPECT_EQ(agent.ask("PUT", kBase + "/pools/" + kNobody, R"({"pool": {}})")->status, 404);
}

TEST(Api, AMemberIsFoundInItsOwnPoolOnly) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  const std::string pool = agent.get(kBase + "/pools")["pools"][0]["id"];
  const std::string other = agent.make(
      kBase + "/pools",
      {{"pool", {{"loadbalancer_id", lb}, {"protocol", "TCP"}, {"lb_algorithm", "ROUND_ROBIN"}}}});
  const std::string member = agent.get(kBase + "/pools/" + pool + "/members")["members"][0]["id"];
  agent.get(kBase + "/pools/" + other + "/members/" + member, 404);
  agent.get(kBase + "/pools/" + pool + "/members/" + member, 200);
}

TEST(Api, RefusesWithoutAChange) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  const int before = agent.changes.count;
  const json bad = {
      {"listener", {{"loadbalancer_id", lb}, {"protocol", "TCP"}, {"protocol_port", 99999}}}};
  const auto answer = agent.ask("POST", kBase + "/listeners", bad.dump());
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(parsed(answer)["faultstring"].get<std::string>(), HasSubstr("protocol_port"));
  EXPECT_EQ(agent.ask("POST", kBase + "/listeners", "{\"listener\"")->status, 400);
  EXPECT_EQ(agent.ask("POST", kBase + "/listeners", "[]")->status, 500);
  EXPECT_EQ(agent.get(kBase + "/listeners?bogus=1", 400)["faultstring"],
            "One or more arguments are either duplicate or invalid");
  EXPECT_EQ(agent.changes.count, before);
}

TEST(Api, StorageThatFailsIsTheServersFault) {
  FakeAgent agent;
  agent.changes.storage_fault = model::Fault{500, "write state: No space left on device"};
  const auto answer = agent.ask("POST", kBase + "/loadbalancers", web().dump());
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(parsed(answer)["faultcode"], "Server");
}

TEST(Api, NamesTheMethodsThereAre) {
  FakeAgent agent;
  const auto answer = agent.ask("DELETE", "/v1/status");
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->header("Allow"), "GET, HEAD");
}

TEST(Api, ListsAreFilteredAndLinked) {
  FakeAgent agent;
  agent.make(kBase + "/loadbalancers", web());
  const std::string pool = agent.get(kBase + "/pools")["pools"][0]["id"];
  const json page =
      agent.get("/v2/lbaas/pools/" + pool + "/members?limit=1&sort=address&fields=address");
  EXPECT_EQ(page["members"], json::parse(R"([{"address": "192.0.2.11"}])"));
  EXPECT_THAT(page["members_links"][0]["href"].get<std::string>(),
              HasSubstr("http://lb/v2/lbaas/pools/" + pool + "/members?limit=1"));
  EXPECT_EQ(agent.get("/v2/lbaas/pools/" + pool + "?fields=name")["pool"], (json{{"name", "app"}}));
}

TEST(Api, ShowsTheStatusTree) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  const json tree = agent.get(kBase + "/loadbalancers/" + lb + "/status");
  const json& listener = tree.at("statuses").at("loadbalancer").at("listeners").at(0);
  EXPECT_EQ(listener.at("name"), "front");
  EXPECT_EQ(listener.at("pools").at(0).at("members").at(1).at("protocol_port"), 8080);
  EXPECT_EQ(listener.at("pools").at(0).at("provisioning_status"), "ACTIVE");
}

TEST(Api, StatsOfALoadBalancerAreTheSumOfItsListeners) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  const std::string listener = agent.get(kBase + "/listeners")["listeners"][0]["id"];
  const auto row = [](const base::Uuid& id, uint64_t n) {
    return ServiceCounters{id, n, 10 * n, 100 * n, 1000 * n, 0};
  };
  agent.machine.counters_.services = {row(*base::Uuid::parse(listener), 3),
                                      row(*base::Uuid::parse(kNobody), 5)};
  const json want = {{"stats",
                      {{"active_connections", 3},
                       {"total_connections", 30},
                       {"bytes_in", 300},
                       {"bytes_out", 3000},
                       {"request_errors", 0}}}};
  EXPECT_EQ(agent.get(kBase + "/listeners/" + listener + "/stats"), want);
  EXPECT_EQ(agent.get(kBase + "/loadbalancers/" + lb + "/stats"), want);
}

TEST(Api, WritersAreServedOneAfterTheOther) {
  FakeAgent agent;
  agent.make(kBase + "/loadbalancers", web());
  const std::string pool = agent.get(kBase + "/pools")["pools"][0]["id"];
  std::vector<std::thread> writers;
  std::atomic<int> created = 0, conflicts = 0;
  for (int w = 0; w < 8; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; i < 10; ++i) {
        // Two writers want the same member: exactly one gets it.
        const json body = {
            {"member",
             {{"address", "192.0.2." + std::to_string(100 + w / 2)}, {"protocol_port", 1000 + i}}}};
        const auto answer = agent.ask("POST", kBase + "/pools/" + pool + "/members", body.dump());
        ++(answer && answer->status == 201 ? created : conflicts);
      }
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(created, 40);
  EXPECT_EQ(conflicts, 40);
  EXPECT_EQ(agent.get(kBase + "/pools/" + pool + "/members")["members"].size(), 42u);
}

TEST(Api, WhilePendingAChangeIsAConflict) {
  FakeAgent agent;
  agent.changes.finishes = FakeChanges::Finish::never;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  EXPECT_EQ(agent.ask("PUT", kBase + "/loadbalancers/" + lb, R"({"loadbalancer": {}})")->status,
            409);
}

TEST(Api, HealthIsThatOfTheLastReconcile) {
  FakeAgent agent;
  EXPECT_EQ(agent.get("/healthz")["status"], "ok");
  agent.machine.status_.reconcile.runs = 0;
  EXPECT_EQ(agent.get("/healthz", 503)["reason"], "nothing is set up yet");
  agent.machine.status_.reconcile.runs = 1;
  agent.machine.status_.reconcile.error = "put service: Permission denied";
  EXPECT_EQ(agent.get("/healthz", 503)["reason"], "put service: Permission denied");
}

TEST(Api, HealthIsThatOfThePacketsThatLeave) {
  FakeAgent agent;
  Attachment attachment{"eth1", 7, "native", "", 3};
  agent.machine.status_.attachments = {attachment};
  EXPECT_EQ(agent.get("/healthz")["status"], "ok");
  attachment.losing = "3 packets for interface eth1 were lost lately";
  agent.machine.status_.attachments = {attachment};
  EXPECT_EQ(agent.get("/healthz", 503)["reason"], attachment.losing);
}

TEST(Api, StatusTellsAboutTheMachine) {
  FakeAgent agent;
  const std::string lb = agent.make(kBase + "/loadbalancers", web());
  Status& status = agent.machine.status_;
  status.version = "0.1.0";
  status.abi = 1;
  status.attachments = {{"eth1", 7, "generic", "the driver has no XDP", 3, "checksums"},
                        {"eth2", 8, "native", ""}};
  status.flow_tables = {{base::Family::ipv4, 1000, 4096, 160, {{"open", 200}, {"closed", 50}}}};
  status.reconcile.problems = {{*base::Uuid::parse(lb), "no interface has the VIP's subnet"}};
  agent.machine.verdicts_.total = {
      {"established", "send", 5}, {"new_flow", "send", 1}, {"no_route", "drop", 2}};
  const json got = agent.get("/v1/status");
  EXPECT_EQ(got["interfaces"][0]["mode"], "generic");
  EXPECT_EQ(got["interfaces"][0]["reason"], "the driver has no XDP");
  EXPECT_EQ(got["interfaces"][0]["lost"], 3);
  EXPECT_EQ(got["interfaces"][0]["obstacle"], "checksums");
  EXPECT_TRUE(got["interfaces"][1]["obstacle"].is_null());
  EXPECT_EQ(got["flow_tables"][0]["live"], 250);
  EXPECT_EQ(got["flow_tables"][0]["pressure"], 0.25);
  EXPECT_EQ(got["packets"], (json{{"send", 6}, {"pass", 0}, {"drop", 2}}));
  EXPECT_EQ(got["reconcile"]["problems"][0]["resource"]["name"], "web");
  EXPECT_TRUE(got["reconcile"]["last"].is_null());
  agent.get("/v1/status?x=1", 400);
}

TEST(Api, StatusSaysWhoServesAListenerAndHowHaproxyIs) {
  FakeAgent agent;
  json got = agent.get("/v1/status");
  EXPECT_EQ(got["placements"], json::array());
  EXPECT_EQ(got["checks"], json::array());
  EXPECT_EQ(got["haproxy"], json::array());

  agent.make(kBase + "/loadbalancers", web());
  const auto& m = agent.changes.model();
  const base::Uuid listener = m.listeners.begin()->first, member = m.members.begin()->first;
  Status& status = agent.machine.status_;
  status.placements = {{listener, "haproxy", "pool app speaks PROXY"}};
  status.checks = {
      {member, "down", "HTTP 503, expected 200", std::chrono::microseconds(1500), noon()}};
  const base::Uuid lb = m.load_balancers.begin()->first;
  status.haproxy = {{lb, true, 1, 20, 3, "bad text"}};
  got = agent.get("/v1/status");
  EXPECT_EQ(got["placements"], json::array({{{"listener", listener.text()},
                                             {"placement", "haproxy"},
                                             {"reason", "pool app speaks PROXY"}}}));
  EXPECT_EQ(got["checks"], json::array({{{"member_id", member.text()},
                                         {"state", "down"},
                                         {"reason", "HTTP 503, expected 200"},
                                         {"latency_us", 1500},
                                         {"since", "2026-11-22T12:00:00Z"}}}));
  EXPECT_EQ(got["haproxy"], json::array({{{"loadbalancer_id", lb.text()},
                                          {"running", true},
                                          {"starts", 1},
                                          {"reloads", 20},
                                          {"restarts", 3},
                                          {"error", "bad text"}}}));
}

TEST(Api, StatusSaysWhatANodeOfAPairIs) {
  FakeAgent agent;
  EXPECT_TRUE(agent.get("/v1/status")["vrrp"].is_null());
  VrrpStatus vrrp;
  vrrp.role = "FAULT";
  vrrp.interface = "eth1";
  vrrp.priority = 90;
  vrrp.vips = {{*base::IpAddress::parse("203.0.113.10"), false}};
  vrrp.starts = 1;
  vrrp.restarts = 2;
  vrrp.unfit_because = {"the XDP program is not attached"};
  agent.machine.status_.vrrp = vrrp;
  EXPECT_EQ(
      agent.get("/v1/status")["vrrp"],
      (json{{"role", "FAULT"},
            {"interface", "eth1"},
            {"priority", 90},
            {"vips", json::array({{{"address", "203.0.113.10"}, {"here", false}}})},
            {"unfit_because", {"the XDP program is not attached"}},
            {"keepalived", {{"running", false}, {"starts", 1}, {"reloads", 0}, {"restarts", 2}}}}));
}

TEST(Api, FailoverSaysWhereTheVipsAreOrWhyTheyDidNotGo) {
  FakeAgent agent;
  const json refused = parsed(agent.ask("POST", "/v1/failover", "{}"));
  EXPECT_EQ(refused["faultstring"], "There is no pair.");
  agent.machine.moved_ =
      MovedVips{*base::IpAddress::parse("192.0.2.3"), std::chrono::milliseconds(640), 2};
  const auto moved = agent.ask("POST", "/v1/failover", "{}");
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->status, 200);
  EXPECT_EQ(parsed(moved)["failover"],
            (json{{"active", "192.0.2.3"}, {"took_ms", 640}, {"not_movable", 2}}));
  EXPECT_EQ(agent.ask("POST", "/v1/failover?now", "{}")->status, 400);
}

TEST(Api, VerdictsAreNamedByListener) {
  FakeAgent agent;
  agent.make(kBase + "/loadbalancers", web());
  const std::string listener = agent.get(kBase + "/listeners")["listeners"][0]["id"];
  agent.machine.verdicts_ = {{{"established", "send", 5}},
                             {{*base::Uuid::parse(listener), {{"established", "send", 4}}},
                              {*base::Uuid::parse(kNobody), {}}}};
  const json got = agent.get("/v1/verdicts");
  EXPECT_EQ(got["verdicts"][0],
            (json{{"verdict", "established"}, {"action", "send"}, {"packets", 5}}));
  EXPECT_EQ(got["listeners"][0]["listener_name"], "front");
  EXPECT_EQ(got["listeners"][0]["loadbalancer_name"], "web");
  EXPECT_TRUE(got["listeners"][1]["listener_name"].is_null());
}

}  // namespace
}  // namespace control::testing
