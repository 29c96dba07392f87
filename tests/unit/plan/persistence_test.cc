// Session persistence by source address: what a service gets, and which members clients may come
// back to.
#include "agent/plan/persistence.h"

#include <gtest/gtest.h>

#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using base::Family;
using test::load_balancer;

constexpr auto kTcp = model::ListenerProtocol::tcp;
constexpr auto kUdp = model::ListenerProtocol::udp;

test::LoadBalancerBuilder persistent(model::ListenerProtocol protocol,
                                     model::SessionPersistence persistence = {}) {
  auto builder = load_balancer("192.0.2.1").vip("2001:db8:1::1").listener(protocol, 80).pool();
  builder.last_pool().session_persistence = std::move(persistence);
  return builder.member("203.0.113.7", 8080).member("2001:db8:2::7", 8080);
}

std::string mask_text(const std::optional<lb_addr>& mask, Family family) {
  return mask ? datapath::from_abi(family, *mask).text() : "none";
}

TEST(Persistence, MaskOfAGranularity) {
  const auto v4 = [](const char* text) {
    return mask_text(persistence_mask(text, Family::ipv4), Family::ipv4);
  };
  const auto v6 = [](const char* text) {
    return mask_text(persistence_mask(text, Family::ipv6), Family::ipv6);
  };
  const std::string all6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  EXPECT_EQ(v4(""), "255.255.255.255");
  EXPECT_EQ(v4("255.255.255.0"), "255.255.255.0");
  EXPECT_EQ(v4("255.255.254.0"), "255.255.254.0");
  EXPECT_EQ(v4("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(v6(""), all6);
  EXPECT_EQ(v6("64"), "ffff:ffff:ffff:ffff::");
  EXPECT_EQ(v6("ffff:ffff::"), "ffff:ffff::");
  EXPECT_EQ(v6("128"), all6);
  EXPECT_EQ(v6("0"), "::");
}

TEST(Persistence, GranularityOfTheOtherFamilySaysNothing) {
  EXPECT_EQ(mask_text(persistence_mask("ffff::", Family::ipv4), Family::ipv4), "255.255.255.255");
  EXPECT_EQ(mask_text(persistence_mask("64", Family::ipv4), Family::ipv4), "255.255.255.255");
  EXPECT_EQ(mask_text(persistence_mask("255.255.255.0", Family::ipv6), Family::ipv6),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(Persistence, WhatIsNoMaskIsNone) {
  for (const char* text : {"255.0.255.0", "0.0.0.255", "ffff::ffff", "129", "-1", "24x", "/24"})
    for (const Family family : {Family::ipv4, Family::ipv6})
      EXPECT_FALSE(persistence_mask(text, family)) << text;
}

TEST(Persistence, Timeout) {
  const auto tcp = model::PoolProtocol::tcp, udp = model::PoolProtocol::udp;
  model::SessionPersistence persistence;
  EXPECT_EQ(persistence_timeout(persistence, udp), 360'000u);
  EXPECT_EQ(persistence_timeout(persistence, tcp), 0u);
  persistence.persistence_timeout = 10;
  EXPECT_EQ(persistence_timeout(persistence, udp), 10'000u);
  EXPECT_EQ(persistence_timeout(persistence, tcp), 10'000u);
  persistence.persistence_timeout = std::numeric_limits<int>::max();
  EXPECT_EQ(persistence_timeout(persistence, udp), std::numeric_limits<uint32_t>::max());
}

TEST(Persistence, ServicesOfBothFamiliesHaveIt) {
  model::SessionPersistence persistence;
  persistence.persistence_granularity = "255.255.255.0";
  const auto builder = persistent(kUdp, persistence);
  const Plan plan = plan_of(builder);
  EXPECT_TRUE(plan.problems.empty());
  const lb_service& four = service(plan, "192.0.2.1", 80, IPPROTO_UDP);
  const lb_service& six = service(plan, "2001:db8:1::1", 80, IPPROTO_UDP);
  for (const lb_service* service : {&four, &six}) {
    EXPECT_EQ(service->flags, LB_SERVICE_PERSISTENT);
    EXPECT_EQ(service->persistence_timeout, 360'000u);
    EXPECT_TRUE(same_bytes(service->pool, builder.model().pools.begin()->first));
  }
  EXPECT_EQ(mask_text(four.persistence_mask, Family::ipv4), "255.255.255.0");
  EXPECT_EQ(mask_text(six.persistence_mask, Family::ipv6),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(Persistence, DisabledListenerKeepsIt) {
  auto builder = persistent(kTcp);
  builder.last_listener().admin_state_up = false;
  EXPECT_EQ(service(plan_of(builder), "192.0.2.1", 80).flags,
            LB_SERVICE_PERSISTENT | LB_SERVICE_DISABLED);
}

TEST(Persistence, WhatCannotBeAppliedIsAProblemOfThePool) {
  model::SessionPersistence persistence;
  persistence.persistence_granularity = "255.0.255.0";
  auto builder = persistent(kUdp, persistence);
  Plan plan = plan_of(builder);
  EXPECT_EQ(plan.problems.at(builder.last_pool().id),
            "session persistence SOURCE_IP is not applied: its granularity 255.0.255.0 is no "
            "netmask");
  EXPECT_EQ(service(plan, "192.0.2.1", 80, IPPROTO_UDP).flags, 0u);
  EXPECT_NE(service(plan, "192.0.2.1", 80, IPPROTO_UDP).ring, 0u);
}

TEST(Persistence, WithoutItNothingIsSaid) {
  const Plan plan =
      plan_of(load_balancer("192.0.2.1").listener(kTcp, 80).pool().member("203.0.113.7", 8080));
  EXPECT_EQ(service(plan, "192.0.2.1", 80).flags, 0u);
}

// Also to one that drains; to none that is down, disabled, or of a pool that is.
TEST(Persistence, MembersThatClientsMayComeBackTo) {
  auto builder = load_balancer("192.0.2.1")
                     .listener(kTcp, 80)
                     .pool()
                     .member("203.0.113.1", 80)
                     .member("203.0.113.2", 80, {.weight = 0})
                     .member("203.0.113.3", 80, {.admin_state_up = false})
                     .member("203.0.113.4", 80, {.backup = true})
                     .member("203.0.113.5", 80);
  const std::set<base::Uuid> down{builder.last_member().id};
  const auto returning = [&] {
    std::set<std::string> members;
    const Plan plan = make_plan(
        builder.model(), {two_links().reaching(builder.model()).observed(), down}, {}, {}, {});
    for (const auto& [id, backend] : plan.tables.backends)
      if ((backend.flags & LB_BACKEND_RETURNING) != 0) members.insert(place(backend));
    return members;
  };
  EXPECT_EQ(returning(),
            (std::set<std::string>{"203.0.113.1:80", "203.0.113.2:80", "203.0.113.4:80"}));
  builder.last_pool().admin_state_up = false;
  EXPECT_EQ(returning(), std::set<std::string>{});
}

}  // namespace
}  // namespace plan
