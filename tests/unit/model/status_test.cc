// The roll-up of operating statuses, rule by rule.
#include "agent/model/show/status.h"

#include <functional>
#include <ostream>

#include "tests/unit/model/house.h"

namespace model {
namespace {

using enum OperatingStatus;

// A load balancer with one listener, its pool, and the members a and b.
struct Stage {
  House house = two_members();
  Findings findings;

  Model& m() { return house.model; }
  LoadBalancer& lb() { return m().load_balancers.at(house.lb); }
  Listener& listener() { return m().listeners.at(house.listener); }
  Pool& pool() { return m().pools.at(house.pool); }
  Member& a() { return m().members.at(house.member); }
  Member& b() {
    for (auto& [id, member] : m().members)
      if (id != house.member) return member;
    throw std::out_of_range("no second member");
  }

  void monitor() { house = house.watched(); }
  void say(CheckedState of_a, CheckedState of_b) {
    monitor();
    findings.members = {{a().id, of_a}, {b().id, of_b}};
  }
  void udp() {
    listener().protocol = ListenerProtocol::udp;
    pool().protocol = PoolProtocol::udp;
  }

  // The pool is nobody's default: a policy, with a rule, sends requests to it.
  L7Policy& policy() {
    if (!m().l7policies.empty()) return m().l7policies.begin()->second;
    listener().protocol = ListenerProtocol::http;
    pool().protocol = PoolProtocol::http;
    listener().default_pool.reset();
    L7Policy policy;
    policy.id = Uuid::random();
    policy.listener = listener().id;
    policy.action = PolicyAction::redirect_to_pool;
    policy.redirect_pool = pool().id;
    policy.provisioning_status = ProvisioningStatus::active;
    L7Rule rule;
    rule.id = Uuid::random();
    rule.policy = policy.id;
    rule.value = "/x";
    rule.provisioning_status = ProvisioningStatus::active;
    m().l7rules[rule.id] = rule;
    return m().l7policies[policy.id] = policy;
  }

