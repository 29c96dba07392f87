// From a file with policies, rules, TLS and persistence to requests; and the requests, sent, lead
// to the file.
#include <algorithm>

#include "tests/unit/declare/declared.h"

namespace model {
namespace {

using ::testing::ElementsAre;

json path_rule(const char* start) {
  return {{"type", "PATH"}, {"compare_type", "STARTS_WITH"}, {"value", start}};
}

json policy(const char* name, json more) {
  more["name"] = name;
  return more;
}

const json kReject{{"action", "REJECT"}};
const json kToPool{{"action", "REDIRECT_TO_POOL"}, {"redirect_pool", {{"name", "static"}}}};
const json kToUrl{{"action", "REDIRECT_TO_URL"},
                  {"redirect_url", "https://www.example.com/"},
                  {"redirect_http_code", 301}};
const json kPrefix{{"action", "REDIRECT_PREFIX"}, {"redirect_prefix", "https://www.example.com"}};

// A site with two pools and three policies.
json site() {
  json file = json::parse(R"({"loadbalancer": {"name": "web", "vip_address": "203.0.113.10",
      "listeners": [{"name": "site", "protocol": "HTTP", "protocol_port": 80,
                     "default_pool": {"name": "back"}}],
      "pools": [{"name": "back", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"},
                {"name": "static", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}]}})");
  json a = policy("a", kReject), b = policy("b", kToPool), c = policy("c", kToUrl);
  a["rules"] = {path_rule("/admin"), path_rule("/secret")};
  b["rules"] = json::array({path_rule("/images")});
  c["rules"] = {{{"type", "HEADER"},
                 {"compare_type", "EQUAL_TO"},
                 {"key", "X-Old"},
                 {"value", "yes"},
                 {"invert", true}}};
  file["loadbalancer"]["listeners"][0]["l7policies"] = {a, b, c};
  return file;
}

// The site is there.
struct DeclareSite : Declared {
  DeclareSite() : Declared(site()) {
    h.model = Model{};
    apply();
  }
  json& listener() { return lb["listeners"][0]; }
  json& policies() { return listener()["l7policies"]; }
  json& rules_of(int index) { return policies()[index]["rules"]; }

  // The policies that are there, by position.
  std::vector<std::string> names() const {
    std::vector<std::string> names(h.model.l7policies.size());
    for (const auto& [id, policy] : h.model.l7policies)
      names.at(static_cast<size_t>(policy.position) - 1) = policy.name;
    return names;
  }
};

TEST_F(DeclareSite, IsMadeInOneRequest) {
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(h.model.l7rules.size(), 4u);
  h.model = Model{};
  ASSERT_EQ(requests().size(), 1u);
  EXPECT_EQ(requests()[0].body, wanted);
}

TEST_F(DeclareSite, MovesAPolicy) {
  std::swap(policies()[0], policies()[2]);
  std::swap(policies()[1], policies()[2]);  // c, a, b
  auto all = requests();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].body, json({{"l7policy", {{"position", 1}}}}));
  EXPECT_THAT(changes(),
              ElementsAre("change position of policy c of listener HTTP 80 from 3 to 1"));
  apply();
  EXPECT_THAT(names(), ElementsAre("c", "a", "b"));
}

