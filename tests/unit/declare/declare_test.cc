// From a file and what is there to requests; and the requests, sent, lead to the file.
#include "tests/unit/declare/declared.h"

namespace model {
namespace {

json listener(const char* protocol, int port, json more = json::object()) {
  more["protocol"] = protocol;
  more["protocol_port"] = port;
  return more;
}
json member(const char* address, json more = json::object()) {
  more["address"] = address;
  more["protocol_port"] = 8080;
  return more;
}

// As House is.
json file() {
  return json::parse(R"({"loadbalancer": {"name": "web", "vip_address": "203.0.113.10",
      "listeners": [{"name": "front", "protocol": "TCP", "protocol_port": 80,
                     "default_pool": {"name": "back"}}],
      "pools": [{"name": "back", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
                 "members": [{"address": "192.0.2.11", "protocol_port": 8080}]}]}})");
}

struct Declare : Declared {
  Declare() : Declared(file()) {}
};

TEST_F(Declare, NothingToDo) { EXPECT_TRUE(requests().empty()); }

TEST_F(Declare, CreatesInOneRequest) {
  h.model = Model{};
  auto all = requests();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].method, "POST");
  EXPECT_EQ(all[0].path, "/v2/lbaas/loadbalancers");
  EXPECT_EQ(all[0].body, wanted);
  EXPECT_THAT(all[0].changes,
              ::testing::ElementsAre(
                  "create load balancer web at 203.0.113.10 with 1 listener, 1 pool, 1 member"));
  apply();
}

TEST_F(Declare, ChangesOneMember) {
  lb["pools"][0]["members"][0]["weight"] = 5;
  auto all = requests();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].method, "PUT");
  EXPECT_EQ(all[0].path, "/v2/lbaas/pools/" + h.pool.text() + "/members/" + h.member.text());
  EXPECT_EQ(all[0].body, json({{"member", {{"weight", 5}}}}));
  EXPECT_THAT(
      all[0].changes,
      ::testing::ElementsAre("change weight of member 192.0.2.11:8080 of pool back from 1 to 5"));
  apply();
}

TEST_F(Declare, ChangesSeveralMembersAtOnce) {
  lb["pools"][0]["members"] = {member("192.0.2.12", {{"weight", 3}}), member("192.0.2.13")};
  auto all = requests();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].path, "/v2/lbaas/pools/" + h.pool.text() + "/members");
  EXPECT_EQ(all[0].body["members"].size(), 2u);
  EXPECT_THAT(all[0].changes, ::testing::ElementsAre("create member 192.0.2.12:8080 of pool back",
                                                     "create member 192.0.2.13:8080 of pool back",
                                                     "delete member 192.0.2.11:8080 of pool back"));
  apply();
}

TEST_F(Declare, WhatIsNotSaidGoesToItsDefault) {
  h.model = settled(accepted(h.change(Kind::listener, {{"connection_limit", 5}})).model);
  h.model = settled(
      accepted(h.change(Kind::load_balancer, {{"description", "d"}, {"admin_state_up", false}}))
          .model);
  EXPECT_THAT(changes(), ::testing::ElementsAre(
                             "change admin_state_up of load balancer web from false to true",
                             "change description of load balancer web from d to \"\"",
                             "change connection_limit of listener TCP 80 from 5 to -1"));
  apply();
}

TEST_F(Declare, WhatIsNotNamedGoes) {
  lb["listeners"] = json::array();
  lb["pools"] = json::array();
  EXPECT_THAT(changes(), ::testing::ElementsAre("delete listener TCP 80", "delete pool back"));
  apply();
  EXPECT_TRUE(h.model.members.empty());
}

TEST_F(Declare, MovesAListenerToANewPool) {
  lb["listeners"][0]["default_pool"] = {{"name", "new"}};
  lb["pools"].push_back({{"name", "new"},
                         {"protocol", "TCP"},
                         {"lb_algorithm", "SOURCE_IP"},
                         {"members", {member("192.0.2.21"), member("192.0.2.22")}}});
  EXPECT_THAT(changes(),
              ::testing::ElementsAre("create pool new", "create member 192.0.2.21:8080 of pool new",
                                     "create member 192.0.2.22:8080 of pool new",
                                     "change default pool of listener TCP 80 to new"));
  apply();
}

