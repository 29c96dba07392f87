// Services whose connections a proxy serves: nothing new is begun, what is there goes on.
#include <netinet/in.h>

#include "agent/datapath/flow_table.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

struct Family {
  const char* name;
  base::Endpoint vip, client, stranger;  // the stranger is not among the allowed
  const char* member;
  const char* cidr;
};

class KernelService : public Lab, public testing::WithParamInterface<Family> {
 protected:
  LoadBalancerBuilder balanced(const ListenerOptions& options = {}) {
    return load_balancer(GetParam().vip.address.text())
        .listener(kTcp, 80, options)
        .pool()
        .member(GetParam().member, 8080);
  }
  void give_to_the_kernel() {
    change_service(vip(), [](lb_service& service) { service.flags |= LB_SERVICE_TO_KERNEL; });
  }
  void take_back() {
    change_service(vip(), [](lb_service& service) { service.flags &= ~LB_SERVICE_TO_KERNEL; });
  }
  const base::Endpoint& vip() const { return GetParam().vip; }
  const base::Endpoint& client() const { return GetParam().client; }
  uint64_t l7() { return stats_of(vip()).verdicts[LB_L7]; }
  size_t flows() { return live_flows(); }
};

TEST_P(KernelService, GetsEveryPacketThatHasNoFlow) {
  install(balanced());
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_L7));
  EXPECT_THAT(run(tcp(client(), vip())), Passes(LB_L7));
  EXPECT_THAT(run(tcp(client(), vip()).payload(500)), Passes(LB_L7));
  EXPECT_THAT(run(tcp(client(), vip()).fin()), Passes(LB_L7));
  EXPECT_THAT(run(tcp(client(), vip()).rst()), Passes(LB_L7));
  EXPECT_EQ(l7(), 5u);
  EXPECT_EQ(flows(), 0u);
}

TEST_P(KernelService, LetsFlowsGoOn) {
  install(balanced());
  const Ends inside = connect(client(), vip());
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(client(), vip())), Continues(tcp(inside.from, inside.to)));
  EXPECT_THAT(run(tcp(inside.to, inside.from), kEth1), Continues(tcp(vip(), client())));
  EXPECT_THAT(run(tcp(client(), vip()).fin()), Continues(tcp(inside.from, inside.to).fin()));
  EXPECT_EQ(l7(), 0u);
}

TEST_P(KernelService, GetsTheSynOnAFlowThatCloses) {
  install(balanced());
  const Ends inside = connect(client(), vip());
  give_to_the_kernel();
  run(tcp(client(), vip()).fin());
  run(tcp(inside.to, inside.from).fin(), kEth1);
  EXPECT_EQ(flows(), 1u);
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_L7));
  EXPECT_EQ(flows(), 0u);
  // what follows is the proxy's connection; the old flow's member is nobody here any more
  EXPECT_THAT(run(tcp(client(), vip())), Passes(LB_L7));
  EXPECT_THAT(run(tcp(inside.to, inside.from), kEth1), Passes(LB_NO_SERVICE));
}

TEST_P(KernelService, GetsTheSynOnAFlowThatWasReset) {
  install(balanced());
  connect(client(), vip());
  give_to_the_kernel();
  run(tcp(client(), vip()).rst());
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_L7));
  EXPECT_EQ(flows(), 0u);
}

TEST_P(KernelService, GetsTheSynThatNoMemberAnswered) {
  install(balanced());
  forwarded(tcp(client(), vip()).syn());
  forwarded(tcp(client(), vip()).syn());
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_L7));
  EXPECT_EQ(flows(), 0u);
}

TEST_P(KernelService, AllowedCidrsAreAskedOfASyn) {
  install(balanced({.allowed_cidrs = {GetParam().cidr}}));
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(GetParam().stranger, vip()).syn()), Drops(LB_SOURCE_DENIED));
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_L7));
  EXPECT_EQ(stats_of(vip()).verdicts[LB_SOURCE_DENIED], 1u);
}

TEST_P(KernelService, ConnectionsOutliveTheirCidr) {
  install(balanced({.allowed_cidrs = {GetParam().cidr}}));
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(GetParam().stranger, vip())), Passes(LB_L7));
}

TEST_P(KernelService, DisabledIsNotTheProxys) {
  auto builder = balanced();
  builder.last_listener().admin_state_up = false;
  install(builder);
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_DISABLED));
}

TEST_P(KernelService, HasNoConnectionLimitHere) {
  install(balanced({.connection_limit = 1}));
  connect(client(), vip());
  give_to_the_kernel();
  EXPECT_THAT(run(tcp({client().address, 40001}, vip()).syn()), Passes(LB_L7));
}

TEST_P(KernelService, KeepsItsConnectionsWhenItIsOursAgain) {
  install(balanced());
  give_to_the_kernel();
  EXPECT_THAT(run(tcp(client(), vip()).syn()), Passes(LB_L7));
  take_back();
  EXPECT_THAT(run(tcp(client(), vip())), Passes(LB_NO_FLOW));
  EXPECT_THAT(run(tcp(client(), vip()).fin()), Passes(LB_NO_FLOW));
  EXPECT_EQ(run(tcp({client().address, 40001}, vip()).syn()).verdict(), LB_NEW_FLOW);
}

TEST_P(KernelService, FlowsAreNotSweptAway) {
  install(balanced());
  connect(client(), vip());
  give_to_the_kernel();
  const auto policy = datapath::FlowPolicy::of(datapath().tables());
  const auto judge = [&](const datapath::FlowLife& flow) { return policy.expiry(flow); };
  auto& table = datapath().flows();
  while (table.sweep(judge, datapath::kSweepSlice) == datapath::FlowTable::Progress::more) {
  }
  EXPECT_EQ(table.begin_grace(), 0u);
  EXPECT_EQ(flows(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Families, KernelService,
                         testing::Values(Family{"IPv4", kVip, kClient, at("192.0.2.50", 40000),
                                                "203.0.113.50", "198.51.100.0/24"},
                                         Family{"IPv6", kVip6, kClient6,
                                                at("2001:db8:1::50", 40000), "2001:db8:2::50",
                                                "2001:db8:c::/64"}),
                         [](const auto& family) { return std::string(family.param.name); });

}  // namespace
}  // namespace test
