// What `show` says of one resource and of all: placement, policies and rules, reasons of checks.
#include <map>
#include <sstream>

#include "tests/unit/cli/command.h"

namespace cli::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// A TCP listener that the datapath serves, and an HTTP one with policies that HAProxy does.
json site() {
  return json::parse(R"({"loadbalancer": {
    "name": "web", "vip_address": "203.0.113.10",
    "vip_subnet_id": "d52c5bac-c0b1-4e78-bfdd-9bd34f40e545",
    "listeners": [
      {"name": "front", "protocol": "TCP", "protocol_port": 80,
       "default_pool": {"name": "app", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
         "members": [{"name": "one", "address": "192.0.2.11", "protocol_port": 8080},
                     {"name": "two", "address": "192.0.2.12", "protocol_port": 8080}]}},
      {"name": "site", "protocol": "HTTP", "protocol_port": 81, "l7policies": [
        {"name": "admin", "action": "REJECT", "rules": [
          {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/admin"},
          {"type": "HEADER", "compare_type": "EQUAL_TO", "key": "X-Kind", "value": "a",
           "invert": true}]},
        {"name": "images", "action": "REDIRECT_TO_POOL", "redirect_pool": {"name": "static"}},
        {"name": "old", "action": "REDIRECT_TO_URL",
         "redirect_url": "http://www.example.com/"}]}],
    "pools": [{"name": "static", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}]}})");
}

class Show : public Command {
 protected:
  Show() {
    agent_.make("/v2/lbaas/loadbalancers", site());
    const model::Model& m = agent_.changes.model();
    note_ids(m.load_balancers);
    note_ids(m.listeners);
    note_ids(m.pools);
    note_ids(m.members);
    note_ids(m.l7policies);
    agent_.machine.status_.placements = {{id("front"), "xdp", "protocol TCP"},
                                         {id("site"), "haproxy", "protocol HTTP"}};
    agent_.machine.status_.checks = {{id("one"), "up", "answered", {}, {}},
                                     {id("two"), "down", "connection refused", {}, {}}};
  }

  base::Uuid id(const std::string& name) const { return ids_.at(name); }

  // FIELD to VALUE of what `show` prints of one resource.
  std::map<std::string, std::string> fields(const std::string& arguments) {
    const Exit shown = cli("show " + arguments);
    EXPECT_EQ(shown.code, 0) << shown.out;
    std::map<std::string, std::string> out;
    std::istringstream lines(shown.out);
    for (std::string line; std::getline(lines, line);) {
      const size_t end = line.find(' ');
      const size_t value = line.find_first_not_of(' ', end);
      out[line.substr(0, end)] = value == std::string::npos ? "" : line.substr(value);
    }
    return out;
  }

 private:
  template <class Resources>
  void note_ids(const Resources& resources) {
    for (const auto& [id, resource] : resources) ids_[resource.name] = id;
  }

  std::map<std::string, base::Uuid> ids_;
};

TEST_F(Show, AListenerWithItsPlacementAndWhy) {
  auto front = fields("listener front");
  EXPECT_EQ(front["placement"], "xdp");
  EXPECT_EQ(front["placement_reason"], "protocol TCP");
  auto site = fields("listener " + id("site").text());
  EXPECT_EQ(site["name"], "site");
  EXPECT_EQ(site["placement"], "haproxy");
  EXPECT_EQ(site["placement_reason"], "protocol HTTP");
  const json both = json::parse(cli("show listener site --json").out);
  EXPECT_EQ(both["listener"]["placement"], "haproxy");
  EXPECT_EQ(both["listener"]["placement_reason"], "protocol HTTP");
}

TEST_F(Show, NothingOfAPlacementThatIsNotKnown) {
  agent_.machine.status_.placements.clear();
  auto front = fields("listener front");
  EXPECT_EQ(front["name"], "front");
  EXPECT_FALSE(front.contains("placement"));
}

