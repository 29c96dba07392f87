// The configuration file: what is read, and what is said of a bad one.
#include "agent/serve/config.h"

#include <gmock/gmock.h>

namespace serve {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string fault(const std::string& text) {
  auto config = parse_config(text, "agent.json");
  return config ? "" : config.error().message();
}

TEST(Config, MayStayInTheNamespaceThatItIsStartedIn) {
  EXPECT_EQ(parse_config(R"({"namespace": ""})", "agent.json")->netns, "");
}

TEST(Config, EmptyObjectIsAllDefaults) {
  auto config = parse_config("{}", "agent.json");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->netns, "amphora-haproxy");
  EXPECT_EQ(config->snat_port_min, 1024);
  EXPECT_EQ(config->layout.local_port_min, 61000);
  EXPECT_EQ(config->layout.local_port_max, 65535);
  EXPECT_THAT(config->layout.interfaces, IsEmpty());
}

TEST(Config, ReadsEveryField) {
  auto config = parse_config(R"({
    "namespace": "lb", "state_dir": "/s", "control_socket": "/c", "pin_root": "/p",
    "log_level": "debug", "hook": "xdp", "flow_table": {"ipv4_flows": 4096, "ipv6_flows": 1024},
    "snat_ports": [20000, 30000], "kernel_ports": [2000, 19999],
    "interfaces": [{"name": "eth1", "mac": "02:00:00:00:00:01", "hook": "tc", "mtu": 1400,
      "addresses": ["192.0.2.2/24", "2001:db8::2/64"],
      "routes": [{"destination": "0.0.0.0/0", "gateway": "192.0.2.1", "table": 7, "onlink": true,
                  "prefsrc": "192.0.2.2"}],
      "rules": [{"from": "192.0.2.10/32", "table": 7, "priority": 50}]}]})",
                             "agent.json");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->netns, "lb");
  EXPECT_EQ(config->state_dir, "/s");
  EXPECT_EQ(config->control_socket, "/c");
  EXPECT_EQ(config->pin_root, "/p");
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_EQ(config->hooks.of("eth0"), datapath::Hook::xdp);
  EXPECT_EQ(config->hooks.of("eth1"), datapath::Hook::tc);
  EXPECT_EQ(config->ipv4_flows, 4096u);
  EXPECT_EQ(config->ipv6_flows, 1024u);
  EXPECT_EQ(config->snat_port_min, 20000);
  EXPECT_EQ(config->snat_port_max, 30000);
  EXPECT_EQ(config->layout.local_port_min, 2000);
  EXPECT_EQ(config->layout.local_port_max, 19999);
  ASSERT_EQ(config->layout.interfaces.size(), 1u);
  const auto& eth1 = config->layout.interfaces[0];
  EXPECT_EQ(eth1.name, "eth1");
  EXPECT_EQ(eth1.mac->text(), "02:00:00:00:00:01");
  EXPECT_EQ(eth1.mtu, 1400);
  EXPECT_EQ(eth1.addresses.size(), 2u);
  ASSERT_EQ(eth1.routes.size(), 1u);
  EXPECT_EQ(eth1.routes[0].gateway->text(), "192.0.2.1");
  EXPECT_EQ(eth1.routes[0].table, 7u);
  EXPECT_TRUE(eth1.routes[0].onlink);
  ASSERT_EQ(eth1.rules.size(), 1u);
  EXPECT_EQ(eth1.rules[0].source.text(), "192.0.2.10/32");
  EXPECT_EQ(eth1.rules[0].priority, 50u);
}

TEST(Config, OfFlowsThatBegin) {
  auto config = parse_config(R"({"new_flows_per_second": {
    "per_client": 20, "per_listener": 1000,
    "listeners": {"6ba7b810-9dad-11d1-80b4-00c04fd430c8": {"per_network": 200, "per_client": 0}}}})",
                             "agent.json");
  ASSERT_TRUE(config.ok()) << config.error().message();
  const base::Uuid named = *base::Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(config->flow_rates.of(base::Uuid::random()),
            (plan::FlowRate{.listener = 1000, .client = 20, .network = 0}));
  EXPECT_EQ(config->flow_rates.of(named),
            (plan::FlowRate{.listener = 1000, .client = 0, .network = 200}))
      << "what it does not say is as of the others";
}