// Every subset in every order, with a new policy at every place; from each to the next.
TEST_F(DeclareSite, BringsEveryOrderAbout) {
  const json all = policies();
  std::vector<size_t> order{0, 1, 2};
  do {
    for (size_t kept = 0; kept <= 3; ++kept)
      for (size_t place = 0; place <= kept; ++place) {
        json next = json::array();
        std::vector<std::string> expected;
        for (size_t i = 0; i < kept; ++i) next.push_back(all[order[i]]);
        next.insert(next.begin() + static_cast<std::ptrdiff_t>(place), policy("new", kReject));
        for (const json& one : next) expected.push_back(one["name"]);
        policies() = next;
        SCOPED_TRACE(next.dump());
        apply();
        EXPECT_EQ(names(), expected);
      }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(DeclareSite, MakesEveryActionOfEveryOther) {
  for (const json& from : {kReject, kToPool, kToUrl, kPrefix})
    for (const json& to : {kReject, kToPool, kToUrl, kPrefix})
      for (const json& one : {from, to}) {
        SCOPED_TRACE(from.dump() + " to " + to.dump());
        policies()[1] = policy("b", one);
        apply();
      }
}

TEST_F(DeclareSite, PoliciesWithoutNamesAreTakenInTheirOrder) {
  for (json& one : policies()) one.erase("name");
  apply();
  rules_of(1)[0]["value"] = "/pictures";
  EXPECT_THAT(changes(),
              ElementsAre("change rule PATH STARTS_WITH /images of policy 2 of listener HTTP 80 to "
                          "PATH STARTS_WITH /pictures"));
  policies().erase(0);
  apply();
  EXPECT_EQ(h.model.l7policies.size(), 2u);
}

TEST_F(DeclareSite, ChangesWhereAPolicyGoes) {
  lb["pools"].push_back({{"name", "new"}, {"protocol", "HTTP"}, {"lb_algorithm", "SOURCE_IP"}});
  policies()[1]["redirect_pool"] = {{"name", "new"}};
  EXPECT_THAT(changes(),
              ElementsAre("create pool new",
                          "change redirect pool of policy b of listener HTTP 80 to new"));
  apply();
  lb["pools"].erase(1);  // "static", which nobody uses now
  EXPECT_THAT(changes(), ElementsAre("delete pool static"));
  apply();
}

TEST_F(DeclareSite, FollowsAPoolThatIsMadeAnew) {
  lb["pools"][1]["protocol"] = "PROXY";
  EXPECT_THAT(changes(),
              ElementsAre("create pool static",
                          "change redirect pool of policy b of listener HTTP 80 to static",
                          "delete pool static"));
  apply();
}

TEST_F(DeclareSite, ChangesWhatDiffersOfRules) {
  rules_of(0) = {path_rule("/secret"), path_rule("/private"), path_rule("/more")};
  EXPECT_THAT(changes(),
              ElementsAre("change rule PATH STARTS_WITH /admin of policy a of listener HTTP 80 to "
                          "PATH STARTS_WITH /private",
                          "create rule PATH STARTS_WITH /more of policy a of listener HTTP 80"));
  apply();
  rules_of(0) = {path_rule("/more"), path_rule("/secret")};  // in another order
  EXPECT_THAT(changes(),
              ElementsAre("delete rule PATH STARTS_WITH /private of policy a of listener HTTP 80"));
  apply();
  rules_of(2)[0] = path_rule("/old");  // the key and the inversion go with the type
  apply();
  rules_of(2) = json::array();
  apply();
}

TEST_F(DeclareSite, ARuleThatIsThereTwiceIsTwoRules) {
  rules_of(1).push_back(path_rule("/images"));
  EXPECT_THAT(changes(),
              ElementsAre("create rule PATH STARTS_WITH /images of policy b of listener HTTP 80"));
  apply();
}

TEST_F(DeclareSite, NamesThePlaceOfAWrongRule) {
  rules_of(1)[0]["value"] = "";
  EXPECT_EQ(error(),
            "loadbalancer.listeners[0].l7policies[1].rules[0]: Error parsing L7Rule: Invalid L7 "
            "Rule: L7 rule type requires a value");
}

TEST_F(DeclareSite, TakesTheRestWithAListener) {
  listener()["protocol_port"] = 8080;
  EXPECT_THAT(changes(), ::testing::Contains("delete listener HTTP 80"));
  apply();
  EXPECT_THAT(names(), ElementsAre("a", "b", "c"));
  policies() = json::array();
  apply();
  EXPECT_TRUE(h.model.l7rules.empty());
}

// ---- TLS and persistence ---------------------------------------------------

TEST_F(DeclareSite, ChangesTls) {
  listener() = {{"name", "secure"},
                {"protocol", "TERMINATED_HTTPS"},
                {"protocol_port", 443},
                {"default_tls_container_ref", "web.pem"},
                {"default_pool", {{"name", "back"}}}};
  apply();
  listener()["default_tls_container_ref"] = "new.pem";
  listener()["sni_container_refs"] = {"one.pem", "two.pem"};
  listener()["tls_versions"] = {"TLSv1.3"};
  listener()["hsts_max_age"] = 3600;
  listener()["insert_headers"] = {{"X-SSL-Client-Verify", "true"}};
  listener()["client_ca_tls_container_ref"] = "ca.pem";
  listener()["client_authentication"] = "MANDATORY";
  auto all = requests();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].body["listener"].size(), 7u);
  EXPECT_THAT(changes(), ::testing::Contains("change default_tls_container_ref of listener "
                                             "TERMINATED_HTTPS 443 from web.pem to new.pem"));
  apply();
  for (const char* gone : {"sni_container_refs", "tls_versions", "hsts_max_age", "insert_headers",
                           "client_authentication", "client_ca_tls_container_ref"})
    listener().erase(gone);
  apply();
  EXPECT_EQ(h.model.listeners.begin()->second.client_ca_tls_container_ref, "");
}

TEST_F(DeclareSite, ChangesTlsOfAPool) {
  json& pool = lb["pools"][0];
  pool["tls_enabled"] = true;
  pool["ca_tls_container_ref"] = "ca.pem";
  apply();
  pool["tls_versions"] = {"TLSv1.3"};
  EXPECT_THAT(changes(), ElementsAre(::testing::HasSubstr("change tls_versions of pool back")));
  apply();
  for (const char* gone : {"tls_enabled", "ca_tls_container_ref", "tls_versions"}) pool.erase(gone);
  apply();
}

TEST_F(DeclareSite, ChangesPersistence) {
  json& pool = lb["pools"][0];
  const json kinds{json(nullptr),
                   {{"type", "SOURCE_IP"}},
                   {{"type", "HTTP_COOKIE"}},
                   {{"type", "APP_COOKIE"}, {"cookie_name", "session"}},
                   {{"type", "APP_COOKIE"}, {"cookie_name", "other"}}};
  for (const json& from : kinds)
    for (const json& to : kinds)
      for (const json& one : {from, to}) {
        SCOPED_TRACE(from.dump() + " to " + to.dump());
        pool["session_persistence"] = one;
        apply();
      }
}

}  // namespace
}  // namespace model
