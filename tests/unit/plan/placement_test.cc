// Who serves what, and what HAProxy is told.
#include "agent/plan/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/plan/l7.h"
#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using model::Algorithm;
using model::ListenerProtocol;
using model::PoolProtocol;
using testing::HasSubstr;

test::LoadBalancerBuilder web(ListenerProtocol listener, PoolProtocol pool) {
  auto lb = test::load_balancer(kVip);
  lb.listener(listener, 80).pool(Algorithm::round_robin, pool).member("203.0.113.7", 8080);
  lb.last_pool().name = "p1";
  return lb;
}

Placement placed(const test::LoadBalancerBuilder& lb) {
  const model::Relations related(lb.model());
  return Placing(related).of(lb.model().listeners.begin()->second);
}

void watch(model::Model& m, model::MonitorType type) {
  model::HealthMonitor monitor;
  monitor.id = test::id_from("monitor");
  monitor.pool = m.pools.begin()->first;
  monitor.type = type;
  monitor.delay = monitor.timeout = monitor.max_retries = 1;
  monitor.expected_codes = "200,202-204";
  m.health_monitors[monitor.id] = monitor;
}

TEST(Placement, SaysWhy) {
  using enum ListenerProtocol;
  const Placement plain = placed(web(tcp, PoolProtocol::tcp));
  EXPECT_EQ(plain, (Placement{ServedBy::xdp, "TCP without anything of layer 7"}));
  EXPECT_EQ(placed(web(https, PoolProtocol::https)).by, ServedBy::xdp);
  EXPECT_EQ(placed(web(udp, PoolProtocol::udp)).by, ServedBy::xdp);
  EXPECT_EQ(placed(web(http, PoolProtocol::http)), (Placement{ServedBy::haproxy, "protocol HTTP"}));
  EXPECT_EQ(placed(web(terminated_https, PoolProtocol::http)).reason, "protocol TERMINATED_HTTPS");
  EXPECT_EQ(placed(web(tcp, PoolProtocol::proxyv2)),
            (Placement{ServedBy::haproxy, "pool p1 speaks PROXYV2"}));
  EXPECT_THAT(placed(web(tcp, PoolProtocol::http)).reason, HasSubstr("is HTTP"));
}

TEST(Placement, LooksAtThePool) {
  auto lb = web(ListenerProtocol::tcp, PoolProtocol::tcp);
  lb.last_pool().session_persistence = model::SessionPersistence{};
  EXPECT_EQ(placed(lb).by, ServedBy::xdp);
  lb.last_pool().session_persistence->type = model::PersistenceType::app_cookie;
  EXPECT_THAT(placed(lb).reason, HasSubstr("APP_COOKIE"));
  lb.last_pool().admin_state_up = false;  // nobody is served by it
  EXPECT_EQ(placed(lb).by, ServedBy::xdp);
  lb.last_pool().admin_state_up = true;
  lb.last_pool().session_persistence.reset();
  lb.last_pool().tls_enabled = true;
  EXPECT_THAT(placed(lb).reason, HasSubstr("encrypted"));
}

TEST(Placement, FamiliesDoNotMix) {
  auto lb = web(ListenerProtocol::tcp, PoolProtocol::tcp);
  lb.member("2001:db8:2::7", 8080);
  EXPECT_EQ(placed(lb),
            (Placement{ServedBy::haproxy, "member 2001:db8:2::7 is IPv6, and no VIP is"}));
  lb.last_member().admin_state_up = false;
  EXPECT_EQ(placed(lb).by, ServedBy::xdp);
}

TEST(Placement, FamiliesBesideEachOtherDo) {
  auto lb = web(ListenerProtocol::tcp, PoolProtocol::tcp);
  lb.vip("2001:db8:1::1");
  EXPECT_EQ(placed(lb),
            (Placement{ServedBy::haproxy, "VIP 2001:db8:1::1 is IPv6, and no member is"}));
  lb.member("2001:db8:2::7", 8080);
  EXPECT_EQ(placed(lb).by, ServedBy::xdp);
}

