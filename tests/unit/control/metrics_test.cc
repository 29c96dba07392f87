#include "agent/control/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/control/fakes.h"

namespace control::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Reads the text as a scraper does: sample by sample; fails on a line that is none.
std::map<std::string, double> scrape(const std::string& text) {
  const std::regex comment(R"(# (HELP|TYPE) ([a-z0-9_]+) .+)");
  const std::regex sample(
      R"re(([a-z0-9_]+)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? (\S+))re");
  std::map<std::string, double> samples;
  std::set<std::string> finished;
  std::string current;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      if (match[2] != current && !current.empty()) finished.insert(current);
      current = match[2];
      EXPECT_FALSE(finished.contains(current)) << current << " is split";
    } else if (std::regex_match(line, match, sample)) {
      EXPECT_EQ(match[1], current) << line;
      EXPECT_TRUE(samples.emplace(match[1].str() + match[2].str(), std::stod(match[3])).second)
          << line;
    } else {
      ADD_FAILURE() << "not Prometheus text: " << line;
    }
  }
  return samples;
}

TEST(Metrics, AreAScrapersText) {
  FakeAgent agent;
  const std::string lb = agent.make("/v2/lbaas/loadbalancers", web());
  const auto& m = agent.changes.model();
  const base::Uuid listener = m.listeners.begin()->first, member = m.members.begin()->first;
  const base::Uuid pool = m.pools.begin()->first;
  agent.machine.status_.version = "0.1\"\\\n";
  agent.machine.status_.attachments = {{"eth1", 7, "native", "", 17},
                                       {"eth2", 8, "generic", "why", 0, "checksums"}};
  agent.machine.status_.placements = {{listener, "haproxy", "interface eth2"},
                                      {base::Uuid::random(), "xdp", ""}};
  agent.machine.status_.flow_tables = {
      {base::Family::ipv4, 1000, 4096, 160, {{"open", 250}}, 3, 4}};
  agent.machine.verdicts_ = {{{"established", "send", 12345678901234}, {"no_route", "drop", 0}},
                             {{listener, {{"new_flow", "send", 4}, {"no_route", "drop", 0}}}}};
  agent.machine.counters_.services = {{listener, 3, 30, 2, 4, 5}};
  agent.machine.counters_.members = {{member, 2, 50000, 59976}, {base::Uuid::random(), 9}};
  const auto answer = agent.ask("GET", "/metrics");
  EXPECT_EQ(answer->header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  auto samples = scrape(answer->body);
  const std::string of_listener =
      "{loadbalancer=\"" + lb + "\",listener=\"" + listener.text() + "\"";
  EXPECT_EQ(samples["octavia_listener_current_sessions" + of_listener + "}"], 3);
  EXPECT_EQ(samples["octavia_listener_connections_total" + of_listener + "}"], 30);
  EXPECT_EQ(samples["octavia_listener_bytes_out_total" + of_listener + "}"], 4);
  EXPECT_EQ(samples["octavia_pool_current_sessions{loadbalancer=\"" + lb + "\",pool=\"" +
                    pool.text() + "\"}"],
            2);
  EXPECT_EQ(samples["amphora_xdp_member_snat_ports_used{member=\"" + member.text() + "\"}"], 50000);
  EXPECT_EQ(samples["amphora_xdp_member_snat_ports{member=\"" + member.text() + "\"}"], 59976);
  EXPECT_EQ(samples["amphora_xdp_listener_packets_total" + of_listener +
                    ",verdict=\"new_flow\",action=\"send\"}"],
            4);
  EXPECT_EQ(samples["amphora_xdp_packets_total{verdict=\"established\",action=\"send\"}"],
            12345678901234.0);
  EXPECT_EQ(samples["amphora_xdp_flow_table_pressure_ratio{family=\"ipv4\"}"], 0.25);
  EXPECT_EQ(samples["amphora_xdp_interface{interface=\"eth1\",mode=\"native\"}"], 1);
  EXPECT_EQ(samples["amphora_xdp_interface_lost_packets_total{interface=\"eth1\"}"], 17);
  EXPECT_EQ(samples["amphora_xdp_interface_obstacle{interface=\"eth1\"}"], 0);
  EXPECT_EQ(samples["amphora_xdp_interface_obstacle{interface=\"eth2\"}"], 1);
  EXPECT_EQ(samples["amphora_xdp_listener_placement" + of_listener + ",placement=\"haproxy\"}"], 1);
  EXPECT_EQ(samples.count("amphora_xdp_packets_total{verdict=\"no_route\",action=\"drop\"}"), 1u);
  EXPECT_THAT(answer->body, HasSubstr("version=\"0.1\\\"\\\\\\n\""));
}

TEST(Metrics, OfOneLoadBalancerTellNothingOfOthers) {
  FakeAgent agent;
  const std::string ours = agent.make("/v2/lbaas/loadbalancers", web());
  const model::Model& m = agent.changes.model();
  const base::Uuid listener = m.listeners.begin()->first, other = base::Uuid::random();
  agent.machine.status_.haproxy = {{m.load_balancers.begin()->first, true, 1, 2, 3, ""},
                                   {other, true, 1, 2, 3, ""}};
  agent.machine.status_.placements = {{listener, "xdp", ""}, {other, "xdp", ""}};
  agent.machine.status_.attachments = {{"eth1", 2, "native", "", 0}};
  agent.machine.verdicts_ = {
      {{"established", "send", 7}},
      {{listener, {{"new_flow", "send", 4}}}, {other, {{"new_flow", "send", 5}}}}};
  agent.machine.counters_.members = {{m.members.begin()->first, 2, 3, 4}, {other, 9, 3, 4}};
  const std::string all = agent.ask("GET", "/metrics")->body;
  EXPECT_THAT(all, HasSubstr(other.text()));
  EXPECT_THAT(all, HasSubstr("eth1"));
  const std::string one = agent.ask("GET", "/metrics?loadbalancer=" + ours)->body;
  EXPECT_EQ(scrape(one).at("amphora_xdp_haproxy_up{loadbalancer=\"" + ours + "\"}"), 1);
  EXPECT_THAT(one, HasSubstr("listener=\"" + listener.text()));
  EXPECT_THAT(one, ::testing::Not(HasSubstr(other.text())));
  for (const char* machines : {"eth1", "amphora_xdp_packets_total", "amphora_xdp_info"})
    EXPECT_THAT(one, ::testing::Not(HasSubstr(machines)));
  const std::string nobody = agent.ask("GET", "/metrics?loadbalancer=" + other.text())->body;
  EXPECT_THAT(nobody, ::testing::Not(HasSubstr(ours)));
  EXPECT_EQ(agent.ask("GET", "/metrics?loadbalancer=x")->status, 400);
  EXPECT_EQ(agent.ask("GET", "/metrics?pool=x")->status, 400);
}

TEST(Metrics, TellOfHaproxy) {
  FakeAgent agent;
  const auto scraped = [&] { return scrape(agent.ask("GET", "/metrics")->body); };
  EXPECT_EQ(scraped().count("amphora_xdp_haproxy_up"), 0u);
  const base::Uuid a = base::Uuid::random(), b = base::Uuid::random();
  agent.machine.status_.haproxy = {{a, true, 1, 20, 3, ""}, {b, false, 0, 0, 0, "refused"}};
  const auto samples = scraped();
  const auto of = [](const char* name, const base::Uuid& load_balancer) {
    return std::string(name) + "{loadbalancer=\"" + load_balancer.text() + "\"}";
  };
  EXPECT_EQ(samples.at(of("amphora_xdp_haproxy_up", a)), 1);
  EXPECT_EQ(samples.at(of("amphora_xdp_haproxy_reloads_total", a)), 20);
  EXPECT_EQ(samples.at(of("amphora_xdp_haproxy_restarts_total", a)), 3);
  EXPECT_EQ(samples.at(of("amphora_xdp_haproxy_up", b)), 0);
}

TEST(Metrics, TellOfANodeOfAPair) {
  FakeAgent agent;
  const auto scraped = [&] { return scrape(agent.ask("GET", "/metrics")->body); };
  EXPECT_FALSE(scraped().contains("amphora_xdp_keepalived_up"));
  VrrpStatus vrrp;
  vrrp.role = "MASTER";
  vrrp.interface = "eth1";
  vrrp.vips = {{*base::IpAddress::parse("203.0.113.10"), true},
               {*base::IpAddress::parse("2001:db8::10"), false}};
  vrrp.running = true;
  vrrp.reloads = 2;
  vrrp.restarts = 3;
  agent.machine.status_.vrrp = vrrp;
  auto samples = scraped();
  EXPECT_EQ(samples.at("amphora_xdp_vrrp_role{role=\"MASTER\"}"), 1);
  EXPECT_EQ(samples.at("amphora_xdp_vrrp_role{role=\"BACKUP\"}"), 0);
  EXPECT_EQ(samples.at("amphora_xdp_vrrp_vip{vip=\"203.0.113.10\",interface=\"eth1\"}"), 1);
  EXPECT_EQ(samples.at("amphora_xdp_vrrp_vip{vip=\"2001:db8::10\",interface=\"eth1\"}"), 0);
  EXPECT_EQ(samples.at("amphora_xdp_vrrp_fit"), 1);
  EXPECT_EQ(samples.at("amphora_xdp_keepalived_up"), 1);
  EXPECT_EQ(samples.at("amphora_xdp_keepalived_reloads_total"), 2);
  EXPECT_EQ(samples.at("amphora_xdp_keepalived_restarts_total"), 3);
  agent.machine.status_.vrrp->unfit_because = {"HAProxy does not answer"};
  EXPECT_EQ(scraped().at("amphora_xdp_vrrp_fit"), 0);
}

TEST(Metrics, TellOfProbes) {
  FakeAgent agent;
  const base::Uuid up = base::Uuid::random(), down = base::Uuid::random(),
                   unknown = base::Uuid::random();
  agent.machine.status_.checks = {
      {up, "up", "answered", std::chrono::microseconds(1500), noon()},
      {down, "down", "no answer in 1 s", std::chrono::microseconds(1'000'000), noon()},
      {unknown, "unknown", "", {}, {}}};
  auto samples = scrape(agent.ask("GET", "/metrics")->body);
  const auto of = [](const std::string& name, const base::Uuid& member) {
    return "amphora_xdp_" + name + "{member=\"" + member.text() + "\"}";
  };
  EXPECT_EQ(samples.at(of("member_up", up)), 1);
  EXPECT_EQ(samples.at(of("member_up", down)), 0);
  EXPECT_FALSE(samples.contains(of("member_up", unknown)));
  EXPECT_EQ(samples.at(of("probe_latency_seconds", up)), 0.0015);
  EXPECT_EQ(samples.at(of("probe_latency_seconds", down)), 1);
  EXPECT_FALSE(samples.contains(of("probe_latency_seconds", unknown)));
}

TEST(Metrics, TellOfRequestErrorsAndLimits) {
  FakeAgent agent;
  json limited = web();
  limited["loadbalancer"]["listeners"][0]["connection_limit"] = 100;
  const std::string lb = agent.make("/v2/lbaas/loadbalancers", limited);
  const base::Uuid listener = agent.changes.model().listeners.begin()->first;
  agent.machine.counters_.services = {
      {.listener = listener, .flows_now = 3, .flows_total = 30, .refused = 4, .request_errors = 7}};
  const base::Uuid pool = agent.changes.model().pools.begin()->first;
  const base::Uuid member = agent.changes.model().members.begin()->first;
  const base::Uuid of_haproxy = std::next(agent.changes.model().members.begin())->first;
  agent.machine.status_.asked = noon() + std::chrono::seconds{90};
  agent.machine.status_.checks = {{member, "up", "connected", {}, noon()},
                                  {of_haproxy, "up", "L4OK", {}, {}}};
  auto samples = scrape(agent.ask("GET", "/metrics")->body);
  const std::string labels = "{loadbalancer=\"" + lb + "\",listener=\"" + listener.text() + "\"}";
  EXPECT_EQ(samples.at("octavia_listener_request_errors_total" + labels), 7);
  EXPECT_EQ(samples.at("octavia_listener_denied_connections_total" + labels), 4);
  EXPECT_EQ(samples.at("octavia_listener_sessions_total" + labels), 30);
  const std::string of_lb = "{loadbalancer=\"" + lb + "\"}";
  EXPECT_EQ(samples.at("octavia_loadbalancer_current_connections" + of_lb), 3);
  EXPECT_EQ(samples.at("octavia_loadbalancer_connections_total" + of_lb), 30);
  EXPECT_EQ(samples.at("octavia_loadbalancer_listeners" + of_lb), 1);
  const auto in_state = [](std::string of, const char* state) {
    of.back() = ',';
    return of + "state=\"" + state + "\"}";
  };
  EXPECT_EQ(samples.at("octavia_listener_status" + in_state(labels, "OPEN")), 1);
  EXPECT_EQ(samples.at("octavia_listener_status" + in_state(labels, "FULL")), 0);
  const std::string of_pool = "{loadbalancer=\"" + lb + "\",pool=\"" + pool.text() + "\"}";
  EXPECT_EQ(samples.at("octavia_pool_active_members" + of_pool), 2);
  EXPECT_EQ(samples.at("octavia_pool_backup_members" + of_pool), 0);
  EXPECT_EQ(samples.at("octavia_pool_status" + in_state(of_pool, "UP")), 1);
  std::string of_member = of_pool;
  of_member.back() = ',';
  of_member += "member=\"" + member.text() + "\"}";
  EXPECT_EQ(samples.at("octavia_member_status" + in_state(of_member, "UP")), 1);
  EXPECT_EQ(samples.at("octavia_member_status" + in_state(of_member, "DOWN")), 0);
  EXPECT_EQ(samples.at("octavia_member_check_last_change_seconds" + of_member), 90);
  std::string unknown = of_pool;
  unknown.back() = ',';
  EXPECT_FALSE(samples.contains("octavia_member_check_last_change_seconds" + unknown + "member=\"" +
                                of_haproxy.text() + "\"}"));
  EXPECT_EQ(samples.at("octavia_listener_limit_sessions" + labels), 100);
}

TEST(Metrics, SumMembersToTheirPools) {
  FakeAgent agent;
  const std::string lb = agent.make("/v2/lbaas/loadbalancers", web());
  const auto& m = agent.changes.model();
  for (const auto& [id, member] : m.members) agent.machine.counters_.members.push_back({id, 2});
  auto samples = scrape(agent.ask("GET", "/metrics")->body);
  const std::string pool =
      "{loadbalancer=\"" + lb + "\",pool=\"" + m.pools.begin()->first.text() + "\"";
  EXPECT_EQ(samples.at("octavia_pool_current_sessions" + pool + "}"), 4);
  for (const auto& [id, member] : m.members) {
    const std::string labels = pool + ",member=\"" + id.text() + "\"}";
    EXPECT_EQ(samples.at("octavia_member_current_sessions" + labels), 2);
    EXPECT_EQ(samples.at("octavia_member_weight" + labels), 1);
  }
}

}  // namespace
}  // namespace control::testing
