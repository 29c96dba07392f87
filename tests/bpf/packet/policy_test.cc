// Who may begin a flow, and with which members.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <map>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Policy : public Lab {
 protected:
  std::set<std::string> members_of(int flows) {
    std::set<std::string> members;
    for (int i = 0; i < flows; ++i)
      members.insert(forwarded(tcp({kClient.address, next_++}, kVip).syn()).to.address.text());
    return members;
  }
  uint16_t next_ = 21000;
};

using Members = std::set<std::string>;

TEST_F(Policy, WeightZeroDrains) {
  const auto with = [](int weight) {
    return load_balancer("192.0.2.100")
        .listener(kTcp, 80)
        .pool()
        .member("203.0.113.1", 80, {.weight = weight})
        .member("203.0.113.2", 80);
  };
  install(with(1));
  const Ends first = connect(kClient, kVip), second = connect(at("198.51.100.8", 40000), kVip);
  EXPECT_NE(first.to, second.to);
  install(with(0));
  EXPECT_EQ(members_of(6), (Members{"203.0.113.2"}));
  EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, first.to);
  EXPECT_EQ(forwarded(tcp(at("198.51.100.8", 40000), kVip)).to, second.to);
}

TEST_F(Policy, BackupsOnlyWithoutPrimaries) {
  const auto with = [](int weight) {
    return load_balancer("192.0.2.100")
        .listener(kTcp, 80)
        .pool()
        .member("203.0.113.1", 80, {.weight = weight})
        .member("203.0.113.2", 80, {.backup = true})
        .member("203.0.113.3", 80, {.backup = true});
  };
  install(with(1));
  EXPECT_EQ(members_of(6), (Members{"203.0.113.1"}));
  install(with(0));
  EXPECT_EQ(members_of(6), (Members{"203.0.113.2", "203.0.113.3"}));
}

TEST_F(Policy, MemberThatIsDisabledGetsNothingNew) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool()
              .member("203.0.113.1", 80, {.admin_state_up = false})
              .member("203.0.113.2", 80));
  EXPECT_EQ(members_of(4), (Members{"203.0.113.2"}));
}

TEST_F(Policy, MemberThatIsDownGetsNothingNewAndKeepsWhatItHas) {
  auto builder = load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.1", 80);
  const base::Uuid lost = builder.last_member().id;
  install(builder);
  const Ends inside = connect(kClient, kVip);
  set_down({lost});
  install(builder.member("203.0.113.2", 80));
  EXPECT_EQ(members_of(4), (Members{"203.0.113.2"}));
  EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, inside.to);
}

TEST_F(Policy, AllowedCidrs) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80, {.allowed_cidrs = {"198.51.100.0/29", "192.0.2.50/32"}})
              .pool()
              .member("203.0.113.50", 8080));
  forwarded(tcp(at("198.51.100.7", 40000), kVip).syn());
  forwarded(tcp(at("192.0.2.50", 40000), kVip).syn());
  EXPECT_THAT(run(tcp(at("198.51.100.8", 40000), kVip).syn()), Drops(LB_SOURCE_DENIED));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_SOURCE_DENIED], 1u);
}

TEST_F(Policy, AllowedCidrsIpv6) {
  install(load_balancer("2001:db8:1::100")
              .listener(kTcp, 80, {.allowed_cidrs = {"2001:db8:c::/125"}})
              .pool()
              .member("2001:db8:2::50", 8080));
  forwarded(tcp(at("2001:db8:c::7", 40000), kVip6).syn());
  EXPECT_THAT(run(tcp(at("2001:db8:c::8", 40000), kVip6).syn()), Drops(LB_SOURCE_DENIED));
}

TEST_F(Policy, FlowsOutliveTheirCidr) {
  const auto with = [](std::vector<std::string> cidrs) {
    return load_balancer("192.0.2.100")
        .listener(kTcp, 80, {.allowed_cidrs = std::move(cidrs)})
        .pool()
        .member("203.0.113.50", 8080);
  };
  install(with({}));
  const Ends inside = connect(kClient, kVip);
  install(with({"192.0.2.50/32"}));
  EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, inside.to);
  EXPECT_THAT(run(tcp(at("198.51.100.8", 40000), kVip).syn()), Drops(LB_SOURCE_DENIED));
}

