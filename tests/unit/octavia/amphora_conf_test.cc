// The files that Octavia's controllers render (samples/), and what else may be in one.
#include "agent/octavia/amphora_conf.h"

#include <gtest/gtest.h>

#include "agent/octavia/ini.h"

namespace octavia {
namespace {

using base::Endpoint;
using base::IpAddress;
using Entries = std::vector<IniEntry>;

AmphoraConf sample(const std::string& name) {
  auto read = read_conf(OCTAVIA_SAMPLES "/" + name);
  EXPECT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->unknown, std::vector<std::string>());
  return read->conf;
}

Endpoint at(const char* address, uint16_t port) { return {*IpAddress::parse(address), port}; }

AmphoraConf as_rendered() {
  AmphoraConf conf;
  conf.controllers = {at("172.24.0.2", 5555), at("fd00::2", 5555), at("172.24.0.3", 5555)};
  conf.heartbeat_key = "insecure-heartbeat-key";
  conf.amphora_id = "3c1b0a9f-8e7d-4c6b-9a58-473625141302";
  conf.topology = Topology::active_standby;
  return conf;
}

TEST(AmphoraConf, AsOctavia11RendersIt) { EXPECT_EQ(sample("amphora-agent.conf"), as_rendered()); }

TEST(AmphoraConf, AsTheNewestOctaviaRendersIt) {
  EXPECT_EQ(sample("amphora-agent.2026.conf"), as_rendered());
}

TEST(AmphoraConf, WithDashesInNamesAndWords) {
  AmphoraConf conf;
  conf.controllers = {at("192.0.2.31", 5555)};
  conf.heartbeat_key = "insecure";
  conf.agent_server_ca = "/etc/octavia/certs/client-ca.pem";
  conf.amphora_id = "c7e877d5-f1c6-4fb2-a9fb-214cb7cc793a";
  conf.topology = Topology::active_standby;
  EXPECT_EQ(sample("amphora-agent-dashes.conf"), conf);
}

AmphoraConf parsed(const std::string& text) {
  auto read = parse_conf(text, "f");
  EXPECT_TRUE(read.ok()) << read.error().message();
  return read.ok() ? read->conf : AmphoraConf();
}

std::string refusal(const std::string& text) {
  const auto read = parse_conf(text, "f");
  return read.ok() ? "taken" : read.error().message();
}

TEST(AmphoraConf, AnEmptyFileIsAllDefaults) {
  const AmphoraConf conf = parsed("");
  EXPECT_EQ(conf.bind, at("::", 9443));
  EXPECT_EQ(conf.base_path, "/var/lib/octavia");
  EXPECT_EQ(conf.heartbeat_interval, std::chrono::seconds(10));
  EXPECT_EQ(conf.topology, Topology::single);
  EXPECT_TRUE(conf.controllers.empty());
}

TEST(AmphoraConf, EveryOptionArrives) {
  const AmphoraConf conf = parsed(
      "[DEFAULT]\ndebug = yes\nuse_syslog: off\nsyslog_log_facility = local3\n"
      "[haproxy_amphora]\nbase_path=/a\nbase_cert_dir=/b\nbind_host=192.0.2.1\nbind_port=1\n"
      "haproxy_cmd=/c\n"
      "[health_manager]\ncontroller_ip_port_list=192.0.2.1:1\nheartbeat_interval=3\n"
      "heartbeat_key=k=:#y\n"
      "[amphora_agent]\nagent_server_ca=/d\nagent_server_cert=/e\nagent_server_network_dir=/f\n"
      "agent_request_read_timeout=9\namphora_id=3C1B0A9F-8E7D-4C6B-9A58-473625141302\n"
      "user_log_facility=2\nadministrative_log_facility=3\n"
      "[controller_worker]\nloadbalancer_topology=single\n");
  AmphoraConf want;
  want.debug = true;
  want.use_syslog = false;
  want.syslog_facility = 19;
  want.base_path = "/a";
  want.base_cert_dir = "/b";
  want.bind = at("192.0.2.1", 1);
  want.haproxy_cmd = "/c";
  want.controllers = {at("192.0.2.1", 1)};
  want.heartbeat_interval = std::chrono::seconds(3);
  want.heartbeat_key = "k=:#y";
  want.agent_server_ca = "/d";
  want.agent_server_cert = "/e";
  want.agent_server_network_dir = "/f";
  want.agent_request_read_timeout = std::chrono::seconds(9);
  want.amphora_id = "3c1b0a9f-8e7d-4c6b-9a58-473625141302";
  want.administrative_log_facility = 3;
  EXPECT_EQ(conf, want);
}

TEST(AmphoraConf, TheLogFacilityOfTheAgentsSectionOverrules) {
  const std::string agents = "[amphora_agent]\nadministrative_log_facility = 5\n";
  const std::string haproxys = "[haproxy_amphora]\nadministrative_log_facility = 2\n";
  EXPECT_EQ(parsed(agents + haproxys).administrative_log_facility, 5);
  EXPECT_EQ(parsed(haproxys + agents).administrative_log_facility, 5);
  EXPECT_EQ(parsed(haproxys).administrative_log_facility, 2);
}

TEST(AmphoraConf, ControllersOfBothFamiliesWithAndWithoutBrackets) {
  const auto list = [](const std::string& text) {
    return parsed("[health_manager]\ncontroller_ip_port_list = " + text).controllers;
  };
  EXPECT_EQ(list("[2001:db8::1]:5555"), std::vector{at("2001:db8::1", 5555)});
  EXPECT_EQ(list("2001:db8::1:5555"), std::vector{at("2001:db8::1", 5555)});
  EXPECT_EQ(list("192.0.2.1:1,192.0.2.2:2"), (std::vector{at("192.0.2.1", 1), at("192.0.2.2", 2)}));
  EXPECT_EQ(list("192.0.2.1:1,\n  192.0.2.2:2 ,"),
            (std::vector{at("192.0.2.1", 1), at("192.0.2.2", 2)}));
  EXPECT_EQ(list(""), std::vector<Endpoint>());
}

TEST(AmphoraConf, UnknownOptionsAreNamedAndIgnored) {
  const auto read = parse_conf("[DEFAULT]\n\nnovelty = 1\n[oslo-cache]\na-b = x\n", "f");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->unknown,
            (std::vector<std::string>{"[DEFAULT] novelty (line 3)", "[oslo_cache] a_b (line 5)"}));
  EXPECT_EQ(read->conf, AmphoraConf());
}