TEST(Config, OfAnAmphoraHasWhatOctaviaDoesNotSay) {
  const auto read = [](const char* text) {
    auto config = parse_config(text, "amphora.json", Whose::amphora);
    return config ? "" : config.error().message();
  };
  EXPECT_EQ(read(R"({"hook": "tc", "flow_table": {"ipv4_flows": 4096},
                     "new_flows_per_second": {"per_client": 20}, "snat_ports": [20000, 30000],
                     "kernel_ports": [40000, 50000]})"),
            "");
  EXPECT_EQ(read(R"({"namespace": "lb"})"), "amphora.json: namespace is not for an amphora");
  EXPECT_EQ(read(R"({"interfaces": []})"), "amphora.json: interfaces is not for an amphora");
}

TEST(Config, SyntaxErrorNamesFileAndLine) {
  EXPECT_THAT(fault("{\n\"namespace\": \"x\",\n}"), HasSubstr("agent.json:3: not JSON"));
}

TEST(Config, OfTheApi) {
  const auto good = [](const char* text) {
    auto config = parse_config(text, "agent.json");
    EXPECT_TRUE(config.ok()) << config.error().message();
    return config.ok() ? *config : Config{};
  };
  EXPECT_FALSE(good("{}").api.has_value());
  for (const char* loopback :
       {R"({"api_bind": "127.0.0.1:9876"})", R"({"api_bind": "[::1]:9876"})"}) {
    const auto api = good(loopback).api;
    ASSERT_TRUE(api.has_value());
    EXPECT_EQ(api->bind.port, 9876);
    EXPECT_EQ(api->certificate + api->key + api->token_file, "");
  }
  const auto api = good(R"({"api_bind": "192.0.2.5:443", "api_token_file": "/t",
                            "api_tls": {"certificate": "/c"}})")
                       .api;
  ASSERT_TRUE(api.has_value());
  EXPECT_EQ(api->bind.text(), "192.0.2.5:443");
  EXPECT_EQ(api->key, "/c");
  EXPECT_EQ(good(R"({"api_bind": "127.0.0.1:443",
                     "api_tls": {"certificate": "/c", "key": "/k"}})")
                .api->key,
            "/k");
}

struct Bad {
  const char* text;
  const char* field;
};

class BadConfig : public testing::TestWithParam<Bad> {};

