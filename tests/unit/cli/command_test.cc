// The binary against the control socket, with a machine that is not there.
#include "tests/unit/cli/command.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "agent/model/show/json.h"

namespace cli::testing {
namespace {

using control::testing::FakeChanges;
using control::testing::web;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Command, ApplyMakesThenFindsNothingToDoThenChanges) {
  const Exit made = cli("apply " + file(web()));
  EXPECT_EQ(made.code, 0) << made.out;
  EXPECT_THAT(made.out, HasSubstr("load balancer web ("));
  EXPECT_THAT(made.out, HasSubstr(") is ACTIVE"));
  EXPECT_EQ(agent_.changes.model().members.size(), 2u);

  const int before = agent_.changes.count;
  const Exit again = cli("apply " + file(web()));
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("nothing to change"));
  EXPECT_EQ(agent_.changes.count, before);

  json other = web();
  other["loadbalancer"]["listeners"][0]["default_pool"]["members"][0]["weight"] = 5;
  const Exit planned = cli("plan " + file(other));
  EXPECT_EQ(planned.code, 0);
  EXPECT_THAT(planned.out, HasSubstr("weight"));
  EXPECT_EQ(agent_.changes.count, before);
  EXPECT_EQ(cli("apply " + file(other)).out.substr(0, planned.out.size()), planned.out);
  EXPECT_THAT(cli("plan " + file(other)).out, HasSubstr("nothing to change"));
  const json members = json::parse(cli("show member one --json").out);
  EXPECT_EQ(members["member"]["weight"], 5);
}

TEST_F(Command, ApplyReadsStandardInput) {
  EXPECT_EQ(run("--socket " + agent_.server.path() + " apply - < " + file(web())).code, 0);
  EXPECT_EQ(agent_.changes.model().load_balancers.size(), 1u);
}

TEST_F(Command, ApplyTellsWhatItMadeAsJson) {
  const Exit made = cli("apply --json " + file(web()));
  const json out = json::parse(made.out);
  EXPECT_EQ(out["loadbalancer"]["provisioning_status"], "ACTIVE");
  EXPECT_FALSE(out["changes"].empty());
}

TEST_F(Command, ApplyRefusesAFileThatIsWrong) {
  const Exit broken = cli("apply " + file_with("{\n  \"loadbalancer\": nope\n}"));
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.out, HasSubstr("lb.json:2:20: syntax error"));
  json wrong = web();
  wrong["loadbalancer"]["listeners"][0]["protocol_port"] = 99999;
  const Exit refused = cli("apply " + file(wrong));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.out, HasSubstr("protocol_port"));
  EXPECT_EQ(cli("apply /nonexistent").code, 2);
  EXPECT_EQ(agent_.changes.count, 0);
}

TEST_F(Command, ApplyEndsWhenTheMachineDoesNotFollow) {
  agent_.changes.finishes = FakeChanges::Finish::never;
  const Exit late = cli("apply --timeout 1 " + file(web()));
  EXPECT_EQ(late.code, 4);
  EXPECT_THAT(late.out, HasSubstr("PENDING_CREATE"));
}

TEST_F(Command, ApplyPassesTheAgentsRefusalOn) {
  agent_.changes.storage_fault = model::Fault{500, "write state: No space left on device"};
  const Exit refused = cli("apply " + file(web()));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.out, HasSubstr("No space left on device"));
}

TEST_F(Command, PlanNeedsNoAgent) {
  const Exit planned = run("plan --offline " + file(web()));
  EXPECT_EQ(planned.code, 0) << planned.out;
  EXPECT_THAT(planned.out, HasSubstr("web"));
  const json requests = json::parse(run("plan --offline --json " + file(web())).out)["requests"];
  EXPECT_EQ(requests[0]["method"], "POST");
  json wrong = web();
  wrong["loadbalancer"]["vip_address"] = "nowhere";
  EXPECT_EQ(run("plan --offline " + file(wrong)).code, 2);
}

TEST_F(Command, PlanComparesWithAStateFile) {
  agent_.make("/v2/lbaas/loadbalancers", web());
  const std::string state = folder_.path("state.json");
  std::ofstream(state) << model::save(agent_.changes.model());
  EXPECT_THAT(run("plan --state " + state + " " + file(web())).out, HasSubstr("nothing to change"));
  EXPECT_EQ(run("plan --state /nonexistent " + file(web())).code, 2);
}

TEST_F(Command, WithoutAnAgentSaysWhatToDo) {
  for (const char* command : {"status", "show", "flows", "verdicts", "failover", "apply -"}) {
    const Exit none =
        run("--socket /nonexistent/x.sock " + std::string(command) + " < " + file(web()));
    EXPECT_EQ(none.code, 3) << command;
    EXPECT_THAT(none.out, HasSubstr("cannot connect to /nonexistent/x.sock"));
    EXPECT_THAT(none.out, HasSubstr("is amphora-xdp-agent running?"));
  }
}

TEST_F(Command, TheCommandLineIsChecked) {
  for (const char* arguments : {"", "dance", "apply", "show horse front", "flows --limit many"})
    EXPECT_EQ(run(arguments).code, 2) << arguments;
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run("flows --help").code, 0);
  EXPECT_THAT(run("--version").out, HasSubstr("amphora-xdp "));
}