TEST(AmphoraConf, ErrorsNameFileLineAndOption) {
  struct Case {
    const char *text, *refusal;
  };
  for (const Case& one : std::vector<Case>{
           {"[DEFAULT]\ndebug = perhaps", "f:2: debug must be true or false"},
           {"[DEFAULT]\nsyslog_log_facility = LOG_LOCAL9",
            "f:2: syslog_log_facility must be a facility of syslog, as in LOG_LOCAL1"},
           {"[haproxy_amphora]\nbind_host = host", "f:2: bind_host must be an IP address"},
           {"[haproxy_amphora]\nbind_port = 65536",
            "f:2: bind_port must be a number from 0 to 65535"},
           {"[haproxy_amphora]\nbase_path = relative", "f:2: base_path must be an absolute path"},
           {"[health_manager]\ncontroller_ip_port_list = 192.0.2.1:1, x",
            "f:2: controller_ip_port_list must be a list of ADDRESS:PORT; this is none: x"},
           {"[health_manager]\nheartbeat_interval = 0",
            "f:2: heartbeat_interval must be a number from 1 to 86400"},
           {"[amphora_agent]\namphora_id = 7", "f:2: amphora_id must be a UUID"},
           {"[amphora_agent]\namphora_udp_driver = ipvs",
            "f:2: amphora_udp_driver must be keepalived_lvs"},
           {"[amphora_agent]\nuser_log_facility = 8",
            "f:2: user_log_facility must be a number from 0 to 7"},
           {"[controller_worker]\nloadbalancer_topology = TRIPLE",
            "f:2: loadbalancer_topology must be SINGLE or ACTIVE_STANDBY"},
       })
    EXPECT_EQ(refusal(one.text), one.refusal);
}

TEST(AmphoraConf, OnlyMutableOptionsChangeWhileRunning) {
  AmphoraConf read = as_rendered();
  read.bind.port = 1;
  read.base_path = "/elsewhere";
  read.amphora_id = "";
  AmphoraConf want;
  want.controllers = read.controllers;
  want.heartbeat_key = read.heartbeat_key;
  want.topology = read.topology;
  want.heartbeat_interval = read.heartbeat_interval = std::chrono::seconds(1);
  EXPECT_EQ(with_mutable(AmphoraConf(), read), want);
}

TEST(Ini, ReadsEveryForm) {
  const auto read = parse_ini(
      "# comment\n; comment\n[a-b]\nx-y = 1\nz: 2 = 3\nq = \" two \"\nempty =\n"
      "long = first\n   second # no comment\n\tthird\n\n[c]\r\nx = 1\r\n",
      "f");
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, (Entries{{"a_b", "x_y", "1", 4},
                            {"a_b", "z", "2 = 3", 5},
                            {"a_b", "q", " two ", 6},
                            {"a_b", "empty", "", 7},
                            {"a_b", "long", "first\nsecond # no comment\nthird", 8},
                            {"c", "x", "1", 13}}));
}

TEST(Ini, SaysWhichLineIsWrong) {
  const auto wrong = [](std::string_view text) {
    const auto read = parse_ini(text, "f");
    return read.ok() ? "taken" : read.error().message();
  };
  EXPECT_EQ(wrong("[a\n"), "f:1: a section's name must end with ]");
  EXPECT_EQ(wrong("\n[ ]"), "f:2: a section without a name");
  EXPECT_EQ(wrong("x = 1"), "f:1: an assignment outside of every section");
  EXPECT_EQ(wrong("[a]\nx"), "f:2: neither = nor : in an assignment");
  EXPECT_EQ(wrong("[a]\n= 1"), "f:2: an assignment without a name");
  EXPECT_EQ(wrong("[a]\n  x = 1"),
            "f:2: a line that begins with a blank, and nothing that it could go on");
  EXPECT_EQ(wrong("[a]\nx = 1\n\n  2"),
            "f:4: a line that begins with a blank, and nothing that it could go on");
  EXPECT_EQ(wrong(std::string_view("[a]\nx = \0", 9)), "f:2: a NUL byte");
}

}  // namespace
}  // namespace octavia
