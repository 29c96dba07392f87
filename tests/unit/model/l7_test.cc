// L7 policies and rules: what they may be together, their order, their locks, their end.
#include "tests/unit/model/house.h"

namespace model {
namespace {

using PS = ProvisioningStatus;

struct Web : House {
  Web() : House(House().with_policy()) {
    policy = model.l7policies.begin()->first;
    rule = model.l7rules.begin()->first;
    web = model.l7policies.at(policy).listener;
    auto made = accepted(make(Kind::pool, {{"protocol", "HTTP"}, {"lb_algorithm", "ROUND_ROBIN"}}));
    model = settled(made.model);
    http_pool = made.id;
  }
  Uuid policy, rule, web, http_pool;

  Uuid add(json attributes) {
    auto made = accepted(make(Kind::l7policy, std::move(attributes)));
    model = settled(made.model);
    return made.id;
  }
  Outcome<Edited> alter(const Uuid& id, const json& attributes) const {
    return update(model, Kind::l7policy, Uuid{}, id, {{"l7policy", attributes}}, kNow);
  }
  Outcome<Edited> add_rule(const char* type, const char* compare, const char* value,
                           json key = nullptr) const {
    return make(Kind::l7rule,
                {{"type", type}, {"compare_type", compare}, {"value", value}, {"key", key}});
  }
  std::vector<int> positions(const std::vector<Uuid>& ids) const {
    std::vector<int> out;
    for (const Uuid& id : ids) out.push_back(model.l7policies.at(id).position);
    return out;
  }
};

std::string arguments(const std::string& why) { return "Invalid L7 Policy arguments: " + why; }

TEST(Policies, HaveExactlyTheRedirectOfTheirAction) {
  Web w;
  const std::string pool = w.http_pool.text();
  const std::vector<std::pair<json, std::string>> cases{
      {{{"action", "REDIRECT_TO_URL"}}, "redirect_url must not be None"},
      {{{"action", "REDIRECT_PREFIX"}}, "redirect_prefix must not be None"},
      {{{"action", "REDIRECT_TO_POOL"}}, "redirect_pool_id or redirect_pool must not be None"},
      {{{"action", "REDIRECT_TO_URL"}, {"redirect_prefix", "http://a/"}},
       "redirect_url must not be None"},
      {{{"action", "REDIRECT_TO_POOL"}, {"redirect_url", "http://a/"}},
       "redirect_pool_id or redirect_pool must not be None"},
      {{{"action", "REDIRECT_PREFIX"}, {"redirect_pool_id", pool}, {"redirect_prefix", "http://a"}},
       "Cannot specify redirect_pool_id and redirect_url or redirect_prefix at the same time"},
  };
  for (const auto& [attributes, why] : cases) {
    SCOPED_TRACE(attributes.dump());
    EXPECT_THAT(refused(w.make(Kind::l7policy, attributes)), IsFault(400, arguments(why)));
    EXPECT_THAT(refused(w.alter(w.policy, attributes)), IsFault(400, arguments(why)));
  }
}

// As Octavia 11: asked with the same bodies.
TEST(Policies, IgnoreWhatTheirActionHasNoUseFor) {
  Web w;
  const std::string pool = w.http_pool.text(), url = "http://a/";
  struct Case {
    json given;
    PolicyAction action;
    std::optional<int> code;
  };
  const std::vector<Case> cases{
      {{{"action", "REJECT"}, {"redirect_url", url}}, PolicyAction::reject, std::nullopt},
      {{{"action", "REJECT"}, {"redirect_pool_id", pool}}, PolicyAction::reject, std::nullopt},
      {{{"action", "REJECT"}, {"redirect_http_code", 301}}, PolicyAction::reject, 301},
      {{{"action", "REDIRECT_TO_POOL"}, {"redirect_pool_id", pool}, {"redirect_http_code", 301}},
       PolicyAction::redirect_to_pool,
       std::nullopt},
      {{{"action", "REDIRECT_TO_POOL"}, {"redirect_pool_id", pool}, {"redirect_url", url}},
       PolicyAction::redirect_to_pool,
       std::nullopt},
      {{{"action", "REDIRECT_TO_URL"}, {"redirect_pool_id", pool}, {"redirect_url", url}},
       PolicyAction::redirect_to_url,
       302},
      {{{"action", "REDIRECT_TO_URL"}, {"redirect_prefix", "http://b"}, {"redirect_url", url}},
       PolicyAction::redirect_to_url,
       302},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.given.dump());
    const auto made = accepted(w.make(Kind::l7policy, c.given));
    const L7Policy& policy = made.model.l7policies.at(made.id);
    EXPECT_EQ(policy.action, c.action);
    EXPECT_EQ(policy.redirect_http_code, c.code);
    EXPECT_EQ(policy.redirect_pool.has_value(), c.action == PolicyAction::redirect_to_pool);
    EXPECT_EQ(policy.redirect_url, c.action == PolicyAction::redirect_to_url ? url : "");
    EXPECT_EQ(policy.redirect_prefix, "");
  }
}

TEST(Policies, HaveNoCodeWhereAChangeSaysSo) {
  Web w;
  w.model = settled(accepted(w.alter(w.policy, {{"redirect_url", "http://a/"}})).model);
  const auto none = accepted(w.alter(w.policy, {{"redirect_http_code", nullptr}}));
  EXPECT_EQ(none.model.l7policies.at(w.policy).redirect_http_code, std::nullopt);
  const auto given = accepted(w.alter(w.policy, {{"redirect_http_code", 308}}));
  EXPECT_EQ(given.model.l7policies.at(w.policy).redirect_http_code, 308);
  w.model = settled(given.model);
  const auto again = accepted(w.alter(w.policy, {{"redirect_url", "http://b/"}}));
  EXPECT_EQ(again.model.l7policies.at(w.policy).redirect_http_code, 302);
  EXPECT_THAT(refused(w.alter(w.policy, json::object())),
              IsFault(400, arguments("Invalid update options")));
}

TEST(Policies, RedirectWith302UnlessTheySayOtherwise) {
  Web w;
  for (const char* action : {"REDIRECT_TO_URL", "REDIRECT_PREFIX"}) {
    const char* field =
        action == std::string("REDIRECT_PREFIX") ? "redirect_prefix" : "redirect_url";
    json body{{"action", action}, {field, "https://www.example.com/a?b=%20"}};
    auto made = accepted(w.make(Kind::l7policy, body));
    EXPECT_EQ(made.model.l7policies.at(made.id).redirect_http_code, 302);
    body["redirect_http_code"] = "308";
    made = accepted(w.make(Kind::l7policy, body));
    EXPECT_EQ(made.model.l7policies.at(made.id).redirect_http_code, 308);
    body["redirect_http_code"] = 304;
    EXPECT_THAT(refused(w.make(Kind::l7policy, body)),
                IsFault(400,
                        "Invalid input for field/attribute redirect_http_code. Value: '304'. "
                        "Value should be one of: 301, 302, 303, 307, 308"));
  }
}

TEST(Policies, RedirectToUrls) {
  Web w;
  for (const char* url : {"", "www.example.com", "ftp://a/", "http://", "http:///a", "http://:80/",
                          "http://a/ b", "http://a/\r\nX: y", "http://a/\"", "http://a/%2"})
    EXPECT_THAT(
        refused(w.make(Kind::l7policy, {{"action", "REDIRECT_TO_URL"}, {"redirect_url", url}})),
        IsFault(400, "Invalid input for field/attribute redirect_url. Value: '" + std::string(url) +
                         "'. Value must be a valid URL string"));
}

TEST(Policies, ChangeTheirActionWithTheirRedirect) {
  Web w;
  auto e = accepted(w.alter(w.policy, {{"redirect_url", "http://a/"}}));
  EXPECT_EQ(e.model.l7policies.at(w.policy).action, PolicyAction::redirect_to_url);
  w.model = settled(e.model);
  e = accepted(w.alter(w.policy,
                       {{"action", "REDIRECT_TO_POOL"}, {"redirect_pool_id", w.http_pool.text()}}));
  const L7Policy& policy = e.model.l7policies.at(w.policy);
  EXPECT_EQ(policy.redirect_url, "");
  EXPECT_EQ(policy.redirect_http_code, std::nullopt);
  EXPECT_EQ(policy.redirect_pool, w.http_pool);
}

TEST(Policies, SendToPoolsThatFit) {
  Web w;
  EXPECT_THAT(refused(w.make(Kind::l7policy, {{"action", "REDIRECT_TO_POOL"},
                                              {"redirect_pool_id", w.pool.text()}})),
              IsFault(400,
                      "Validation failure: The pool protocol 'TCP' is invalid while the listener "
                      "protocol is 'HTTP'."));
  const std::string nobody = Uuid::random().text();
  EXPECT_THAT(refused(w.make(Kind::l7policy,
                             {{"action", "REDIRECT_TO_POOL"}, {"redirect_pool_id", nobody}})),
              IsFault(404, "Pool " + nobody + " not found."));
}

TEST(Policies, AreOfListenersWithRequests) {
  Web w;
  EXPECT_THAT(
      refused(w.make(Kind::l7policy, {{"action", "REJECT"}, {"listener_id", w.listener.text()}})),
      IsFault(501,
              "Provider 'amphora-xdp' does not support a requested option: TCP protocol listeners "
              "do not support L7 policies"));
  auto p = accepted(w.make(Kind::listener, {{"protocol", "PROMETHEUS"}, {"protocol_port", 9}}));
  w.model = settled(p.model);
  const char* childless = "Protocol PROMETHEUS listeners cannot have child objects.";
  EXPECT_THAT(refused(w.make(Kind::l7policy, {{"action", "REJECT"}, {"listener_id", p.id.text()}})),
              IsFault(400, childless));
  EXPECT_THAT(refused(w.make(Kind::pool, {{"protocol", "HTTP"},
                                          {"lb_algorithm", "ROUND_ROBIN"},
                                          {"listener_id", p.id.text()}})),
              IsFault(400, childless));
}

TEST(Positions, AreDenseAndInTheOrderThatIsAskedFor) {
  Web w;
  const Uuid b = w.add({{"action", "REJECT"}});
  const Uuid c = w.add({{"action", "REJECT"}, {"position", 1}});
  const Uuid d = w.add({{"action", "REJECT"}, {"position", 2147483647}});
  EXPECT_EQ(w.positions({c, w.policy, b, d}), (std::vector{1, 2, 3, 4}));
  w.model = settled(accepted(w.alter(d, {{"position", 2}})).model);
  EXPECT_EQ(w.positions({c, d, w.policy, b}), (std::vector{1, 2, 3, 4}));
  w.model = settled(accepted(w.alter(c, {{"position", 3}})).model);
  EXPECT_EQ(w.positions({d, w.policy, c, b}), (std::vector{1, 2, 3, 4}));
  w.model = settled(accepted(w.alter(c, {{"position", nullptr}, {"name", "x"}})).model);
  EXPECT_EQ(w.positions({d, w.policy, c, b}), (std::vector{1, 2, 3, 4}));
  w.model =
      settled(accepted(remove(w.model, Kind::l7policy, Uuid{}, w.policy, Cascade::no, kNow)).model);
  EXPECT_EQ(w.positions({d, c, b}), (std::vector{1, 2, 3}));
  EXPECT_TRUE(w.model.l7rules.empty());
}

TEST(Policies, LockWhatIsAboveThem) {
  Web w;
  auto e = accepted(w.add_rule("PATH", "EQUAL_TO", "/a"));
  EXPECT_EQ(e.model.load_balancers.at(w.lb).provisioning_status, PS::pending_update);
  EXPECT_EQ(e.model.listeners.at(w.web).provisioning_status, PS::pending_update);
  EXPECT_EQ(e.model.l7policies.at(w.policy).provisioning_status, PS::pending_update);
  EXPECT_EQ(e.model.l7rules.at(e.id).provisioning_status, PS::pending_create);
  EXPECT_EQ(e.model.listeners.at(w.listener).provisioning_status, PS::active);
  w.model = e.model;
  EXPECT_THAT(refused(w.add_rule("PATH", "EQUAL_TO", "/b")),
              IsFault(409, "L7Policy " + w.policy.text() + " is immutable and cannot be updated."));
  EXPECT_THAT(
      refused(w.alter(w.policy, {{"name", "x"}})),
      IsFault(409, "Load Balancer " + w.lb.text() + " is immutable and cannot be updated."));
}

TEST(Policies, KeepTheirPool) {
  Web w;
  const Uuid id = w.add({{"action", "REDIRECT_TO_POOL"}, {"redirect_pool_id", w.http_pool.text()}});
  EXPECT_THAT(refused(remove(w.model, Kind::pool, Uuid{}, w.http_pool, Cascade::no, kNow)),
              IsFault(409, "Pool " + w.http_pool.text() + " is in use by L7 policy " + id.text()));
  EXPECT_EQ(show_one(w.model, Kind::pool, w.http_pool)["listeners"].size(), 0u);  // no rule yet
  auto rule = accepted(
      create(w.model, Kind::l7rule, id,
             {{"rule", {{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", "/"}}}}, kNow));
  EXPECT_EQ(show_one(rule.model, Kind::pool, w.http_pool)["listeners"][0]["id"], w.web.text());
}

TEST(Policies, GoWithTheirListenerAndLoadBalancer) {
  Web w;
  auto gone = accepted(remove(w.model, Kind::listener, Uuid{}, w.web, Cascade::no, kNow));
  EXPECT_EQ(gone.model.l7rules.at(w.rule).provisioning_status, PS::pending_delete);
  EXPECT_TRUE(settled(gone.model).l7policies.empty());
  EXPECT_TRUE(settled(accepted(w.take(Kind::load_balancer, Cascade::yes)).model).l7rules.empty());
}

TEST(Policies, AreShownWithTheirRules) {
  Web w;
  EXPECT_EQ(show_one(w.model, Kind::l7policy, w.policy)["rules"],
            json::array({{{"id", w.rule.text()}}}));
  EXPECT_EQ(show_one(w.model, Kind::listener, w.web)["l7policies"],
            json::array({{{"id", w.policy.text()}}}));
}

std::string parsing(const std::string& why) { return "Error parsing L7Rule: " + why; }

TEST(Rules, AreWhatTheirTypeAllows) {
  Web w;
  struct Case {
    const char *type, *compare, *value;
    json key;
    const char* why;
  };
  const Case cases[] = {
      {"HEADER", "EQUAL_TO", "a", nullptr, "Invalid L7 Rule: L7 rule type requires a key"},
      {"COOKIE", "EQUAL_TO", "a", nullptr, "Invalid L7 Rule: L7 rule type requires a key"},
      {"HEADER", "EQUAL_TO", "a", "X Y", "Invalid characters in key"},
      {"COOKIE", "EQUAL_TO", "a", "x=y", "Invalid characters in key"},
      {"COOKIE", "EQUAL_TO", "a;b", "x", "Invalid characters in cookie value"},
      {"HEADER", "EQUAL_TO", "a b", "x", "Invalid characters in header value"},
      {"PATH", "EQUAL_TO", "/a b", nullptr, "Invalid characters in comparison value"},
      {"PATH", "EQUAL_TO", "", nullptr, "Invalid L7 Rule: L7 rule type requires a value"},
      {"PATH", "EQUAL_TO", "/a", "x",
       "Invalid L7 Rule: L7rule type PATH does not use the \"key\" field."},
      {"FILE_TYPE", "CONTAINS", "jpg", nullptr,
       "Invalid L7 Rule: invalid comparison type for rule type"},
      {"PATH", "REGEX", "(a", nullptr,
       "Unable to parse regular expression: missing closing parenthesis at position 2"},
      {"PATH", "REGEX", "a\tb", nullptr,
       "Unable to parse regular expression: contains control characters"},
      {"SSL_CONN_HAS_CERT", "EQUAL_TO", "no", nullptr,
       "Invalid L7 Rule: L7rule value no is not a boolean True string."},
      {"SSL_CONN_HAS_CERT", "CONTAINS", "true", nullptr,
       "Invalid L7 Rule: L7rule type SSL_CONN_HAS_CERT only supports the EQUAL_TO compare type."},
      {"SSL_VERIFY_RESULT", "EQUAL_TO", "-1", nullptr,
       "Invalid L7 Rule: L7rule type SSL_VERIFY_RESULT needs a int value, which is >= 0"},
      {"SSL_DN_FIELD", "EQUAL_TO", "a", nullptr,
       "Invalid L7 Rule: L7rule type SSL_DN_FIELD needs to specify a key and a value."},
      {"SSL_DN_FIELD", "EQUAL_TO", "a", "1N",
       "Invalid L7 Rule: Invalid L7rule distinguished name field."},
  };
  for (const Case& c : cases)
    EXPECT_THAT(refused(w.add_rule(c.type, c.compare, c.value, c.key)),
                IsFault(400, parsing(c.why)));
  accepted(w.add_rule("FILE_TYPE", "REGEX", "jpe?g"));
  accepted(w.add_rule("PATH", "REGEX", "(?i)^/(?:a|b)[\\]]$"));
  accepted(w.add_rule("HEADER", "CONTAINS", "\"a b\"", "X-Key"));
  accepted(w.add_rule("COOKIE", "STARTS_WITH", "a", "JSESSIONID"));
  accepted(w.add_rule("SSL_CONN_HAS_CERT", "EQUAL_TO", "True"));
  accepted(w.add_rule("SSL_VERIFY_RESULT", "EQUAL_TO", "10"));
  accepted(w.add_rule("SSL_DN_FIELD", "EQUAL_TO", "John Doe", "CN"));
}

TEST(Rules, LoseAKeyThatTheirNewTypeHasNoUseFor) {
  Web w;
  auto e = accepted(w.change(Kind::l7rule, {{"type", "HEADER"}, {"key", "X-A"}}));
  w.model = settled(e.model);
  e = accepted(w.change(Kind::l7rule, {{"type", "PATH"}}));
  EXPECT_EQ(e.model.l7rules.at(w.rule).key, "");
}

TEST(Rules, AreFiftyAtMost) {
  Web w;
  for (int i = 1; i < 50; i++)
    w.model = settled(accepted(w.add_rule("PATH", "EQUAL_TO", "/a")).model);
  EXPECT_THAT(refused(w.add_rule("PATH", "EQUAL_TO", "/a")),
              IsFault(409, "Too many rules on L7 policy " + w.policy.text()));
}

TEST(Rules, AreOfTheirPolicy) {
  Web w;
  const Uuid other = w.add({{"action", "REJECT"}});
  EXPECT_THAT(refused(remove(w.model, Kind::l7rule, other, w.rule, Cascade::no, kNow)),
              IsFault(404, "L7 Rule " + w.rule.text() + " not found."));
  const Uuid nobody = Uuid::random();
  EXPECT_THAT(
      refused(create(w.model, Kind::l7rule, nobody,
                     {{"rule", {{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", "/"}}}},
                     kNow)),
      IsFault(404, "L7 Policy " + nobody.text() + " not found."));
}

}  // namespace
}  // namespace model