TEST_P(BadConfig, NamesTheField) {
  EXPECT_THAT(fault(GetParam().text), HasSubstr(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadConfig,
    testing::Values(
        Bad{"[]", "agent.json: must be an object"},
        Bad{R"({"flow_table": 1})", "agent.json: flow_table must be an object"},
        Bad{R"({"nonsense": 1})", "nonsense is not a known field"},
        Bad{R"({"namespace": 1})", "namespace must be a string"},
        Bad{R"({"namespace": "a/b"})", "namespace must not contain"},
        Bad{R"({"log_level": "loud"})", "log_level must be one of"},
        Bad{R"({"flow_table": {"ipv4_flows": 1}})", "flow_table.ipv4_flows must be a number from"},
        Bad{R"({"flow_table": {"ipv5_flows": 1}})", "flow_table.ipv5_flows is not a known field"},
        Bad{R"({"snat_ports": [1, 65535]})", "snat_ports[0] must be a port"},
        Bad{R"({"snat_ports": [30000, 20000]})", "snat_ports must be two ports"},
        Bad{R"({"snat_ports": [62000, 63000]})", "snat_ports are all among kernel_ports"},
        Bad{R"({"kernel_ports": [2000]})", "kernel_ports must be two ports"},
        Bad{R"({"api_bind": "9876"})", "api_bind must be an address with a port"},
        Bad{R"({"api_bind": "127.0.0.1:0"})", "api_bind must be an address with a port"},
        Bad{R"({"api_bind": "127.0.0.1:65536"})", "api_bind must be an address with a port"},
        Bad{R"({"api_bind": "::1:9876"})", "api_bind must be an address with a port"},
        Bad{R"({"api_bind": "[127.0.0.1]:9876"})", "api_bind must be an address with a port"},
        Bad{R"({"api_bind": "192.0.2.5:9876"})", "api_tls is missing: 192.0.2.5:9876 is not"},
        Bad{R"({"api_bind": "[2001:db8::5]:9876", "api_tls": {"certificate": "/c"}})",
            "api_token_file is missing"},
        Bad{R"({"api_bind": "0.0.0.0:1", "api_token_file": "/t"})", "api_tls is missing"},
        Bad{R"({"api_bind": "127.0.0.1:1", "api_tls": {}})", "api_tls.certificate is missing"},
        Bad{R"({"api_bind": "127.0.0.1:1", "api_tls": {"certificate": "/c", "x": 1}})",
            "api_tls.x is not a known field"},
        Bad{R"({"api_token_file": "/t"})", "api_bind is missing"},
        Bad{R"({"api_tls": {"certificate": "/c"}})", "api_bind is missing"},
        Bad{R"({"pair": {"interface": "eth1", "source": "192.0.2.2", "peer": "192.0.2.3",
                         "floating": ["203.0.113.9/24"]}})",
            "pair.floating[0] must be an IP address"},
        Bad{R"({"pair": {"interface": "eth1", "source": "192.0.2.2", "peer": "192.0.2.3",
                         "floating": ["192.0.2.9"]},
                "interfaces": [{"name": "eth1", "addresses": ["192.0.2.2/24"]}]})",
            "pair.floating: 192.0.2.9 is no host of a network of an interface other than eth1"},
        Bad{R"({"pair": {"interface": "eth1", "source": "192.0.2.2", "peer": "192.0.2.3",
                         "floating": ["203.0.113.2"]},
                "interfaces": [{"name": "eth2", "addresses": ["203.0.113.2/24"]}]})",
            "pair.floating: 203.0.113.2 is there already"},
        Bad{R"({"new_flows_per_second": {"per_client": -1}})",
            "new_flows_per_second.per_client must be a number from 0 to 1000000"},
        Bad{R"({"new_flows_per_second": {"per_address": 1}})",
            "new_flows_per_second.per_address is not a known field"},
        Bad{R"({"new_flows_per_second": {"listeners": []}})",
            "new_flows_per_second.listeners must be an object"},
        Bad{R"({"new_flows_per_second": {"listeners": {"web": {}}}})",
            "new_flows_per_second.listeners.web is no id of a listener"},
        Bad{R"({"new_flows_per_second": {"listeners": {
                  "6ba7b810-9dad-11d1-80b4-00c04fd430c8": {"per_network": "1"}}}})",
            "8.per_network must be a number"},
        Bad{R"({"hook": "fast"})", "hook must be one of auto, xdp, tc, generic"},
        Bad{R"({"interfaces": [{"name": "e", "hook": 1}]})", "interfaces[0].hook must be one of"},
        Bad{R"({"interfaces": {}})", "interfaces must be a list"},
        Bad{R"({"interfaces": [{}]})", "interfaces[0].name is missing"},
        Bad{R"({"interfaces": [{"name": "eth1"}, {"name": "eth1"}]})", "eth1 is given twice"},
        Bad{R"({"interfaces": [{"name": "a-name-too-long-"}]})", "more than 15 characters"},
        Bad{R"({"interfaces": [{"name": "e", "mac": "02:00"}]})", "interfaces[0].mac"},
        Bad{R"({"interfaces": [{"name": "e", "mtu": 1e9}]})", "interfaces[0].mtu"},
        Bad{R"({"interfaces": [{"name": "e", "addresses": ["x"]}]})", "interfaces[0].addresses[0]"},
        Bad{R"({"interfaces": [{"name": "e", "routes": [{}]}]})",
            "routes[0].destination is missing"},
        Bad{R"({"interfaces": [{"name": "e", "routes":
              [{"destination": "0.0.0.0/0", "gateway": "2001:db8::1"}]}]})",
            "another address family"},
        Bad{R"({"interfaces": [{"name": "e", "rules": [{"from": "x"}]}]})", "rules[0].from"}));