// ---- connection_limit -------------------------------------------------------------------------

class Limit : public Policy {
 protected:
  void install_with_limit(int limit) {
    install(load_balancer("192.0.2.100")
                .listener(kTcp, 80, {.connection_limit = limit})
                .pool()
                .member("203.0.113.50", 8080));
  }
  Ends connect_from(uint16_t port) { return connect({kClient.address, port}, kVip); }
  Outcome syn_from(uint16_t port) { return run(tcp({kClient.address, port}, kVip).syn()); }
  Outcome from_member(const Ends& inside, uint8_t flags) {
    return run(tcp(inside.to, inside.from).flags(flags), kEth1);
  }
  uint32_t connections() { return stats_of(kVip).connections; }
};

TEST_F(Limit, IsOfConnectionsThatAreEstablished) {
  install_with_limit(2);
  for (uint16_t port = 30000; port < 30100; ++port)
    EXPECT_THAT(syn_from(port), Opens(tcp({kOwn, port}, at("203.0.113.50", 8080)).syn()));
  EXPECT_EQ(connections(), 0u) << "nobody went on after the SYN";
  connect_from(40001);
  connect_from(40002);
  EXPECT_EQ(connections(), 2u);
  EXPECT_THAT(syn_from(40003), Drops(LB_CONNECTION_LIMIT));
}

TEST_F(Limit, FortyConnectionsInSequenceUnderALimitOfOne) {
  install_with_limit(1);
  for (uint16_t port = 40000; port < 40040; ++port) {
    const Ends inside = connect_from(port);
    EXPECT_EQ(connections(), 1u);
    EXPECT_THAT(syn_from(39999), Drops(LB_CONNECTION_LIMIT));
    const base::Endpoint client{kClient.address, port};
    switch (port % 4) {
      case 0:
        forwarded(tcp(client, kVip).fin());
        from_member(inside, kFin | kAck);
        break;
      case 1:
        from_member(inside, kFin | kAck);
        forwarded(tcp(client, kVip).fin());
        break;
      case 2:
        forwarded(tcp(client, kVip).rst());
        break;
      default:
        from_member(inside, kRst | kAck);
    }
    EXPECT_EQ(connections(), 0u);
  }
  EXPECT_EQ(stats_of(kVip).verdicts[LB_CONNECTION_LIMIT], 40u);
}

// The client has closed and connects again at once; the member's FIN is under way.
TEST_F(Limit, WhatClosesMakesRoomForASynButCountsUntilItIsClosed) {
  install_with_limit(1);
  const Ends first = connect_from(40000);
  forwarded(tcp({kClient.address, 40000}, kVip).fin());
  const base::Endpoint next{kClient.address, 40001};
  const Ends inside = forwarded(tcp(next, kVip).syn());
  from_member(inside, kSyn | kAck);
  EXPECT_THAT(run(tcp(next, kVip)), Drops(LB_CONNECTION_LIMIT));
  EXPECT_THAT(run(tcp(next, kVip).payload(100)), Drops(LB_CONNECTION_LIMIT));
  EXPECT_EQ(connections(), 1u);
  from_member(first, kFin | kAck);
  EXPECT_EQ(connections(), 0u);
  EXPECT_THAT(run(tcp(next, kVip).payload(100)),
              Continues(tcp(inside.from, inside.to).payload(100)));
  EXPECT_EQ(connections(), 1u);
}

// An end takes one from the connections, then one from those that close: what is read in between.
TEST_F(Limit, MoreThatCloseThanThereAreIsBelowIt) {
  install_with_limit(1);
  connect_from(40000);
  forwarded(tcp({kClient.address, 40000}, kVip).fin());
  const int map = datapath().map_fd("lb_service_use");
  int torn = 0;
  lb_use use{};
  for (uint32_t id = 0; bpf_map_lookup_elem(map, &id, &use) == 0; ++id) {
    if (use.closing != 1) continue;
    use.flows = 0;
    ASSERT_EQ(bpf_map_update_elem(map, &id, &use, BPF_ANY), 0);
    torn++;
  }
  ASSERT_EQ(torn, 1);
  forwarded(tcp({kClient.address, 40001}, kVip).syn());
}