TEST_F(Show, AnyResourceByItsNameOrIdAlone) {
  EXPECT_EQ(fields("front")["placement"], "xdp");
  EXPECT_EQ(fields("web")["vip_address"], "203.0.113.10");
  EXPECT_EQ(fields("app")["lb_algorithm"], "ROUND_ROBIN");
  EXPECT_EQ(fields("one")["address"], "192.0.2.11");
  EXPECT_EQ(fields("old")["redirect_url"], "http://www.example.com/");
  EXPECT_EQ(fields(id("two").text())["name"], "two");
  EXPECT_EQ(json::parse(cli("show app --json").out)["pool"]["name"], "app");
}

TEST_F(Show, ANameIsOfWhatItsKindIs) {
  EXPECT_EQ(fields("pool app")["name"], "app");
  const Exit none = cli("show listener app");
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.out, HasSubstr("there is no listener with the id or name app"));
  const Exit nothing = cli("show nobody");
  EXPECT_EQ(nothing.code, 1);
  EXPECT_THAT(nothing.out, HasSubstr("no resource has the id or name nobody"));
  const Exit horse = cli("show horse front");
  EXPECT_EQ(horse.code, 2);
  EXPECT_THAT(horse.out, HasSubstr("horse is no kind of resource"));
}

TEST_F(Show, ANameOfTwoIsNotGuessed) {
  agent_.make("/v2/lbaas/pools", {{"pool",
                                   {{"name", "front"},
                                    {"protocol", "TCP"},
                                    {"lb_algorithm", "ROUND_ROBIN"},
                                    {"loadbalancer_id", id("web").text()}}}});
  const Exit two = cli("show front");
  EXPECT_EQ(two.code, 1);
  EXPECT_THAT(two.out, HasSubstr("both a listener and a pool are named front"));
  EXPECT_EQ(fields("listener front")["protocol_port"], "80");
  agent_.make("/v2/lbaas/pools/" + id("app").text() + "/members",
              {{"member", {{"name", "one"}, {"address", "192.0.2.13"}, {"protocol_port", 80}}}});
  const Exit twins = cli("show member one");
  EXPECT_EQ(twins.code, 1);
  EXPECT_THAT(twins.out, HasSubstr("2 resources of kind member are named one: use an id"));
}

TEST_F(Show, PoliciesAndRulesInTheTree) {
  const std::string tree = cli("show").out;
  const std::vector<std::string> lines{"\n  site      listener      HTTP 81 ",
                                       "\n    admin   l7policy      1: REJECT ",
                                       "\n      -     rule          PATH STARTS_WITH /admin ",
                                       "\n      -     rule          not HEADER X-Kind EQUAL_TO a ",
                                       "\n    images  l7policy      2: REDIRECT_TO_POOL static ",
                                       "\n    old     l7policy      3: REDIRECT_TO_URL http://www.",
                                       "\n  static    pool          HTTP ROUND_ROBIN "};
  size_t at = 0;
  for (const std::string& line : lines) {
    at = tree.find(line, at);
    ASSERT_NE(at, std::string::npos) << line << " is not in, or not there:\n" << tree;
  }
}

TEST_F(Show, APolicyIsListedWithWhereItGoes) {
  const std::string policies = cli("show l7policy").out;
  EXPECT_THAT(policies, HasSubstr("admin"));
  EXPECT_THAT(policies, HasSubstr("3: REDIRECT_TO_URL http://www.example.com/"));
  EXPECT_EQ(json::parse(cli("show l7policy --json").out)["l7policies"].size(), 3u);
  EXPECT_EQ(json::parse(cli("show admin --json").out)["l7policy"]["rules"].size(), 2u);
}

TEST_F(Show, WhyAMemberIsDown) {
  EXPECT_EQ(fields("member two")["check_reason"], "connection refused");
  EXPECT_FALSE(fields("member one").contains("check_reason"));
  const json two = json::parse(cli("show two --json").out);
  EXPECT_EQ(two["member"]["check_reason"], "connection refused");
  for (const char* all : {"show", "show member"}) {
    const std::string out = run("--socket " + agent_.server.path() + " " + all).out;
    EXPECT_THAT(out, HasSubstr("192.0.2.12:8080 weight 1: connection refused"));
    EXPECT_THAT(out, Not(HasSubstr("192.0.2.11:8080 weight 1:")));
  }
}

}  // namespace
}  // namespace cli::testing
