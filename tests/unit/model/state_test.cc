// The state file: what is saved is what is loaded; what is damaged is refused by name.
#include "tests/unit/model/house.h"

// After gtest, which it needs.
#include <rapidcheck/gtest.h>

#include "agent/model/show/state_text.h"

namespace model {
namespace {

// Text of every kind that JSON can carry.
rc::Gen<std::string> any_text() {
  return rc::gen::map(
      rc::gen::container<std::vector<char32_t>>(rc::gen::oneOf(
          rc::gen::inRange<char32_t>(0, 0x80), rc::gen::inRange<char32_t>(0x80, 0xd800),
          rc::gen::inRange<char32_t>(0x10000, 0x110000))),
      [](const std::vector<char32_t>& points) {
        std::string out;
        for (char32_t c : points) {
          auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
          if (c < 0x80) {
            put(c);
          } else if (c < 0x800) {
            put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
          } else if (c < 0x10000) {
            put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
          } else {
            put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f));
            put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
          }
        }
        return out;
      });
}

rc::Gen<base::IpAddress> any_address() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::arbitrary<bool>(),
                    rc::gen::container<std::vector<uint8_t>>(16, rc::gen::arbitrary<uint8_t>())),
      [](const std::pair<bool, std::vector<uint8_t>>& p) {
        return base::IpAddress::from_bytes(p.first ? base::Family::ipv6 : base::Family::ipv4,
                                           p.second.data());
      });
}

template <class E>
E any_of(int count) {
  return static_cast<E>(*rc::gen::inRange(0, count));
}

void fill(Common& c) {
  c.id = Uuid::random();
  c.name = *any_text();
  c.admin_state_up = *rc::gen::arbitrary<bool>();
  c.tags = *rc::gen::container<std::vector<std::string>>(any_text());
  c.provisioning_status = any_of<ProvisioningStatus>(5);
  c.created_at = Time{std::chrono::microseconds{*rc::gen::inRange<int64_t>(0, 4102444800000000)}};
  if (*rc::gen::arbitrary<bool>()) c.updated_at = c.created_at + std::chrono::microseconds{1};
}

LoadBalancer any_load_balancer(uint8_t index) {
  LoadBalancer lb;
  fill(lb);
  lb.description = *any_text();
  lb.project_id = *rc::gen::element<std::string>("", "p");
  lb.vip_address = base::IpAddress::v4(0xc6336400u + index);
  lb.vip_subnet_id = *rc::gen::element<std::string>("", Uuid::random().text());
  lb.vip_port_id = *rc::gen::element<std::string>("", Uuid::random().text());
  lb.provider = "amphora-xdp";
  if (*rc::gen::arbitrary<bool>())
    lb.additional_vips = {{base::IpAddress::v4(0xc6336500u + index), lb.vip_subnet_id}};
  return lb;
}

void add_policy(Model& m, const Listener& listener, const Pool& pool) {
  L7Policy policy;
  fill(policy);
  policy.description = *any_text();
  policy.listener = listener.id;
  policy.action = any_of<PolicyAction>(4);
  if (*rc::gen::arbitrary<bool>()) policy.redirect_pool = pool.id;
  policy.redirect_url = *rc::gen::element<std::string>("", "https://www.example.com/");
  if (*rc::gen::arbitrary<bool>()) policy.redirect_http_code = 307;
  policy.position = *rc::gen::inRange(1, 100);
  m.l7policies[policy.id] = policy;
  L7Rule rule;
  fill(rule);
  rule.name.clear();  // rules have none
  rule.policy = policy.id;
  rule.type = any_of<RuleType>(8);
  rule.compare_type = any_of<CompareType>(5);
  rule.key = *rc::gen::element<std::string>("", "X-Key");
  rule.value = "v";
  rule.invert = *rc::gen::arbitrary<bool>();
  m.l7rules[rule.id] = rule;
}

void fill_tls(Listener& listener, Pool& pool) {
  listener.insert_headers = {{"X-Forwarded-For", "true"}};
  listener.default_tls_container_ref = *rc::gen::element<std::string>("", "a");
  listener.sni_container_refs = {"b", "c"};
  listener.client_authentication = any_of<ClientAuthentication>(3);
  listener.tls_ciphers = *rc::gen::element<std::string>("", "AES");
  listener.tls_versions = {"TLSv1.3"};
  if (*rc::gen::arbitrary<bool>()) listener.hsts_max_age = 5;
  listener.hsts_preload = *rc::gen::arbitrary<bool>();
  pool.tls_enabled = *rc::gen::arbitrary<bool>();
  pool.ca_tls_container_ref = *rc::gen::element<std::string>("", "ca");
  pool.alpn_protocols = {"h2"};
}