  static House two_members() {
    House house;
    house.model = settled(
        accepted(house.make(Kind::member, {{"address", "192.0.2.12"}, {"protocol_port", 80}}))
            .model);
    return house;
  }
};

struct Rule {
  const char* name;
  std::function<void(Stage&)> arrange;
  OperatingStatus lb, listener, pool, a, b;
};

void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

constexpr auto up = CheckedState::up;
constexpr auto down = CheckedState::down;
constexpr auto unknown = CheckedState::unknown;

const Rule kRules[] = {
    {"NoMonitor", [](Stage&) {}, online, online, online, no_monitor, no_monitor},
    {"AllUp", [](Stage& s) { s.say(up, up); }, online, online, online, online, online},
    {"OneDown", [](Stage& s) { s.say(down, up); }, degraded, online, degraded, error, online},
    {"AllDown", [](Stage& s) { s.say(down, down); }, error, online, error, error, error},
    {"NotProbedYet", [](Stage& s) { s.monitor(); }, online, online, online, offline, offline},
    {"OneUnknown", [](Stage& s) { s.say(unknown, down); }, degraded, online, degraded, offline,
     error},
    {"MonitorDisabled",
     [](Stage& s) {
       s.say(down, down);
       s.m().health_monitors.begin()->second.admin_state_up = false;
     },
     online, online, online, no_monitor, no_monitor},
    {"Drained",
     [](Stage& s) {
       s.say(up, up);
       s.a().weight = 0;
     },
     online, online, online, draining, online},
    {"DrainedAndDown",
     [](Stage& s) {
       s.say(down, up);
       s.a().weight = 0;
     },
     degraded, online, degraded, error, online},
    {"AllDrained",
     [](Stage& s) {
       s.say(up, up);
       s.a().weight = s.b().weight = 0;
     },
     error, online, error, draining, draining},
    {"DrainedWithoutMonitor", [](Stage& s) { s.a().weight = 0; }, online, online, online,
     no_monitor, no_monitor},
    {"AllDrainedWithoutMonitor", [](Stage& s) { s.a().weight = s.b().weight = 0; }, error, online,
     error, no_monitor, no_monitor},
    {"UdpDrainedWithoutMonitor",
     [](Stage& s) {
       s.udp();
       s.a().weight = s.b().weight = 0;
     },
     online, online, online, draining, draining},
    {"MemberDisabled",
     [](Stage& s) {
       s.say(down, up);
       s.a().admin_state_up = false;
     },
     online, online, online, offline, online},
    {"NoUsableMemberLeft",
     [](Stage& s) {
       s.say(up, down);
       s.a().admin_state_up = false;
     },
     error, online, error, offline, error},
    {"NoMembers", [](Stage& s) { s.m().members.clear(); }, online, online, online, offline,
     offline},
    {"GoingMembersDoNotCount",
     [](Stage& s) {
       s.say(down, up);
       s.a().provisioning_status = ProvisioningStatus::pending_delete;
     },
     online, online, online, error, online},
    {"ListenerFull", [](Stage& s) { s.findings.full_listeners = {s.listener().id}; }, degraded,
     degraded, online, no_monitor, no_monitor},
    {"ListenerFullAndDisabled",
     [](Stage& s) {
       s.findings.full_listeners = {s.listener().id};
       s.listener().admin_state_up = false;
     },
     online, offline, offline, no_monitor, no_monitor},
    {"ListenerFullAndAllDown",
     [](Stage& s) {
       s.say(down, down);
       s.findings.full_listeners = {s.listener().id};
     },
     error, degraded, error, error, error},
    {"PoolReachedByAPolicy",
     [](Stage& s) {
       s.say(down, up);
       s.policy();
     },
     degraded, online, degraded, error, online},
    {"PolicyWithoutRules",
     [](Stage& s) {
       s.say(down, up);
       s.policy();
       s.m().l7rules.clear();
     },
     online, online, offline, error, online},
    {"PolicyDisabled",
     [](Stage& s) {
       s.say(down, up);
       s.policy().admin_state_up = false;
     },
     online, online, offline, error, online},
    {"PolicyNotOnTheMachineYet",
     [](Stage& s) {
       s.say(down, up);
       s.policy().provisioning_status = ProvisioningStatus::pending_create;
     },
     online, online, offline, error, online},
    {"PolicyOfADisabledListener",
     [](Stage& s) {
       s.say(down, up);
       s.policy();
       s.listener().admin_state_up = false;
     },
     online, offline, offline, error, online},
    {"PoolOfNoListener",
     [](Stage& s) {
       s.say(down, down);
       s.listener().default_pool.reset();
     },
     online, online, offline, error, error},
    {"PoolDisabled",
     [](Stage& s) {
       s.say(down, down);
       s.pool().admin_state_up = false;
     },
     online, online, offline, error, error},
    {"ListenerDisabled",
     [](Stage& s) {
       s.say(down, up);
       s.listener().admin_state_up = false;
     },
     online, offline, offline, error, online},
    {"LoadBalancerDisabled", [](Stage& s) { s.lb().admin_state_up = false; }, offline, offline,
     offline, no_monitor, no_monitor},
    {"NotOnTheMachineYet",
     [](Stage& s) { s.lb().provisioning_status = ProvisioningStatus::pending_create; }, offline,
     offline, offline, no_monitor, no_monitor},
};

class RollUp : public ::testing::TestWithParam<Rule> {};

TEST_P(RollUp, IsAsTheTableSays) {
  const Rule& rule = GetParam();
  Stage stage;
  const Uuid a = stage.a().id, b = stage.b().id;
  rule.arrange(stage);
  Statuses got = operating_statuses(stage.m(), stage.findings);
  EXPECT_EQ(text(got[stage.house.lb]), text(rule.lb));
  EXPECT_EQ(text(got[stage.house.listener]), text(rule.listener));
  EXPECT_EQ(text(got[stage.house.pool]), text(rule.pool));
  if (stage.m().members.empty()) return;
  EXPECT_EQ(text(got[a]), text(rule.a));
  EXPECT_EQ(text(got[b]), text(rule.b));
}

INSTANTIATE_TEST_SUITE_P(Rules, RollUp, ::testing::ValuesIn(kRules),
                         [](const auto& one) { return one.param.name; });

TEST(Statuses, OfAPolicyAndItsRuleAreTheirSwitches) {
  Stage stage;
  L7Policy& policy = stage.policy();
  L7Rule& rule = stage.m().l7rules.begin()->second;
  EXPECT_EQ(operating_statuses(stage.m(), {})[policy.id], online);
  EXPECT_EQ(operating_statuses(stage.m(), {})[rule.id], online);
  policy.admin_state_up = false;
  rule.provisioning_status = ProvisioningStatus::pending_create;
  EXPECT_EQ(operating_statuses(stage.m(), {})[policy.id], offline);
  EXPECT_EQ(operating_statuses(stage.m(), {})[rule.id], offline);
}

TEST(Statuses, ALoadBalancerWhosePacketsAreLostIsDegraded) {
  Stage stage;
  const Uuid listener = stage.house.listener, lb = stage.house.lb;
  const OperatingStatus before = operating_statuses(stage.m(), {})[lb];
  ASSERT_EQ(before, online);
  Findings lossy;
  lossy.lossy_listeners = {listener};
  EXPECT_EQ(operating_statuses(stage.m(), lossy)[lb], degraded);
  EXPECT_EQ(operating_statuses(stage.m(), lossy)[listener], online);
  stage.listener().admin_state_up = false;
  EXPECT_EQ(operating_statuses(stage.m(), lossy)[lb], online);
}

TEST(Statuses, OfAMonitorIsItsSwitch) {
  Model m = House().watched().model;
  HealthMonitor& monitor = m.health_monitors.begin()->second;
  EXPECT_EQ(operating_statuses(m, {})[monitor.id], online);
  monitor.admin_state_up = false;
  EXPECT_EQ(operating_statuses(m, {})[monitor.id], offline);
}

}  // namespace
}  // namespace model