TEST(Config, ReadsWhereConnectionsAreLogged) {
  EXPECT_FALSE(parse_config("{}", "agent.json")->flow_log.has_value());
  auto config = parse_config(R"({"flow_log": {"target": "192.0.2.5:1514", "facility": "local3",
    "format": "%f %ci", "lines_per_second": 10}})",
                             "agent.json");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->flow_log->target, "192.0.2.5:1514");
  EXPECT_EQ(config->flow_log->facility, "local3");
  EXPECT_EQ(config->flow_log->format, "%f %ci");
  EXPECT_EQ(config->flow_log->lines_per_second, 10u);
  config = parse_config(R"({"flow_log": {"target": "/dev/log"}})", "agent.json");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->flow_log->facility, "local0");
  EXPECT_THAT(config->flow_log->format, HasSubstr("%f %ci %cp %t"));
}

TEST(Config, RefusesALogThatGoesNowhere) {
  EXPECT_THAT(fault(R"({"flow_log": {}})"), HasSubstr("flow_log.target is missing"));
  EXPECT_THAT(fault(R"({"flow_log": {"target": "stdout"}})"), HasSubstr("flow_log.target must be"));
  EXPECT_THAT(fault(R"({"flow_log": {"target": "/dev/log", "facility": "local9"}})"),
              HasSubstr("flow_log.facility must be"));
  EXPECT_THAT(fault(R"({"flow_log": {"target": "/dev/log", "lines_per_second": 0}})"),
              HasSubstr("flow_log.lines_per_second must be"));
  EXPECT_THAT(fault(R"({"flow_log": {"target": "/dev/log", "level": "info"}})"),
              HasSubstr("flow_log.level is not a known field"));
}

TEST(Config, ReadsAPair) {
  EXPECT_FALSE(parse_config("{}", "agent.json")->pair.has_value());
  auto config = parse_config(R"({"pair": {"interface": "eth1", "source": "192.0.2.2",
    "peer": "192.0.2.3", "priority": 120, "router_id": 7, "advert_ms": 100, "preempt": true,
    "key_file": "/k", "port": 1026}})",
                             "agent.json");
  ASSERT_TRUE(config.ok()) << config.error().message();
  const PairConfig& pair = *config->pair;
  EXPECT_EQ(pair.interface, "eth1");
  EXPECT_EQ(pair.source.text(), "192.0.2.2");
  EXPECT_EQ(pair.peer.text(), "192.0.2.3");
  EXPECT_EQ(pair.priority, 120);
  EXPECT_EQ(pair.router_id, 7);
  EXPECT_EQ(pair.advert, std::chrono::milliseconds(100));
  EXPECT_TRUE(pair.preempt);
  EXPECT_EQ(pair.key_file, "/k");
  EXPECT_EQ(pair.port, 1026);
  EXPECT_EQ(PairConfig().port, 1025);
  EXPECT_EQ(config->layout.pair_interface, "eth1");
}

