#include <cerrno>

#include "tests/unit/doctor/well.h"

namespace doctor::testing {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;

// The same, with something else in its answer.
Facts answering(const json& change) {
  Facts facts = well();
  json status = *facts.agent;
  status.merge_patch(change);
  facts.agent = status;
  return facts;
}

TEST(CheckConfiguration, IsReadAsTheAgentDoes) {
  Facts facts = well();
  EXPECT_THAT(check_configuration(facts),
              ElementsAre(Says(Grade::ok, "amphora-agent.conf is valid")));
  facts.configuration.fault = "agent.json: mtu must be a number";
  EXPECT_THAT(check_configuration(facts), ElementsAre(Says(Grade::fail, "mtu must be")));
}

TEST(CheckAgent, Answers) {
  Facts facts = well();
  facts.agent = base::Error{0, "nobody answers on control.sock"};
  EXPECT_THAT(check_agent(facts),
              ElementsAre(Says(Grade::fail, "nobody answers", "systemctl start")));
  facts.agent = base::Error{EACCES, "ask the agent"};
  EXPECT_THAT(check_agent(facts), ElementsAre(Says(Grade::unseen, "ask the agent", "root")));
}

TEST(CheckAgent, IsOfTheVersionThatIsInstalled) {
  EXPECT_THAT(check_agent(answering({{"version", "1.2.2"}})),
              Contains(Says(Grade::warn, "1.2.2 runs, 1.2.3 is installed", "restart")));
}

TEST(CheckAgent, SaysWhatItCouldNotDo) {
  const Diagnoses found = check_agent(answering(
      {{"reconcile",
        {{"error", "attach XDP to interface eth1: no such device"},
         {"problems",
          {{{"resource", {{"type", "member"}, {"name", "m1"}}}, {"what", "no route to it"}}}}}}}));
  EXPECT_THAT(found, Contains(Says(Grade::fail, "attach XDP")));
  EXPECT_THAT(found,
              Contains(Diagnosis{"problem", "member m1", Grade::warn, "no route to it", ""}));
}

TEST(CheckAgent, ProgramsItKeepsRun) {
  EXPECT_THAT(
      check_agent(answering(
          {{"haproxy",
            {{{"loadbalancer_id", "4a06bb2f"}, {"running", true}, {"error", "cannot bind"}}}}})),
      Contains(Says(Grade::fail, "cannot bind")));
  EXPECT_THAT(check_agent(answering({{"haproxy", {{{"running", false}, {"error", nullptr}}}}})),
              Contains(Says(Grade::fail, "does not run")));
  EXPECT_THAT(check_agent(answering({{"vrrp", {{"keepalived", {{"running", false}}}}}})),
              Contains(Says(Grade::fail, "keepalived does not run")));
  EXPECT_THAT(check_agent(answering({{"vrrp", {{"unfit_because", {"HAProxy does not answer"}}}}})),
              Contains(Says(Grade::fail, "may not be master: HAProxy")));
}

TEST(CheckAgent, ConnectionsOutliveAFailover) {
  const json well = {{"peer", "198.51.100.3"}, {"connected", true}, {"peer_role", "ACTIVE"},
                     {"in_sync", true},        {"unknown", 0u},     {"not_movable", 0u},
                     {"trouble", nullptr}};
  const auto with = [&well](const json& change) {
    json status = well;
    status.merge_patch(change);
    return check_agent(answering({{"replication", status}, {"vrrp", {{"role", "BACKUP"}}}}));
  };
  EXPECT_THAT(with(json::object()),
              Contains(Diagnosis{"replication", "198.51.100.3", Grade::ok,
                                 "a failover would break no connection", ""}));
  EXPECT_THAT(with({{"connected", false}, {"trouble", "Connection refused"}}),
              Contains(Says(Grade::fail, "would outlive a failover: Connection refused", "start")));
  EXPECT_THAT(with({{"in_sync", false}}), Contains(Says(Grade::warn, "not all of its flows")));
  EXPECT_THAT(with({{"in_sync", false}, {"peer_role", "STANDBY"}}),
              Contains(Says(Grade::ok, "no connection")));
  EXPECT_THAT(with({{"unknown", 3u}}),
              Contains(Says(Grade::warn, "3 of its flows have no place here", "same resources")));
  EXPECT_THAT(with({{"peer_role", "STANDBY"}, {"unknown_there", 5u}}),
              Contains(Says(Grade::warn, "it has no place for 5 flows", "same resources")));
  EXPECT_THAT(check_agent(answering({{"replication", well}, {"vrrp", {{"role", "MASTER"}}}})),
              Contains(Says(Grade::fail, "both nodes have the VIPs")));
  EXPECT_THAT(with({{"not_movable", 7u}}),
              Contains(Says(Grade::warn, "7 flows here leave", "floating")));
}

}  // namespace
}  // namespace doctor::testing
