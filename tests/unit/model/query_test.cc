// Lists: filters, order, pages, fields.
#include "agent/model/show/query.h"

#include "tests/unit/model/house.h"

namespace model {
namespace {

const std::string kBase = "http://localhost/v2/lbaas/pools/p/members";

// Five members "a" to "e", in this order of creation, weights 3 1 2 1 3.
struct Lists : ::testing::Test {
  std::vector<json> shown;
  Lists() {
    const int weights[] = {3, 1, 2, 1, 3};
    Model m;
    for (int i = 0; i < 5; i++) {
      Member member;
      member.id.bytes[15] = static_cast<uint8_t>(0x50 - i);
      member.name = std::string(1, static_cast<char>('a' + i));
      member.address = base::IpAddress::v4(0xc0000201u + static_cast<uint32_t>(i));
      member.protocol_port = 80;
      member.weight = weights[i];
      member.backup = i == 4;
      member.created_at = Time{std::chrono::seconds{100 + i}};
      if (i < 2) member.tags = {"red"};
      if (i == 1) member.tags.push_back("big");
      shown.push_back(show(m, member));
    }
    std::swap(shown[0], shown[3]);
  }
  json ask(const QueryParameters& parameters) const {
    auto answer = list(listable(Kind::member), shown, parameters, kBase);
    if (const auto* fault = std::get_if<Fault>(&answer)) {
      ADD_FAILURE() << fault->text;
      return {};
    }
    return std::get<json>(answer);
  }
  std::string names(const QueryParameters& parameters) const {
    std::string all;
    const json answer = ask(parameters);
    for (const json& one : answer["members"]) all += one["name"].get<std::string>();
    return all;
  }
  Fault fault(const QueryParameters& parameters) const {
    auto answer = list(listable(Kind::member), shown, parameters, kBase);
    const auto* found = std::get_if<Fault>(&answer);
    return found ? *found : Fault{0, "accepted"};
  }
  std::string id(const char* name) const {
    for (const json& one : shown)
      if (one["name"] == name) return one["id"];
    return "";
  }
};

TEST_F(Lists, AreInOrderOfCreation) { EXPECT_EQ(names({}), "abcde"); }

TEST_F(Lists, Sort) {
  EXPECT_EQ(names({{"sort", "name:desc"}}), "edcba");
  EXPECT_EQ(names({{"sort", "weight"}}), "bdcae");
  EXPECT_EQ(names({{"sort", "weight:DESC,name:desc"}}), "eacdb");
  EXPECT_EQ(names({{"sort_key", "weight,name"}, {"sort_dir", "asc,desc"}}), "dbcea");
  EXPECT_EQ(names({{"sort_key", "weight,name"}, {"sort_dir", "desc"}}), "aecbd");
  EXPECT_THAT(fault({{"sort", "bogus"}}), IsFault(400, "Supplied sort key 'bogus' is not valid."));
  EXPECT_THAT(fault({{"sort", "tags"}}), IsFault(400, "Supplied sort key 'tags' is not valid."));
  EXPECT_THAT(fault({{"sort", "name:up"}}),
              IsFault(400, "Supplied sort direction 'up' is not valid."));
  EXPECT_EQ(fault({{"sort", "name:asc:x"}}).status, 400);
}

TEST_F(Lists, Filter) {
  EXPECT_EQ(names({{"name", "c"}}), "c");
  EXPECT_EQ(names({{"weight", "3"}}), "ae");
  EXPECT_EQ(names({{"weight", "3"}, {"backup", "True"}}), "e");
  EXPECT_EQ(names({{"backup", "no"}}), "abcd");
  EXPECT_EQ(names({{"address", "192.0.2.2"}}), "b");
  EXPECT_EQ(names({{"subnet_id", "x"}}), "");
  const char* bad = "One or more arguments are either duplicate or invalid";
  EXPECT_THAT(fault({{"bogus", "1"}}), IsFault(400, bad));
  EXPECT_THAT(fault({{"name", "a"}, {"name", "b"}}), IsFault(400, bad));
  EXPECT_THAT(fault({{"limit", "1"}, {"limit", "2"}}), IsFault(400, bad));
  EXPECT_THAT(fault({{"loadbalancer_id", "x"}}), IsFault(400, bad));
}

TEST_F(Lists, FilterByTags) {
  EXPECT_EQ(names({{"tags", "red"}}), "ab");
  EXPECT_EQ(names({{"tags", "red,big"}}), "b");
  EXPECT_EQ(names({{"tags-any", "red,big"}}), "ab");
  EXPECT_EQ(names({{"not-tags", "red,big"}}), "acde");
  EXPECT_EQ(names({{"not-tags-any", "red,big"}}), "cde");
}

TEST_F(Lists, OfChildrenFilterByLoadBalancer) {
  House h;
  std::vector<json> listeners{show(h.model, h.model.listeners.at(h.listener))};
  auto count = [&](const std::string& lb) {
    auto answer = list(listable(Kind::listener), listeners, {{"loadbalancer_id", lb}}, kBase);
    return std::get<json>(answer)["listeners"].size();
  };
  EXPECT_EQ(count(h.lb.text()), 1u);
  EXPECT_EQ(count(h.pool.text()), 0u);
}

// What Octavia 11 takes for each kind beyond what it shows, and what it sorts by.
TEST(Queries, KnowEveryNameThatOctaviaHas) {
  const std::vector<std::pair<Kind, std::vector<std::string>>> names{
      {Kind::load_balancer, {"vip_address", "vip_subnet_id", "enabled", "flavor_id", "provider"}},
      {Kind::listener, {"loadbalancer_id", "load_balancer_id", "default_pool_id", "enabled"}},
      {Kind::pool, {"loadbalancer_id", "load_balancer_id", "healthmonitor_id", "enabled"}},
      {Kind::member, {"pool_id", "ip_address", "address", "enabled", "monitor_port"}},
      {Kind::health_monitor, {"pool_id", "rise_threshold", "fall_threshold", "max_retries"}},
      {Kind::l7policy, {"listener_id", "redirect_pool_id", "position", "enabled"}},
      {Kind::l7rule, {"l7policy_id", "compare_type", "enabled"}},
  };
  const auto answer = [](Kind kind, const QueryParameters& parameters) {
    return list(listable(kind), {}, parameters, kBase);
  };
  for (const auto& [kind, all] : names) {
    for (const std::string& name : all) {
      EXPECT_TRUE(std::holds_alternative<json>(answer(kind, {{name, "x"}})))
          << plural(kind) << " " << name;
      EXPECT_TRUE(std::holds_alternative<json>(answer(kind, {{"sort", name + ":desc"}})))
          << plural(kind) << " " << name;
    }
    EXPECT_TRUE(std::holds_alternative<Fault>(answer(kind, {{"amphora_id", "x"}})));
    EXPECT_TRUE(std::holds_alternative<Fault>(answer(kind, {{"sort", "amphora_id"}})));
  }
}

// The ids of the listed that match, in order.
std::string ids(const Outcome<json>& answer, const char* plural) {
  std::string out;
  for (const json& one : std::get<json>(answer)[plural]) out += one["id"].get<std::string>() + " ";
  return out;
}

TEST(Queries, FindWhatIsOfSomething) {
  const House h = House().watched().with_policy();
  const json pool = show(h.model, h.model.pools.at(h.pool));
  const std::string monitor = pool["healthmonitor_id"];
  const auto ask = [&](Kind kind, const char* name, const std::string& value) {
    return ids(
        list(listable(kind), show_all(h.model, kind, h.pool), {{name, value}}, kBase, h.pool),
        listable(kind).plural.c_str());
  };
  for (const char* name : {"loadbalancer_id", "load_balancer_id"}) {
    EXPECT_EQ(ask(Kind::pool, name, h.lb.text()), h.pool.text() + " ");
    EXPECT_EQ(ask(Kind::pool, name, h.pool.text()), "");
  }
  EXPECT_EQ(ask(Kind::pool, "healthmonitor_id", monitor), h.pool.text() + " ");
  EXPECT_EQ(ask(Kind::pool, "healthmonitor_id", h.lb.text()), "");
  EXPECT_EQ(ask(Kind::member, "pool_id", h.pool.text()), h.member.text() + " ");
  EXPECT_EQ(ask(Kind::member, "pool_id", h.lb.text()), "");
  EXPECT_EQ(ask(Kind::member, "ip_address", "192.0.2.11"), h.member.text() + " ");
  EXPECT_EQ(ask(Kind::health_monitor, "pool_id", h.pool.text()), monitor + " ");
  EXPECT_EQ(ask(Kind::health_monitor, "pool_id", h.lb.text()), "");
  EXPECT_EQ(ask(Kind::health_monitor, "enabled", "false"), "");
  const L7Policy& policy = h.model.l7policies.begin()->second;
  const L7Rule& rule = h.model.l7rules.begin()->second;
  const auto rules = [&](const Uuid& of) {
    return ids(list(listable(Kind::l7rule), show_all(h.model, Kind::l7rule, policy.id),
                    {{"l7policy_id", of.text()}}, kBase, policy.id),
               "rules");
  };
  EXPECT_EQ(rules(policy.id), rule.id.text() + " ");
  EXPECT_EQ(rules(h.lb), "");
  EXPECT_EQ(ask(Kind::l7policy, "listener_id", policy.listener.text()), policy.id.text() + " ");
}

TEST(Queries, SortByWhatSomethingIsOf) {
  std::vector<json> shown;
  for (const int n : {2, 3, 1}) {
    Pool pool;
    pool.id.bytes[15] = static_cast<uint8_t>(n);
    pool.load_balancer.bytes[15] = static_cast<uint8_t>(9 - n);
    shown.push_back(show(Model{}, pool));
  }
  const auto order = [&](const char* sort) {
    const auto answer = list(listable(Kind::pool), shown, {{"sort", sort}}, kBase);
    std::string out;
    for (const json& one : std::get<json>(answer)["pools"])
      out += one["id"].get<std::string>().back();
    return out;
  };
  EXPECT_EQ(order("load_balancer_id"), "321");
  EXPECT_EQ(order("loadbalancer_id:desc"), "123");
}

TEST_F(Lists, Limit) {
  EXPECT_EQ(names({{"limit", "2"}}), "ab");
  EXPECT_EQ(names({{"limit", "99"}}), "abcde");
  for (const char* none : {"0", "-1", "infinite", "99999999999999999999"})
    EXPECT_EQ(names({{"limit", none}}), "abcde") << none;
  EXPECT_THAT(fault({{"limit", "x"}}), IsFault(400, "Supplied pagination limit 'x' is not valid."));
  EXPECT_EQ(fault({{"limit", ""}}).status, 400);
}

TEST_F(Lists, Links) {
  EXPECT_EQ(ask({})["members_links"], json::array());
  EXPECT_EQ(ask({{"limit", "9"}})["members_links"], json::array());
  json next = {{{"rel", "next"}, {"href", kBase + "?limit=2&backup=no&marker=" + id("b")}}};
  EXPECT_EQ(ask({{"limit", "2"}, {"backup", "no"}})["members_links"], next);
  json both = ask({{"limit", "2"}, {"marker", id("b")}})["members_links"];
  EXPECT_EQ(both, json({{{"rel", "previous"},
                         {"href", kBase + "?limit=2&marker=" + id("c") + "&page_reverse=True"}},
                        {{"rel", "next"}, {"href", kBase + "?limit=2&marker=" + id("d")}}}));
  json encoded = ask({{"limit", "1"}, {"tags", "red"}, {"name", "a"}, {"fields", "a b&c"}});
  EXPECT_THAT(encoded["members_links"][0]["href"].get<std::string>(),
              ::testing::HasSubstr("fields=a%20b%26c"));
}

TEST_F(Lists, Pages) {
  EXPECT_EQ(names({{"limit", "2"}, {"marker", id("b")}}), "cd");
  EXPECT_EQ(names({{"limit", "2"}, {"marker", id("d")}}), "e");
  EXPECT_EQ(names({{"limit", "2"}, {"marker", id("e")}}), "");
  EXPECT_EQ(names({{"limit", "2"}, {"marker", id("d")}, {"page_reverse", "True"}}), "bc");
  EXPECT_EQ(names({{"limit", "1"}, {"marker", id("c")}, {"sort", "weight"}}), "a");
  EXPECT_EQ(names({{"weight", "3"}, {"marker", id("b")}}), "e");
  EXPECT_THAT(fault({{"marker", "x"}}),
              IsFault(400, "Supplied pagination marker 'x' is not valid."));
}

TEST_F(Lists, EveryPageOnceWhateverTheOrder) {
  for (const char* sort : {"weight", "weight:desc", "name:desc", "subnet_id"}) {
    std::string all;
    QueryParameters page{{"sort", sort}, {"limit", "2"}};
    for (int i = 0; i < 3; i++) {
      json answer = ask(page);
      for (const json& one : answer["members"]) all += one["name"].get<std::string>();
      if (answer["members"].empty()) break;
      page = {{"sort", sort}, {"limit", "2"}, {"marker", answer["members"].back()["id"]}};
    }
    EXPECT_EQ(all, names({{"sort", sort}}));
  }
}

TEST_F(Lists, Fields) {
  json first = ask({{"fields", "name"}, {"fields", "weight"}, {"fields", "bogus"}})["members"][0];
  EXPECT_EQ(first, json({{"name", "a"}, {"weight", 3}}));
  EXPECT_EQ(select_fields(shown[0], {{"fields", "name"}}).size(), 1u);
  EXPECT_EQ(select_fields(shown[0], {}), shown[0]);
}

}  // namespace
}  // namespace model