Model any_model() {
  Model m;
  auto count = *rc::gen::inRange<uint8_t>(0, 3);
  for (uint8_t i = 0; i < count; i++) {
    LoadBalancer lb = any_load_balancer(i);
    m.load_balancers[lb.id] = lb;
    Pool pool;
    fill(pool);
    pool.load_balancer = lb.id;
    pool.protocol = any_of<PoolProtocol>(7);
    pool.algorithm = any_of<Algorithm>(4);
    if (*rc::gen::arbitrary<bool>())
      pool.session_persistence =
          SessionPersistence{PersistenceType::source_ip, "", 60, "255.255.255.0"};
    Listener listener;
    fill_tls(listener, pool);
    fill(listener);
    m.pools[pool.id] = pool;
    listener.load_balancer = lb.id;
    listener.protocol = any_of<ListenerProtocol>(7);
    listener.protocol_port = *rc::gen::inRange<uint16_t>(1, 65535);
    if (*rc::gen::arbitrary<bool>()) listener.default_pool = pool.id;
    listener.connection_limit = *rc::gen::inRange(-1, 1000000);
    listener.timeout_client_data = *rc::gen::inRange<int64_t>(0, 2073600000);
    listener.allowed_cidrs = {{base::IpAddress::v4(0xc0000200), 24}};
    m.listeners[listener.id] = listener;
    Member member;
    fill(member);
    member.pool = pool.id;
    member.address = *any_address();
    member.protocol_port = *rc::gen::inRange<uint16_t>(1, 65535);
    member.weight = *rc::gen::inRange(0, 257);
    member.backup = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) member.monitor_address = *any_address();
    if (*rc::gen::arbitrary<bool>()) member.monitor_port = 1;
    m.members[member.id] = member;
    HealthMonitor monitor;
    fill(monitor);
    monitor.pool = pool.id;
    monitor.type = any_of<MonitorType>(7);
    monitor.delay = *rc::gen::inRange(0, 1000);
    monitor.timeout = *rc::gen::inRange(0, 1000);
    monitor.max_retries = *rc::gen::inRange(1, 11);
    if (*rc::gen::arbitrary<bool>()) monitor.http_version = any_of<HttpVersion>(2);
    monitor.expected_codes = *rc::gen::element<std::string>("", "200", "200-299");
    monitor.url_path = *rc::gen::element<std::string>("", "/");
    monitor.domain_name = *rc::gen::element<std::string>("", "www.example.com");
    m.health_monitors[monitor.id] = monitor;
    add_policy(m, listener, pool);
  }
  return m;
}

RC_GTEST_PROP(State, LoadsWhatItSaves, ()) {
  Model m = any_model();
  std::string text = save(m).dump();
  auto loaded = load(json::parse(text));
  if (!loaded) RC_FAIL(loaded.error().message());
  RC_ASSERT(*loaded == m);
}

std::string why(const json& state) {
  auto loaded = load(state);
  return loaded ? "loaded" : loaded.error().message();
}

TEST(State, OfAnAgentWithoutMonitorsIsRead) {
  Model m = House().model;
  json state = save(m);
  state.erase("health_monitors");
  EXPECT_EQ(*load(state), m);
}

TEST(State, OfAnAgentWithoutL7AndTlsIsRead) {
  Model m = House().model;
  json state = save(m);
  state.erase("l7policies");
  state.erase("l7rules");
  for (const char* field :
       {"insert_headers", "default_tls_container_ref", "sni_container_refs",
        "client_ca_tls_container_ref", "client_authentication", "client_crl_container_ref",
        "tls_ciphers", "tls_versions", "alpn_protocols", "hsts_max_age", "hsts_include_subdomains",
        "hsts_preload"})
    ASSERT_EQ(state["listeners"][0].erase(field), 1u) << field;
  for (const char* field : {"tls_container_ref", "ca_tls_container_ref", "crl_container_ref",
                            "tls_enabled", "tls_ciphers", "tls_versions", "alpn_protocols"})
    ASSERT_EQ(state["pools"][0].erase(field), 1u) << field;
  auto loaded = load(state);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(*loaded, m);
}

TEST(State, PoliciesAndRulesNameWhatIsThere) {
  const json state = save(House().with_policy().model);
  json damaged = state;
  damaged["l7policies"][0]["listener_id"] = Uuid::random().text();
  EXPECT_THAT(why(damaged), ::testing::HasSubstr("listener_id: names no listener"));
  damaged = state;
  damaged["l7policies"][0]["redirect_pool_id"] = Uuid::random().text();
  EXPECT_THAT(why(damaged), ::testing::HasSubstr("redirect_pool_id: names no pool"));
  damaged = state;
  damaged["l7rules"][0]["l7policy_id"] = Uuid::random().text();
  EXPECT_THAT(why(damaged), ::testing::HasSubstr("l7policy_id: names no policy"));
}