TEST_F(Declare, TakesThePoolFromAListener) {
  lb["listeners"][0].erase("default_pool");
  EXPECT_THAT(changes(), ::testing::ElementsAre("change default pool of listener TCP 80 to none"));
  apply();
}

TEST_F(Declare, MakesAnewWhatCannotBeChanged) {
  lb["listeners"][0]["protocol"] = "HTTPS";
  lb["pools"][0]["protocol"] = "HTTPS";
  EXPECT_THAT(changes(), ::testing::ElementsAre("delete listener TCP 80", "create pool back",
                                                "create member 192.0.2.11:8080 of pool back",
                                                "create listener HTTPS 80", "delete pool back"));
  apply();
}

TEST_F(Declare, UdpAndTcpOnOnePortAreTwoListeners) {
  lb["listeners"].push_back(listener("UDP", 80, {{"default_pool", {{"name", "dns"}}}}));
  lb["pools"].push_back({{"name", "dns"}, {"protocol", "UDP"}, {"lb_algorithm", "SOURCE_IP_PORT"}});
  EXPECT_THAT(changes(), ::testing::ElementsAre("create pool dns", "create listener UDP 80"));
  apply();
}

TEST_F(Declare, FindsByIdAndRenames) {
  lb["id"] = h.lb.text();
  lb["name"] = "other";
  EXPECT_THAT(changes(),
              ::testing::ElementsAre("change name of load balancer web from web to other"));
  apply();
  lb["id"] = h.pool.text();
  EXPECT_EQ(error(), "loadbalancer.id: no load balancer has the id " + h.pool.text());
}

TEST_F(Declare, RefusesWhatCannotBeChanged) {
  lb["vip_address"] = "203.0.113.11";
  EXPECT_THAT(error(), ::testing::StartsWith(
                           "loadbalancer.vip_address: is 203.0.113.10 on load balancer web"));
}

TEST_F(Declare, NamesThePlaceOfAMistake) {
  lb["pools"][0]["members"].push_back(member("192.0.2.12", {{"weight", 300}}));
  EXPECT_EQ(error(),
            "loadbalancer.pools[0].members[1]: Invalid input for field/attribute weight. Value: "
            "'300'. Value should be lower or equal to 256");
  wanted = json::array();
  EXPECT_EQ(error(), "'list' object has no attribute 'keys'");
}

TEST_F(Declare, MustKnowWhichOneIsMeant) {
  lb.erase("name");
  EXPECT_THAT(error(), ::testing::StartsWith("loadbalancer.name: is missing"));
  lb["name"] = "web";
  auto twin =
      accepted(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.11"}, {"name", "web"}}));
  h.model = settled(twin.model);
  EXPECT_THAT(error(), ::testing::StartsWith("loadbalancer.name: two load balancers"));
}

TEST_F(Declare, SurvivesAPresentStateOfAnotherShape) {
  for (const json& odd : {json(5), json{5}, json::array({{{"name", "web"}}}),
                          json{{{"name", "web"}, {"id", "x"}, {"pools", 5}}}}) {
    auto result = declare(wanted, odd);
    if (!result) {
      EXPECT_THAT(result.error().message(),
                  ::testing::AnyOf(::testing::StartsWith("the present state"),
                                   ::testing::StartsWith("loadbalancer.vip_address: is none")));
    }
  }
}

TEST(Resolve, NeedsEveryId) {
  ApiRequest request{
      "PUT", "/v2/lbaas/pools/<pool a>/members", {{"members", json::array()}}, "", {}};
  EXPECT_FALSE(resolve(request, {}));
  EXPECT_EQ(resolve(request, {{"<pool a>", "17"}})->path, "/v2/lbaas/pools/17/members");
}

}  // namespace
}  // namespace model