TEST_F(Command, ShowDrawsTheTree) {
  EXPECT_THAT(cli("show").out, HasSubstr("amphora-xdp apply FILE"));
  agent_.make("/v2/lbaas/loadbalancers", web());
  const Exit tree = cli("show");
  EXPECT_EQ(tree.code, 0);
  EXPECT_THAT(tree.out, HasSubstr("\nweb        loadbalancer  203.0.113.10 "));
  EXPECT_THAT(tree.out, HasSubstr("\n  front    listener      TCP 80 "));
  EXPECT_THAT(tree.out, HasSubstr("\n    app    pool          TCP ROUND_ROBIN "));
  EXPECT_THAT(tree.out, HasSubstr("\n      one  member        192.0.2.11:8080 weight 1 "));
  std::istringstream lines(tree.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u);
}

TEST_F(Command, ShowListsAndFindsByName) {
  agent_.make("/v2/lbaas/loadbalancers", web());
  EXPECT_EQ(json::parse(cli("show member --json").out)["members"].size(), 2u);
  EXPECT_THAT(cli("show pool").out, Not(HasSubstr("listener")));
  EXPECT_THAT(cli("show loadbalancer web").out, HasSubstr("vip_address"));
  const Exit none = cli("show pool nobody");
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.out, HasSubstr("`amphora-xdp show pool` lists them"));
}

TEST_F(Command, StatusSaysHowItIs) {
  control::Status& status = agent_.machine.status_;
  status.version = "0.1.0";
  status.abi = 1;
  status.uptime = std::chrono::seconds(185);
  status.network_namespace = "amphora-haproxy";
  status.attachments = {{"eth1", 7, "generic", "no native XDP in the driver"}};
  status.flow_tables = {{base::Family::ipv4, 262144, 0, 160, {{"open", 26214}}}};
  const Exit outcome = cli("status");
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("map ABI 1, up 3m05s, in namespace amphora-haproxy"));
  EXPECT_THAT(outcome.out, HasSubstr("eth1           7  generic  no native XDP in the driver"));
  EXPECT_THAT(outcome.out, HasSubstr("10.0%"));
  agent_.machine.status_.uptime = {};
  EXPECT_THAT(cli("status").out, HasSubstr("up less than 1s"));
}

TEST_F(Command, StatusSaysWhatANodeOfAPairIs) {
  EXPECT_THAT(cli("status").out, Not(HasSubstr("pair:")));
  control::VrrpStatus vrrp;
  vrrp.role = "BACKUP";
  vrrp.interface = "eth1";
  vrrp.priority = 90;
  vrrp.vips = {{*base::IpAddress::parse("203.0.113.10"), false}};
  vrrp.running = true;
  vrrp.restarts = 2;
  agent_.machine.status_.vrrp = vrrp;
  EXPECT_THAT(cli("status").out,
              HasSubstr("pair: BACKUP on eth1, priority 90; keepalived runs, supervised, 2 "
                        "restarts\n  VIP 203.0.113.10: not here\n"));
  EXPECT_EQ(json::parse(cli("status --json").out)["vrrp"]["role"], "BACKUP");
  agent_.machine.status_.vrrp->unfit_because = {"HAProxy does not answer"};
  EXPECT_THAT(cli("status").out, HasSubstr("  may not be master: HAProxy does not answer\n"));
}

TEST_F(Command, FailoverSaysWhereTheVipsAre) {
  const Exit refused = cli("failover");
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "amphora-xdp: There is no pair.\n");
  agent_.machine.moved_ =
      control::MovedVips{*base::IpAddress::parse("192.0.2.3"), std::chrono::milliseconds(640), 0};
  const Exit moved = cli("failover");
  EXPECT_EQ(moved.code, 0);
  EXPECT_EQ(moved.out, "the VIPs are at 192.0.2.3, after 640 ms\n");
  EXPECT_EQ(json::parse(cli("failover --json").out)["failover"]["took_ms"], 640);
  std::get<control::MovedVips>(agent_.machine.moved_).not_movable = 2;
  EXPECT_THAT(cli("failover").out, HasSubstr("  2 connections could not go along"));
}

TEST_F(Command, FlowsAreATableOrLines) {
  control::Flow flow;
  flow.protocol = "TCP";
  flow.state = "open";
  flow.client = {*base::IpAddress::parse("198.51.100.7"), 40000};
  agent_.machine.flows = {flow};
  agent_.machine.repeat = 3000;
  const Exit table = cli("flows --limit 10");
  EXPECT_EQ(table.code, 0);
  EXPECT_EQ(std::ranges::count(table.out, '\n'), 12);
  EXPECT_THAT(table.out, HasSubstr("10 flows; there are more"));
  const Exit lines = cli("flows --json --client 198.51.100.0/24");
  EXPECT_EQ(std::ranges::count(lines.out, '\n'), 3000);
  const Exit wrong = cli("flows --state ajar");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.out, HasSubstr("parameter state"));
}

TEST_F(Command, VerdictsLeaveZeroesOut) {
  agent_.make("/v2/lbaas/loadbalancers", web());
  agent_.machine.verdicts_ = {
      {{"established", "send", 7}, {"no_route", "drop", 0}},
      {{agent_.changes.model().listeners.begin()->first, {{"new_flow", "send", 2}}}}};
  EXPECT_THAT(cli("verdicts").out, Not(HasSubstr("no_route")));
  EXPECT_THAT(cli("verdicts --all").out, HasSubstr("no_route"));
  EXPECT_THAT(cli("verdicts --by-listener").out, HasSubstr("front     new_flow"));
  EXPECT_EQ(cli("verdicts nobody").code, 1);
  EXPECT_EQ(json::parse(cli("verdicts front --json").out)["listeners"].size(), 1u);
}

}  // namespace
}  // namespace cli::testing