TEST(State, APoolHasOneMonitor) {
  json state = save(House().watched().model);
  json second = state["health_monitors"][0];
  second["id"] = Uuid::random().text();
  state["health_monitors"].push_back(second);
  EXPECT_THAT(why(state), ::testing::HasSubstr("has two"));
}

// Whatever was written before, the text says the model that it is asked about.
RC_GTEST_PROP(StateText, SaysWhatSaveSays, ()) {
  const Model models[] = {Model{}, House().model, House().watched().model,
                          House().with_policy().model};
  StateText text;
  const auto turns = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4));
  for (const int turn : turns) {
    Model m = models[turn];
    for (auto& [id, member] : m.members) member.weight = *rc::gen::inRange(0, 3);
    RC_ASSERT(nlohmann::json::parse(text.of(m)) == save(m));
  }
}

TEST(State, OfAnEmptyModelIsEmpty) { EXPECT_EQ(*load(save(Model{})), Model{}); }

TEST(State, OfAnotherVersionIsRefused) {
  json state = save(House().model);
  state["version"] = 2;
  EXPECT_EQ(why(state), "state: version: is 2, this agent reads version 1");
  state.erase("version");
  EXPECT_EQ(why(state), "state: version: is missing, this agent reads version 1");
  EXPECT_EQ(why(json::array()), "state: is not a JSON object");
}

TEST(State, DamageIsNamed) {
  const json state = save(House().model);
  auto with = [&](const char* pointer, const json& value) {
    json damaged = state;
    damaged[json::json_pointer(pointer)] = value;
    return why(damaged);
  };
  EXPECT_EQ(with("/members/0/weight", 257),
            "state: members[0].weight: Invalid input for field/attribute weight. Value: '257'. "
            "Value should be lower or equal to 256");
  EXPECT_EQ(with("/members/0/weight", nullptr), "state: members[0].weight: is null");
  EXPECT_EQ(with("/members/0/bogus", 1), "state: members[0].bogus: is unknown");
  EXPECT_EQ(with("/members/0", 1), "state: members[0]: is not an object");
  EXPECT_EQ(with("/members", 1), "state: members: is not a list");
  EXPECT_EQ(with("/bogus", 1), "state: bogus: is unknown");
  EXPECT_THAT(with("/members/0/pool_id", Uuid::random().text()),
              ::testing::HasSubstr("pool_id: names no pool"));
  EXPECT_THAT(with("/listeners/0/default_pool_id", Uuid::random().text()),
              ::testing::HasSubstr("default_pool_id: names no pool of its load balancer"));
  EXPECT_THAT(with("/pools/0/loadbalancer_id", Uuid::random().text()),
              ::testing::HasSubstr("loadbalancer_id: names no load balancer"));
  EXPECT_THAT(with("/members/0/created_at", "2026-13-01T00:00:00.000000"),
              ::testing::HasSubstr("members[0].created_at"));
}

TEST(State, EveryMissingFieldIsNamed) {
  const json state = save(House().model);
  for (const char* list : {"load_balancers", "listeners", "pools", "members"})
    for (const auto& [key, value] : state[list][0].items()) {
      if (key.find("tls") != std::string::npos || key.find("hsts") == 0 ||
          key.find("_ref") != std::string::npos || key == "insert_headers" ||
          key == "client_authentication" || key == "alpn_protocols" || key == "renewals")
        continue;  // younger than the state file
      json damaged = state;
      damaged[list][0].erase(key);
      EXPECT_EQ(why(damaged), "state: " + std::string(list) + "[0]." + key + ": is missing");
    }
}

TEST(State, DoublesAreRefused) {
  json state = save(House().model);
  json twin = state["members"][0];
  state["members"].push_back(twin);
  EXPECT_THAT(why(state), ::testing::HasSubstr("is given twice"));
  state["members"][1]["id"] = Uuid::random().text();
  EXPECT_THAT(why(state), ::testing::HasSubstr("192.0.2.11:8080 is given twice"));
  state["members"].erase(1);
  json listener = state["listeners"][0];
  listener["id"] = Uuid::random().text();
  state["listeners"].push_back(listener);
  EXPECT_THAT(why(state), ::testing::HasSubstr("protocol_port: 80 is used twice"));
}

// Damage of any byte: never a crash, and never a model that is not what was saved.
RC_GTEST_PROP(State, SurvivesDamage, ()) {
  std::string text = save(House().model).dump();
  auto at = *rc::gen::inRange<size_t>(0, text.size());
  text[at] = *rc::gen::arbitrary<char>();
  json state = json::parse(text, nullptr, false);
  if (state.is_discarded()) return;
  auto loaded = load(state);
  if (loaded) RC_ASSERT(*load(save(*loaded)) == *loaded);
}

}  // namespace
}  // namespace model
