// The single-call create.
#include "tests/unit/model/house.h"

namespace model {
namespace {

json pool(const char* name) {
  return {{"name", name}, {"protocol", "TCP"}, {"lb_algorithm", "ROUND_ROBIN"}};
}
json listener(int port, json more = json::object()) {
  more["protocol"] = "TCP";
  more["protocol_port"] = port;
  return more;
}
Outcome<Edited> make(json attributes) {
  attributes["vip_address"] = "203.0.113.10";
  return create(Model{}, Kind::load_balancer, Uuid{}, {{"loadbalancer", attributes}}, kNow);
}

TEST(Tree, MakesEverythingPending) {
  json p = pool("p");
  p["members"] = {{{"address", "192.0.2.1"}, {"protocol_port", 1}},
                  {{"address", "192.0.2.2"}, {"protocol_port", 1}}};
  auto e = accepted(make({{"listeners", {listener(80, {{"default_pool", p}}), listener(81)}}}));
  json tree = show_tree(e.model, e.model.load_balancers.at(e.id));
  EXPECT_EQ(tree["provisioning_status"], "PENDING_CREATE");
  ASSERT_EQ(tree["listeners"].size(), 2u);
  ASSERT_EQ(tree["pools"].size(), 1u);
  EXPECT_EQ(tree["listeners"][0]["protocol_port"], 80);
  EXPECT_EQ(tree["listeners"][0]["default_pool_id"], tree["pools"][0]["id"]);
  EXPECT_EQ(tree["listeners"][1]["default_pool_id"], nullptr);
  EXPECT_EQ(tree["pools"][0]["members"][0]["address"], "192.0.2.1");
  EXPECT_EQ(tree["pools"][0]["members"][1]["address"], "192.0.2.2");
  for (const auto& [id, member] : e.model.members)
    EXPECT_EQ(member.provisioning_status, ProvisioningStatus::pending_create);
}

TEST(Tree, ReferencesPoolsByName) {
  auto e = accepted(make({{"listeners",
                           {listener(80, {{"default_pool", {{"name", "b"}}}}),
                            listener(81, {{"default_pool", {{"name", "b"}}}})}},
                          {"pools", {pool("a"), pool("b")}}}));
  EXPECT_EQ(e.model.pools.size(), 2u);
  for (const auto& [id, l] : e.model.listeners)
    EXPECT_EQ(e.model.pools.at(*l.default_pool).name, "b");
}

TEST(Tree, AcceptsDefaultPoolsDefinedByAnotherListener) {
  auto e = accepted(make({{"listeners",
                           {listener(80, {{"default_pool", {{"name", "a"}}}}),
                            listener(81, {{"default_pool", pool("a")}})}}}));
  EXPECT_EQ(e.model.pools.size(), 1u);
}

struct Refused {
  json attributes;
  int status;
  std::string text, where;
};

json nested_member(json member) {
  json p = pool("p");
  p["members"] = json::array({std::move(member)});
  return {{"pools", {p}}};
}
json with_pool(const char* key, json value) {
  json p = pool("p");
  p[key] = std::move(value);
  return {{"pools", {p}}};
}

TEST(Tree, RefusesByPlaceAndField) {
  json nameless = pool("");
  nameless.erase("name");
  const std::string named =
      "Validation failure: Pools must be named when creating a fully populated loadbalancer.";
  const std::string invalid = "Invalid input for field/attribute ";
  const std::string later = "Provider 'amphora-xdp' does not support a requested option: ";
  const std::string argument = " for argument load_balancer.loadbalancer.";
  const std::vector<Refused> cases{
      {{{"pools", {nameless}}}, 400, named, "loadbalancer.pools[0]"},
      {{{"listeners", {listener(80, {{"default_pool", nameless}})}}},
       400,
       named,
       "loadbalancer.listeners[0].default_pool"},
      {{{"pools", {pool("a"), pool("a")}}},
       400,
       "Validation failure: Pool names must be unique when creating a fully populated "
       "loadbalancer.",
       "loadbalancer.pools[1]"},
      {{{"listeners", {listener(80, {{"default_pool", {{"name", "x"}}}})}}},
       400,
       "Validation failure: Pool 'x' was referenced but no full definition was found.",
       "loadbalancer.listeners[0].default_pool"},
      {with_pool("protocol", nullptr), 400,
       "Validation failure: Pool definition for 'p' missing required attribute: protocol",
       "loadbalancer.pools[0]"},
      {with_pool("lb_algorithm", nullptr), 400,
       "Validation failure: Pool definition for 'p' missing required attribute: lb_algorithm",
       "loadbalancer.pools[0]"},
      {with_pool("healthmonitor", {{"type", "TCP"}}), 400,
       "Invalid input for field/attribute delay. Value: 'None'. Mandatory field missing.",
       "loadbalancer.pools[0].healthmonitor"},
      {with_pool("project_id", "x"), 400, "Unknown attribute" + argument + "pools: project_id",
       "loadbalancer.pools[0]"},
      {{{"listeners", {listener(80, {{"l7policies", {{{"action", "REJECT"}}}}})}}},
       501,
       later + "TCP protocol listeners do not support L7 policies",
       "loadbalancer.listeners[0]"},
      {{{"listeners", {listener(80), listener(80)}}},
       409,
       "Another Listener on this Load Balancer is already using protocol TCP and protocol_port 80",
       "loadbalancer.listeners[1]"},
      {{{"listeners", {listener(80), listener(0)}}},
       400,
       invalid + "protocol_port. Value: '0'. Value should be greater or equal to 1",
       "loadbalancer.listeners[1]"},
      {{{"listeners", {listener(80, {{"loadbalancer_id", "x"}})}}},
       400,
       "Unknown attribute" + argument + "listeners: loadbalancer_id",
       "loadbalancer.listeners[0]"},
      {{{"listeners", {listener(80, {{"allowed_cidrs", {"2001:db8::/32"}}})}}},
       400,
       "Validation failure: CIDR 2001:db8::/32 IP version incompatible with VIP 203.0.113.10 IP "
       "version.",
       "loadbalancer.listeners[0]"},
      {nested_member({{"address", "192.0.2.1"}}), 400,
       invalid + "protocol_port. Value: 'None'. Mandatory field missing.",
       "loadbalancer.pools[0].members[0]"},
      {nested_member({{"address", "127.0.0.1"}, {"protocol_port", 1}}), 400,
       "127.0.0.1 is not a valid option for member address", "loadbalancer.pools[0].members[0]"},
      {{{"pools", "x"}},
       400,
       invalid + "pools. Value: 'x'. Value not a valid list: x",
       "loadbalancer"},
      {{{"pools", {5}}},
       400,
       invalid + "pools. Value: '[5]'. Value not a valid dict: 5",
       "loadbalancer"},
      {{{"listeners", {listener(80, {{"default_pool", "p"}})}}},
       400,
       invalid + "default_pool. Value: 'p'. Value not a valid dict: p",
       "loadbalancer.listeners[0]"},
  };
  for (const Refused& c : cases) {
    SCOPED_TRACE(c.attributes.dump());
    Fault fault = refused(make(c.attributes));
    EXPECT_THAT(fault, IsFault(c.status, c.text));
    EXPECT_EQ(fault.where, c.where);
  }
}

// An HTTP listener with a good policy, and another.
json with_policy(json second) {
  const json first{{"action", "REJECT"}};
  return {{"listeners",
           {listener(80),
            {{"protocol", "HTTP"}, {"protocol_port", 81}, {"l7policies", {first, second}}}}}};
}

json with_rules(const std::vector<json>& rules) {
  return with_policy({{"action", "REJECT"}, {"rules", rules}});
}

TEST(Tree, NamesThePlaceOfAWrongPolicyOrRule) {
  const std::string policies = "loadbalancer.listeners[1].l7policies[1]";
  const std::string argument = " for argument load_balancer.loadbalancer.listeners.l7policies";
  const json good{{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", "/"}};
  const auto bad = [&](const char* key, json value) {
    json rule = good;
    rule[key] = std::move(value);
    return with_rules({good, good, rule});
  };
  const std::vector<Refused> cases{
      {with_policy({{"action", "REDIRECT_TO_URL"}}), 400,
       "Invalid L7 Policy arguments: redirect_url must not be None", policies},
      {with_policy({{"action", "DANCE"}}), 400,
       "Invalid input for field/attribute action. Value: 'DANCE'. Value should be one of: "
       "REJECT, REDIRECT_TO_URL, REDIRECT_TO_POOL, REDIRECT_PREFIX",
       policies},
      {with_policy({{"action", "REJECT"}, {"listener_id", "x"}}), 400,
       "Unknown attribute" + argument + ": listener_id", policies},
      {with_policy({{"action", "REDIRECT_TO_POOL"}, {"redirect_pool", {{"name", "none"}}}}), 400,
       "Validation failure: Pool 'none' was referenced but no full definition was found.",
       policies + ".redirect_pool"},
      {bad("value", ""), 400,
       "Error parsing L7Rule: Invalid L7 Rule: L7 rule type requires a value",
       policies + ".rules[2]"},
      {bad("key", "k"), 400,
       "Error parsing L7Rule: Invalid L7 Rule: L7rule type PATH does not use the \"key\" field.",
       policies + ".rules[2]"},
      {bad("color", "red"), 400, "Unknown attribute" + argument + ".rules: color",
       policies + ".rules[2]"},
      {bad("type", nullptr), 400, "Error parsing L7Rule: Invalid L7 Rule: invalid rule type",
       policies + ".rules[2]"},
  };
  for (const Refused& c : cases) {
    SCOPED_TRACE(c.attributes.dump());
    Fault fault = refused(make(c.attributes));
    EXPECT_THAT(fault, IsFault(c.status, c.text));
    EXPECT_EQ(fault.where, c.where);
  }
}

TEST(Tree, APolicyHasFiftyRulesAtMost) {
  const json rule{{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", "/"}};
  EXPECT_EQ(accepted(make(with_rules(std::vector<json>(50, rule)))).model.l7rules.size(), 50u);
  const Fault fault = refused(make(with_rules(std::vector<json>(51, rule))));
  EXPECT_EQ(fault.status, 409);
  EXPECT_THAT(fault.text, ::testing::StartsWith("Too many rules on L7 policy "));
  EXPECT_EQ(fault.where, "loadbalancer.listeners[1].l7policies[1]");
}

TEST(Tree, RefusesAMemberNamedTwice) {
  json p = pool("p");
  json member{{"address", "192.0.2.1"}, {"protocol_port", 1}};
  p["members"] = {member, member};
  EXPECT_THAT(refused(make({{"pools", {p}}})),
              IsFault(409,
                      "Another member on this pool is already using ip 192.0.2.1 on "
                      "protocol_port 1"));
}

TEST(Tree, NullListsAreEmpty) {
  auto e = accepted(make({{"listeners", nullptr}, {"pools", nullptr}}));
  EXPECT_TRUE(e.model.listeners.empty());
}

}  // namespace
}  // namespace model