// Not to offload is always safe; HAProxy has no datagrams.
TEST(Placement, WhereXdpCanForwardNothing) {
  const std::string why = "interface eth1 runs XDP in generic mode";
  const auto planned = [&](const test::LoadBalancerBuilder& lb) {
    const auto net = two_links().reaching(lb.model()).observed();
    return make_plan(lb, {net, {}, {}, why}, {}, {}, {});
  };
  const auto tcp = web(ListenerProtocol::tcp, PoolProtocol::tcp);
  const Plan plan = planned(tcp);
  const base::Uuid listener = tcp.model().listeners.begin()->first;
  EXPECT_EQ(plan.placements.at(listener), (Placement{ServedBy::haproxy, why}));
  EXPECT_EQ(service(plan, kVip, 80).flags, LB_SERVICE_TO_KERNEL);
  EXPECT_EQ(l7(plan).frontends.at(listener).mode, haproxy::Mode::tcp);
  EXPECT_THAT(plan.problems, testing::IsEmpty());
  // What is HAProxy's anyway is so for its own reason.
  const auto http = web(ListenerProtocol::http, PoolProtocol::http);
  EXPECT_EQ(planned(http).placements.begin()->second.reason, "protocol HTTP");

  const auto udp = web(ListenerProtocol::udp, PoolProtocol::udp);
  const Plan datagrams = planned(udp);
  EXPECT_EQ(datagrams.placements.begin()->second.by, ServedBy::xdp);
  EXPECT_EQ(datagrams.problems.at(udp.model().listeners.begin()->first),
            "HAProxy serves no datagrams, and " + why);
}

TEST(Haproxy, IsToldOfWhatItServes) {
  auto lb = web(ListenerProtocol::http, PoolProtocol::http);
  lb.last_listener().insert_headers = {{"X-Forwarded-For", "true"}, {"X-Forwarded-Port", "false"}};
  const Plan plan = plan_of(lb);
  EXPECT_THAT(plan.problems, testing::IsEmpty());
  const auto& frontend = l7(plan).frontends.at(lb.last_listener().id);
  EXPECT_EQ(frontend.binds, (std::vector<base::Endpoint>{{test::ip(kVip), 80}}));
  EXPECT_EQ(frontend.mode, haproxy::Mode::http);
  const auto& backend = l7(plan).backends.at(*frontend.default_backend);
  EXPECT_EQ(backend.insert_headers, (std::vector<std::string>{"X-Forwarded-For"}));
  ASSERT_EQ(backend.servers.size(), 1u);
  EXPECT_EQ(backend.servers[0].place, (base::Endpoint{test::ip("203.0.113.7"), 8080}));
  EXPECT_EQ(service(plan, kVip, 80).flags, LB_SERVICE_TO_KERNEL);
  lb.last_listener().admin_state_up = false;
  EXPECT_TRUE(plan_of(lb).haproxy.empty());
}

TEST(Haproxy, WhatItIsToServeFollowsFromTheModelAlone) {
  const auto lb = web(ListenerProtocol::http, PoolProtocol::http);
  const auto l4 = web(ListenerProtocol::tcp, PoolProtocol::tcp);
  EXPECT_EQ(l7_specs(lb, {}), plan_of(lb).haproxy);
  EXPECT_TRUE(l7_specs(l4, {}).empty());
  auto off = lb;
  off.last_listener().admin_state_up = false;
  EXPECT_TRUE(l7_specs(off, {}).empty());
}

TEST(Haproxy, OfALoadBalancerThatWasMadeAnewIsAnotherOne) {
  auto lb = web(ListenerProtocol::http, PoolProtocol::http);
  const haproxy::Specs before = plan_of(lb).haproxy;
  lb.load_balancer().renewals++;
  EXPECT_NE(plan_of(lb).haproxy, before);
}