TEST_F(Limit, HoldsWhenAllComeAtOnce) {
  install_with_limit(5);
  std::vector<Ends> inside;
  for (uint16_t port = 40000; port < 40012; ++port)
    inside.push_back(forwarded(tcp({kClient.address, port}, kVip).syn()));
  for (const Ends& ends : inside) from_member(ends, kSyn | kAck);
  int open = 0;
  for (uint16_t port = 40000; port < 40012; ++port)
    open += run(tcp({kClient.address, port}, kVip)).verdict() == LB_ESTABLISHED;
  EXPECT_EQ(open, 5);
  EXPECT_EQ(connections(), 5u);
}

TEST_F(Limit, IsTheListenersOnAllItsAddresses) {
  auto builder = load_balancer("192.0.2.100")
                     .vip("2001:db8:1::100")
                     .listener(kTcp, 80, {.connection_limit = 2})
                     .pool()
                     .member("203.0.113.50", 8080)
                     .member("2001:db8:2::50", 8080);
  install(builder);
  connect(kClient, kVip);
  connect(kClient6, kVip6);
  EXPECT_THAT(run(tcp(at("198.51.100.8", 1234), kVip).syn()), Drops(LB_CONNECTION_LIMIT));
  EXPECT_THAT(run(tcp(at("2001:db8:c::8", 1234), kVip6).syn()), Drops(LB_CONNECTION_LIMIT));
  restart();
  EXPECT_THAT(run(tcp(at("198.51.100.8", 1234), kVip).syn()), Drops(LB_CONNECTION_LIMIT));
  forwarded(tcp(kClient6, kVip6).rst());
  connect(at("198.51.100.8", 1234), kVip);
}

TEST_F(Limit, ThatIsRaisedHoldsAtOnce) {
  install_with_limit(1);
  connect_from(40000);
  EXPECT_THAT(syn_from(40001), Drops(LB_CONNECTION_LIMIT));
  install_with_limit(2);
  connect_from(40001);
  EXPECT_THAT(syn_from(40002), Drops(LB_CONNECTION_LIMIT));
}

TEST_F(Limit, FlowsThatTheAgentEndsNoLongerCount) {
  install_with_limit(1);
  connect_from(40000);
  pass(std::chrono::minutes(2));
  sweep();
  EXPECT_EQ(connections(), 0u);
  EXPECT_EQ(live_flows(), 0u);
  connect_from(40001);
}

TEST_F(Policy, DisabledListenerIsTheKernels) {
  auto builder =
      load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080);
  install(builder);
  const Ends inside = connect(kClient, kVip);
  builder.last_listener().admin_state_up = false;
  install(builder);
  EXPECT_THAT(run(tcp(at("198.51.100.8", 40000), kVip).syn()), Passes(LB_DISABLED));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_DISABLED], 1u);
  EXPECT_EQ(forwarded(tcp(kClient, kVip)).to, inside.to);
}

TEST_F(Policy, NoMemberIsTheKernels) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool());
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Passes(LB_NO_BACKEND));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_NO_BACKEND], 1u);
}

TEST_F(Policy, NoPoolIsTheKernels) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80));
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Passes(LB_NO_BACKEND));
}

// Both families have members: each is balanced among its own, even where they get no new flows.
TEST_F(Policy, MemberOfTheOtherFamilyIsNone) {
  install(load_balancer("192.0.2.100")
              .vip("2001:db8:1::100")
              .listener(kTcp, 80)
              .pool()
              .member("192.0.2.50", 8080, {.weight = 0})
              .member("2001:db8:2::50", 8080));
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Passes(LB_NO_BACKEND));
  EXPECT_THAT(run(tcp(kClient6, kVip6).syn()),
              Opens(tcp({kOwn6, 40000}, at("2001:db8:2::50", 8080)).syn()));
}

}  // namespace
}  // namespace test