TEST(Config, RefusesAPairThatCannotBe) {
  const auto of = [](const std::string& more) {
    return fault(R"({"pair": {"interface": "eth1", "source": "192.0.2.2", "peer": "192.0.2.3")" +
                 more + "}}");
  };
  EXPECT_EQ(of(""), "");
  EXPECT_THAT(fault(R"({"pair": {"interface": "eth1", "source": "192.0.2.2"}})"),
              HasSubstr("pair.peer is missing"));
  EXPECT_THAT(
      fault(R"({"pair": {"interface": "e {", "source": "192.0.2.2", "peer": "192.0.2.3"}})"),
      HasSubstr("pair.interface must be the name"));
  EXPECT_THAT(
      fault(R"({"pair": {"interface": "e", "source": "192.0.2.2", "peer": "2001:db8::3"}})"),
      HasSubstr("pair.peer must be of the family"));
  EXPECT_THAT(fault(R"({"pair": {"interface": "e", "source": "192.0.2.2", "peer": "192.0.2.2"}})"),
              HasSubstr("pair.peer must be another"));
  EXPECT_THAT(of(R"(, "priority": 255)"), HasSubstr("pair.priority must be a number"));
  EXPECT_THAT(of(R"(, "advert_ms": 5)"), HasSubstr("pair.advert_ms must be a number"));
  EXPECT_THAT(of(R"(, "advert_ms": 105)"), HasSubstr("pair.advert_ms must be a multiple"));
  EXPECT_THAT(of(R"(, "auth": "x")"), HasSubstr("pair.auth is not a known field"));
  EXPECT_THAT(of(R"(, "port": 1026)"), HasSubstr("pair.port is of no use without key_file"));
  EXPECT_EQ(of(R"(, "port": 1026, "key_file": "/k")"), "");
}

// Sockets would have to be told the interface; keepalived is.
TEST(Config, RefusesLinkLocalAddressesOfAPairWithAKey) {
  const auto of = [](const std::string& source, const std::string& peer, const std::string& more) {
    return fault(R"({"pair": {"interface": "eth1", "source": ")" + source + R"(", "peer": ")" +
                 peer + "\"" + more + "}}");
  };
  constexpr const char* kKey = R"(, "key_file": "/k")";
  EXPECT_THAT(of("2001:db8::2", "fe80::3", kKey), HasSubstr("pair.peer must not be link-local"));
  EXPECT_THAT(of("fe80::2", "2001:db8::3", kKey), HasSubstr("pair.source must not be link-local"));
  EXPECT_EQ(of("fe80::2", "fe80::3", ""), "");
  EXPECT_EQ(of("169.254.0.2", "169.254.0.3", kKey), "");
}

TEST(Config, VipRangesAreHostsOfTheirSubnet) {
  const auto with = [](const std::string& range) {
    return parse_config(
        R"({"interfaces": [{"name": "eth1", "addresses": ["198.51.100.2/24"],
            "routes": [{"destination": "0.0.0.0/0", "gateway": "198.51.100.1"}]}],
            "vip_ranges": [)" +
            range + "]}",
        "agent.json");
  };
  const auto one = [](const char* subnet, const char* first, const char* last) {
    return R"({"interface": "eth1", "subnet": ")" + std::string(subnet) + R"(", "first": ")" +
           first + R"(", "last": ")" + last + "\"}";
  };
  const auto good = with(one("198.51.100.0/24", "198.51.100.100", "198.51.100.199"));
  ASSERT_TRUE(good.ok()) << good.error().message();
  EXPECT_EQ(good->vip_ranges.at(0).interface, "eth1");
  EXPECT_EQ(good->vip_ranges.at(0).last.text(), "198.51.100.199");
  const std::vector<std::pair<std::string, std::string>> bad{
      {one("198.51.100.5/24", "198.51.100.100", "198.51.100.199"), "[0].subnet has host bits"},
      {one("198.51.100.0/24", "198.51.101.1", "198.51.100.199"), "[0].first is no host of subnet"},
      {one("198.51.100.0/24", "198.51.100.0", "198.51.100.199"), "[0].first is no host of subnet"},
      {one("198.51.100.0/24", "198.51.100.9", "198.51.100.255"), "[0].last is no host of subnet"},
      {one("198.51.100.0/24", "198.51.100.9", "198.51.100.8"), "[0].last is before first"},
      {one("198.51.100.0/24", "198.51.100.2", "198.51.100.8"), "[0] holds 198.51.100.2"},
      {one("198.51.100.0/24", "198.51.100.1", "198.51.100.1"), "[0] holds 198.51.100.1"},
      {one("198.51.100.0/24", "198.51.100.9", "198.51.100.20") + "," +
           one("198.51.100.0/24", "198.51.100.20", "198.51.100.30"),
       "[1] has addresses of vip_ranges[0]"},
      {R"({"interface": "eth1"})", "[0].subnet is missing"}};
  for (const auto& [range, why] : bad) {
    const auto refused = with(range);
    ASSERT_FALSE(refused.ok()) << range;
    EXPECT_EQ(refused.error().message(), "agent.json: vip_ranges" + why);
  }
}

TEST(Config, TheDefaultProjectIsAnIdOfOne) {
  EXPECT_EQ(parse_config(R"({"default_project": "p"})", "a")->default_project, "p");
  EXPECT_FALSE(parse_config(R"({"default_project": ")" + std::string(37, 'x') + "\"}", "a").ok());
}

}  // namespace
}  // namespace serve
