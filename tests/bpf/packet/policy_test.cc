// Who may begin a flow, and with which members.
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

TEST_F(Policy, ConnectionLimit) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80, {.connection_limit = 2})
              .pool()
              .member("203.0.113.50", 8080));
  members_of(2);
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Drops(LB_CONNECTION_LIMIT));
  EXPECT_EQ(stats_of(kVip).live_flows, 2u);
  // one of the two begins anew: that is still two
  EXPECT_THAT(run(tcp({kClient.address, 21000}, kVip).rst()), testing::_);
  members_of(0);
  EXPECT_EQ(forwarded(tcp({kClient.address, 21000}, kVip).syn()).to, at("203.0.113.50", 8080));
  EXPECT_EQ(stats_of(kVip).live_flows, 2u);
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