TEST(Haproxy, APartOfTheModelIsServedAsInTheWhole) {
  const auto lb = web(ListenerProtocol::http, PoolProtocol::http);
  const model::Model other = test::load_balancer("192.0.2.2")
                                 .listener(ListenerProtocol::http, 80)
                                 .pool(model::Algorithm::round_robin, PoolProtocol::http)
                                 .member("203.0.113.8", 8080);
  const model::Model both = test::join(lb, other);
  EXPECT_EQ(l7_specs(both, {}).size(), 2u);
  const model::Model part = model::part_of(both, {other.load_balancers.begin()->first});
  EXPECT_EQ(part, other);
  EXPECT_EQ(l7_specs(part, {}), plan_of(other).haproxy);
}

TEST(Haproxy, FlowsOfAMovedListenerKeepTheirBackends) {
  auto lb = web(ListenerProtocol::tcp, PoolProtocol::tcp);
  lb.member("2001:db8:2::7", 8080);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)).size(), 1u);
  EXPECT_EQ(l7(plan).backends.begin()->second.servers.size(), 2u);
  EXPECT_THAT(plan.problems, testing::IsEmpty());
}

TEST(Haproxy, ChecksWhatItCanAndIsToldTheRest) {
  model::Model m = web(ListenerProtocol::http, PoolProtocol::http);
  watch(m, model::MonitorType::http);
  const base::Uuid member = m.members.begin()->first;
  Observed observed{two_links().reaching(m).observed(), {member}};
  Plan plan = make_plan(m, observed, {}, {}, {});
  EXPECT_EQ(l7(plan).backends.begin()->second.check->expected_status, "200,202-204");
  EXPECT_FALSE(l7(plan).backends.begin()->second.servers[0].health);
  EXPECT_THAT(plan.targets, testing::IsEmpty());
  m.health_monitors.begin()->second.type = model::MonitorType::ping;
  plan = make_plan(m, observed, {}, {}, {});
  EXPECT_FALSE(l7(plan).backends.begin()->second.check);
  EXPECT_EQ(l7(plan).backends.begin()->second.servers[0].health, haproxy::Health::down);
  EXPECT_EQ(plan.targets.size(), 1u);
}

TEST(Haproxy, PoliciesGoByPosition) {
  model::Model m = web(ListenerProtocol::http, PoolProtocol::http);
  const base::Uuid listener = m.listeners.begin()->first;
  for (int position : {2, 1, 3}) {
    model::L7Policy policy;
    policy.id = test::id_from("policy " + std::to_string(position));
    policy.listener = listener;
    policy.position = position;
    policy.action = model::PolicyAction::redirect_to_pool;
    policy.redirect_pool = m.pools.begin()->first;
    m.l7policies[policy.id] = policy;
    if (position == 3) continue;  // without rules it matches nothing
    model::L7Rule rule;
    rule.id = test::id_from("rule " + std::to_string(position));
    rule.policy = policy.id;
    rule.value = "/";
    m.l7rules[rule.id] = rule;
  }
  const auto policies = l7(plan_of(m)).frontends.at(listener).policies;
  ASSERT_EQ(policies.size(), 2u);
  EXPECT_EQ(policies[0].id, test::id_from("policy 1"));
  EXPECT_EQ(policies[1].backend, (haproxy::BackendId{m.pools.begin()->first, listener}));
}

TEST(Haproxy, CertificatesComeFromTheStore) {
  auto lb = web(ListenerProtocol::terminated_https, PoolProtocol::http);
  lb.last_listener().default_tls_container_ref = "ref";
  Observed observed{two_links().reaching(lb).observed(), {}};
  Plan plan = make_plan(lb, observed, {}, {}, {});
  EXPECT_EQ(plan.problems.at(lb.last_listener().id), "certificate ref is not there");
  EXPECT_TRUE(plan.haproxy.empty());
  observed.certificates["ref"] = {"/c/ref.pem", "f"};
  plan = make_plan(lb, observed, {}, {}, {});
  const auto& tls = l7(plan).frontends.at(lb.last_listener().id).tls;
  EXPECT_EQ(tls->certificates, (std::vector<haproxy::PemFile>{{"/c/ref.pem", "f"}}));
}

}  // namespace
}  // namespace plan
