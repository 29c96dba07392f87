// Replays requests that a real Octavia answered, on a model with the same resources: the same
// status, the same error, the same keys. samples/ holds the recorded pairs.
#include <fstream>

#include "agent/model/show/query.h"
#include "tests/unit/model/house.h"

namespace model {
namespace {

using PS = ProvisioningStatus;

json sample(const std::string& name) {
  std::ifstream in(std::string(MODEL_SAMPLES) + "/" + name + ".json");
  return json::parse(in);
}

Uuid id_of(const std::string& text) { return Uuid::parse(text).value_or(Uuid{}); }

const Uuid kLb = id_of("b3c1f3bf-0a62-43df-85cc-96228658aff9");
const Uuid kTcp = id_of("1864e341-5a5a-43c9-8c23-ebc705859172");
const Uuid kHttp = id_of("d5b28d30-1125-453e-bc52-30fd8020f603");
const Uuid kPool = id_of("f3b7ad9c-1652-4ddd-8265-7305ee660c2a");
const Uuid kHttpPool = id_of("e3216d0b-4752-4729-b9cc-bcc0acba42d8");
const Uuid kPolicy = id_of("8ad73e8e-dc12-4bf8-991c-b21a93e82b0f");

// As after sample 01, and the member of samples 26 to 28.
void add_l7(Model& m) {
  Pool pool;
  pool.id = kHttpPool;
  pool.load_balancer = kLb;
  pool.protocol = PoolProtocol::http;
  m.pools[pool.id] = pool;
  m.listeners.at(kHttp).default_pool = pool.id;
  L7Policy policy;
  policy.id = kPolicy;
  policy.listener = kHttp;
  policy.action = PolicyAction::redirect_to_pool;
  policy.redirect_pool = pool.id;
  m.l7policies[policy.id] = policy;
  L7Rule rule;
  rule.id = id_of("0c411428-1956-48f0-8ec0-d99a7b0982de");
  rule.policy = policy.id;
  rule.value = "/x";
  m.l7rules[rule.id] = rule;
}

Model recorded() {
  Model m;
  LoadBalancer lb;
  lb.id = kLb;
  lb.vip_address = *base::IpAddress::parse("203.0.113.10");
  m.load_balancers[kLb] = lb;
  Pool pool;
  pool.id = kPool;
  pool.load_balancer = kLb;
  m.pools[kPool] = pool;
  for (const Uuid& id : {kTcp, kHttp}) {
    Listener listener;
    listener.id = id;
    listener.load_balancer = kLb;
    listener.protocol = id == kTcp ? ListenerProtocol::tcp : ListenerProtocol::http;
    listener.protocol_port = id == kTcp ? 80 : 8080;
    if (id == kTcp) listener.default_pool = kPool;
    m.listeners[id] = listener;
  }
  const std::tuple<const char*, const char*, uint16_t> members[] = {
      {"66321baa-8c38-4bcb-8ec9-aa3e4fad8d1e", "192.0.2.11", 8080},
      {"d2ca4cd8-d9c6-4dce-b2f5-59733465e181", "192.0.2.14", 80}};
  for (const auto& [id, address, port] : members) {
    Member member;
    member.id = id_of(id);
    member.pool = kPool;
    member.address = *base::IpAddress::parse(address);
    member.protocol_port = port;
    m.members[member.id] = member;
  }
  HealthMonitor monitor;
  monitor.id = id_of("23f5612a-a323-43d1-9b4a-a9b2a4ecc420");
  monitor.pool = kPool;
  monitor.delay = 5;
  monitor.timeout = 3;
  monitor.max_retries = 2;
  m.health_monitors[monitor.id] = monitor;
  add_l7(m);
  return m;
}

void lock_all(Model& m) {
  m.load_balancers[kLb].provisioning_status = PS::pending_create;
  m.pools[kPool].provisioning_status = PS::pending_create;
}

struct Target {
  Kind kind = Kind::load_balancer;
  Uuid parent, id;
  bool all_members = false;
};

Target target_of(const std::string& path) {
  std::vector<std::string> parts;
  std::istringstream in(path.substr(std::string("/v2/lbaas/").size(), path.find('?') - 10));
  for (std::string part; std::getline(in, part, '/');) parts.push_back(part);
  std::string id = parts.size() > 1 ? parts[1] : "";
  if (parts[0] == "loadbalancers") return {Kind::load_balancer, {}, id_of(id)};
  if (parts[0] == "healthmonitors") return {Kind::health_monitor, {}, id_of(id)};
  if (parts[0] == "l7policies") return {Kind::l7policy, {}, id_of(id)};
  if (parts[0] == "listeners") return {Kind::listener, {}, id_of(id)};
  if (parts.size() < 3) return {Kind::pool, {}, id_of(id)};
  if (parts.size() == 3) return {Kind::member, id_of(id), {}, true};
  return {Kind::member, id_of(id), id_of(parts[3])};
}

Outcome<Edited> replay(const Model& m, const json& request) {
  Target t = target_of(request["path"]);
  const json& body = request["body"];
  if (request["method"] == "POST") return create(m, t.kind, t.parent, body, kNow);
  if (request["method"] == "DELETE") return remove(m, t.kind, t.parent, t.id, Cascade::no, kNow);
  if (t.all_members) return replace_members(m, t.parent, body, Additive::no, kNow);
  return update(m, t.kind, t.parent, t.id, body, kNow);
}

std::set<std::string> keys(const json& object) {
  std::set<std::string> names;
  for (const auto& [key, value] : object.items()) names.insert(key);
  return names;
}

class RefusedAsRecorded : public ::testing::TestWithParam<const char*> {};

TEST_P(RefusedAsRecorded, StatusAndText) {
  json pair = sample(GetParam());
  Model m = recorded();
  if (std::string(GetParam()).find("while-pending") != std::string::npos) lock_all(m);
  EXPECT_THAT(refused(replay(m, pair["request"])),
              IsFault(pair["status"].get<int>(), pair["body"]["faultstring"].get<std::string>()));
}

INSTANTIATE_TEST_SUITE_P(
    Samples, RefusedAsRecorded,
    ::testing::Values("02-listener-create-while-pending-409", "03-lb-update-while-pending-409",
                      "04-member-create-while-pending-409", "15-create-listener-missing-field-400",
                      "16-create-listener-bad-enum-400", "17-create-listener-bad-port-400",
                      "18-create-listener-unknown-attr-400", "19-listener-duplicate-port-409",
                      "20-update-immutable-attr-400", "21-delete-lb-with-children-400",
                      "22-member-duplicate-409", "23-hm-duplicate-409", "41-hm-bad-type-for-udp",
                      "33-body-not-an-object-500", "34-lb-no-vip-400"));

class ShownAsRecorded : public ::testing::TestWithParam<const char*> {};

TEST_P(ShownAsRecorded, SameKeys) {
  json pair = sample(GetParam());
  Model m = recorded();
  Target t = target_of(pair["request"]["path"]);
  if (pair["request"]["method"] != "GET") {
    if (t.kind == Kind::member && t.id.is_nil()) m.members.erase(std::prev(m.members.end()));
    Edited edited = accepted(replay(m, pair["request"]));
    m = edited.model;
    t.id = edited.id;
  }
  json shown = show_one(m, t.kind, t.id);
  json recorded_answer = pair["body"][singular(t.kind)];
  EXPECT_EQ(keys(shown), keys(recorded_answer));
  if (pair["request"]["method"] != "GET")
    for (const char* key : {"provisioning_status", "admin_state_up", "weight", "protocol",
                            "lb_algorithm", "protocol_port", "connection_limit", "allowed_cidrs",
                            "timeout_client_data", "session_persistence", "insert_headers"})
      if (recorded_answer.contains(key)) {
        EXPECT_EQ(shown[key], recorded_answer[key]) << key;
      }
}

INSTANTIATE_TEST_SUITE_P(Samples, ShownAsRecorded,
                         ::testing::Values("05-lb-show", "08-listener-show", "10-pool-show",
                                           "12-healthmonitor-show", "24-listener-create",
                                           "35-l7policy-show", "25-pool-create", "26-member-create",
                                           "27-member-update"));

TEST(Samples, TreeHasTheRecordedKeys) {
  json pair = sample("01-create-lb-full-graph");
  json body = pair["request"]["body"];
  Edited edited = accepted(create(Model{}, Kind::load_balancer, Uuid{}, body, kNow));
  json tree = show_tree(edited.model, edited.model.load_balancers.at(edited.id));
  const json& answer = pair["body"]["loadbalancer"];
  EXPECT_EQ(keys(tree), keys(answer));
  ASSERT_EQ(tree["listeners"].size(), 2u);
  // The recorded list starts with the younger one.
  const json &with_policy = tree["listeners"][1], &recorded_listener = answer["listeners"][0];
  EXPECT_EQ(keys(with_policy), keys(recorded_listener));
  const json &policy = with_policy["l7policies"][0],
             &recorded_policy = recorded_listener["l7policies"][0];
  EXPECT_EQ(keys(policy), keys(recorded_policy));
  EXPECT_EQ(policy["redirect_pool_id"], with_policy["default_pool_id"]);
  EXPECT_EQ(keys(policy["rules"][0]), keys(recorded_policy["rules"][0]));
  EXPECT_EQ(keys(tree["pools"][0]), keys(answer["pools"][0]));
  EXPECT_EQ(tree["pools"][0]["session_persistence"], answer["pools"][0]["session_persistence"]);
  EXPECT_EQ(keys(tree["pools"][0]["members"][0]), keys(answer["pools"][0]["members"][0]));
}

TEST(Samples, StatusTreeHasTheRecordedKeys) {
  json pair = sample("06-lb-status-tree");
  Model m = recorded();
  json tree = status_tree(m, m.load_balancers.at(kLb));
  const json& answer = pair["body"]["statuses"];
  EXPECT_EQ(keys(tree), keys(answer));
  const json &lb = tree["loadbalancer"], &recorded_lb = answer["loadbalancer"];
  EXPECT_EQ(keys(lb), keys(recorded_lb));
  std::map<std::string, json> by_id;
  for (const json& listener : lb["listeners"]) by_id[listener["id"]] = listener;
  for (const json& listener : recorded_lb["listeners"]) {
    const json& mine = by_id.at(listener["id"]);
    EXPECT_EQ(keys(mine), keys(listener));
    ASSERT_EQ(mine["pools"].size(), listener["pools"].size());
    EXPECT_EQ(keys(mine["pools"][0]), keys(listener["pools"][0]));
    EXPECT_EQ(mine["pools"][0]["id"], listener["pools"][0]["id"]);
  }
}

TEST(Samples, RuleListHasTheRecordedKeys) {
  json pair = sample("36-l7rule-list");
  Model m = recorded();
  json answer = std::get<json>(
      list(listable(Kind::l7rule), show_all(m, Kind::l7rule, kPolicy), {}, "http://localhost/x"));
  EXPECT_EQ(keys(answer), keys(pair["body"]));
  ASSERT_EQ(answer["rules"].size(), 1u);
  EXPECT_EQ(keys(answer["rules"][0]), keys(pair["body"]["rules"][0]));
}

TEST(Samples, DeletesAreAccepted) {
  for (const char* name : {"38-delete-member", "39-delete-lb-cascade"}) {
    json request = sample(name)["request"];
    Target t = target_of(request["path"]);
    Model m = recorded();
    if (t.kind == Kind::member) {
      m.members.begin()->second.pool = t.parent;
      t.id = m.members.begin()->first;
    }
    accepted(remove(m, t.kind, t.parent, t.id, Cascade::yes, kNow));
  }
}

TEST(Samples, BatchIsAccepted) {
  accepted(replay(recorded(), sample("28-member-batch-update")["request"]));
}

TEST(Samples, MemberListHasTheRecordedKeys) {
  json pair = sample("11-member-list");
  Model m = recorded();
  std::vector<json> shown;
  for (const auto& [id, member] : m.members) shown.push_back(show(m, member));
  json answer = std::get<json>(list(listable(Kind::member), shown, {}, "http://localhost/x"));
  EXPECT_EQ(keys(answer), keys(pair["body"]));
  EXPECT_EQ(keys(answer["members"][0]), keys(pair["body"]["members"][0]));
  EXPECT_EQ(answer["members_links"], pair["body"]["members_links"]);
}

// "/v2/lbaas/listeners?limit=1&..." cut into base and parameters.
std::pair<std::string, QueryParameters> cut(const std::string& path) {
  size_t mark = path.find('?');
  QueryParameters parameters;
  std::istringstream in(path.substr(mark + 1));
  for (std::string one; std::getline(in, one, '&');) {
    size_t equal = one.find('=');
    parameters.emplace_back(one.substr(0, equal), one.substr(equal + 1));
  }
  return {"http://localhost" + path.substr(0, mark), parameters};
}

TEST(Samples, ListsOfListeners) {
  Model m = recorded();
  std::vector<json> shown;
  for (const auto& [id, listener] : m.listeners) shown.push_back(show(m, listener));
  for (const char* name :
       {"29-list-pagination", "30-list-fields", "31-list-bad-filter-400", "32-list-bad-sort-400"}) {
    SCOPED_TRACE(name);
    json pair = sample(name);
    auto [base, parameters] = cut(pair["request"]["path"]);
    auto answer = list(listable(Kind::listener), shown, parameters, base);
    if (pair["status"] != 200) {
      EXPECT_THAT(std::get<Fault>(answer), IsFault(pair["status"].get<int>(),
                                                   pair["body"]["faultstring"].get<std::string>()));
      continue;
    }
    const json& got = std::get<json>(answer);
    EXPECT_EQ(got["listeners_links"], pair["body"]["listeners_links"]);
    EXPECT_EQ(keys(got["listeners"][0]), keys(pair["body"]["listeners"][0]));
  }
}

}  // namespace
}  // namespace model
