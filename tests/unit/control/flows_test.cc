#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "agent/control/flow_filter.h"
#include "tests/unit/control/fakes.h"

namespace control::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

base::Endpoint endpoint(const char* address, uint16_t port) {
  return {*base::IpAddress::parse(address), port};
}

Flow flow(const char* client, const char* member) {
  Flow out;
  out.protocol = "TCP";
  out.state = "open";
  out.client = endpoint(client, 40000);
  out.vip = endpoint("203.0.113.10", 80);
  out.snat = endpoint("203.0.113.10", 40000);
  out.member = endpoint(member, 8080);
  out.idle = std::chrono::milliseconds(1500);
  out.bytes_in = 7;
  return out;
}

std::vector<json> lines(const std::string& body) {
  std::vector<json> out;
  std::istringstream in(body);
  for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
  return out;
}

FlowFilter filter(const http::Parameters& parameters) {
  return std::get<FlowFilter>(parse_flow_filter(parameters, {}));
}

TEST(FlowFilter, MatchesEachParameter) {
  Flow one = flow("198.51.100.7", "192.0.2.11");
  one.listener_id = *base::Uuid::parse("3fa85f64-5717-4562-b3fc-2c963f66afa6");
  const auto check = [&](const char* name, const char* yes, const char* no) {
    EXPECT_TRUE(filter({{name, yes}}).matches(one)) << name << "=" << yes;
    EXPECT_FALSE(filter({{name, no}}).matches(one)) << name << "=" << no;
  };
  check("client", "198.51.100.7", "198.51.100.8");
  check("client", "198.51.100.0/24", "198.51.101.0/24");
  check("client", "198.51.100.7:40000", "198.51.100.7:40001");
  check("vip", "203.0.113.10:80", "203.0.113.10:81");
  check("member", "192.0.2.11", "192.0.2.12");
  check("protocol", "tcp", "UDP");
  check("state", "open", "half_open");
  check("listener", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "3fa85f64-5717-4562-b3fc-2c963f66afa7");
  one.client = endpoint("2001:db8::7", 5);
  check("client", "[2001:db8::7]:5", "[2001:db8::7]:6");
  check("client", "2001:db8::/32", "198.51.100.0/24");
}

TEST(FlowFilter, NamesTheParameterThatIsWrong) {
  for (const auto& [name, value] : http::Parameters{{"client", "x"},
                                                    {"vip", "203.0.113.10:"},
                                                    {"vip", "203.0.113.10:99999"},
                                                    {"vip", "2001:db8::1]:80"},
                                                    {"client", "192.0.2.0/33"},
                                                    {"member", "nobody"},
                                                    {"listener", "nobody"},
                                                    {"protocol", "ICMP"},
                                                    {"state", "ajar"},
                                                    {"limit", "0"},
                                                    {"limit", "-1"},
                                                    {"limit", "1x"},
                                                    {"limit", ""},
                                                    {"colour", "red"}}) {
    const auto parsed = parse_flow_filter({{name, value}}, {});
    ASSERT_TRUE(std::holds_alternative<model::Fault>(parsed)) << name << "=" << value;
    EXPECT_EQ(std::get<model::Fault>(parsed).status, 400);
    EXPECT_THAT(std::get<model::Fault>(parsed).text, HasSubstr("parameter " + name));
  }
  EXPECT_TRUE(std::holds_alternative<model::Fault>(
      parse_flow_filter({{"state", "open"}, {"state", "open"}}, {})));
}

TEST(Flows, AreNamed) {
  FakeAgent agent;
  agent.make("/v2/lbaas/loadbalancers", web());
  const auto& model = agent.changes.model();
  Flow known = flow("198.51.100.7", "192.0.2.11");
  known.listener_id = model.listeners.begin()->first;
  known.member_id = model.members.begin()->first;
  agent.machine.flows = {known, flow("2001:db8::7", "2001:db8::11")};
  const auto answer = agent.ask("GET", "/v1/flows");
  EXPECT_EQ(answer->header("Content-Type"), "application/x-ndjson");
  const auto got = lines(answer->body);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0]["client"], "198.51.100.7:40000");
  EXPECT_EQ(got[0]["listener_name"], "front");
  EXPECT_EQ(got[0]["loadbalancer_name"], "web");
  EXPECT_EQ(got[0]["pool_name"], "app");
  EXPECT_EQ(got[0]["member_id"], known.member_id.text());
  EXPECT_EQ(got[0]["idle_ms"], 1500);
  EXPECT_EQ(got[0]["bytes_in"], 7);
  EXPECT_EQ(got[1]["client"], "[2001:db8::7]:40000");
  EXPECT_TRUE(got[1]["listener_id"].is_null());
  EXPECT_EQ(got[0].size(), got[1].size());
}

TEST(Flows, AreFilteredAndLimited) {
  FakeAgent agent;
  agent.machine.flows = {flow("198.51.100.7", "192.0.2.11"), flow("198.51.100.8", "192.0.2.12")};
  agent.machine.repeat = 1000;
  EXPECT_EQ(lines(agent.ask("GET", "/v1/flows?client=198.51.100.8")->body).size(), 1000u);
  EXPECT_EQ(lines(agent.ask("GET", "/v1/flows?limit=3")->body).size(), 3u);
  EXPECT_EQ(agent.ask("GET", "/v1/flows?limit=none")->status, 400);
  EXPECT_EQ(agent.ask("GET", "/v1/flows?client=192.0.2.1")->body, "");
  EXPECT_EQ(agent.ask("HEAD", "/v1/flows")->status, 200);
}

TEST(Flows, OfALargeTableAreNotHeldInMemory) {
  FakeAgent agent;
  agent.machine.flows = {flow("198.51.100.7", "192.0.2.11")};
  agent.machine.repeat = 500'000;
  {
    Wire wire(agent.server.path());
    wire.say("GET /v1/flows HTTP/1.1\r\nHost: lb\r\n\r\n");
    // Others are served meanwhile; the reader that reads nothing holds the walk.
    for (int i = 0; i < 20; ++i) EXPECT_EQ(agent.ask("GET", "/healthz")->status, 200);
    EXPECT_LT(agent.machine.visited, 10'000u);
  }
  agent.machine.repeat = 50'000;
  const std::string body = agent.ask("GET", "/v1/flows")->body;
  EXPECT_EQ(std::ranges::count(body, '\n'), 50'000);
  EXPECT_TRUE(body.ends_with("}\n"));
}

}  // namespace
}  // namespace control::testing
