// Members that do not answer, or refuse, before a connection is made: another one has it.
#include <array>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

using model::Algorithm;

class AnotherMember : public Lab, public testing::WithParamInterface<Algorithm> {
 protected:
  void install_weights(const std::vector<int>& weights) {
    auto builder = load_balancer("192.0.2.100").listener(kTcp, 80).pool(GetParam());
    for (size_t i = 0; i < weights.size(); ++i)
      builder.member("203.0.113." + std::to_string(i + 1), 80, {.weight = weights[i]});
    install(builder);
  }
  Outcome syn(uint16_t port = 40000) { return run(tcp({kClient.address, port}, kVip).syn()); }
  Outcome refuse(const Ends& inside) {
    return run(tcp(inside.to, inside.from).flags(kRst | kAck).seq(0).payload(0), kEth1);
  }
};

INSTANTIATE_TEST_SUITE_P(Algorithms, AnotherMember,
                         testing::Values(Algorithm::round_robin, Algorithm::least_connections,
                                         Algorithm::source_ip, Algorithm::source_ip_port),
                         [](const auto& test) {
                           return std::to_string(static_cast<int>(test.param));
                         });

TEST_P(AnotherMember, EveryMemberIsAskedBeforeTheClientIsRefused) {
  install_weights({1, 1, 1, 1, 1});
  std::set<base::Endpoint> asked;
  for (int members = 1; members <= 5; ++members) {
    const Outcome tried = syn();
    ASSERT_EQ(tried.verdict(), LB_NEW_FLOW);
    EXPECT_TRUE(asked.insert(ends_of(tried.after).to).second) << "member " << members;
    if (members < 5) {
      EXPECT_THAT(refuse(ends_of(tried.after)), Drops(LB_MEMBER_REFUSED));
    } else {
      EXPECT_THAT(refuse(ends_of(tried.after)),
                  Continues(tcp(kVip, kClient).flags(kRst | kAck).seq(0).payload(0)));
    }
  }
  EXPECT_EQ(live_flows(), 1u);
  EXPECT_EQ(stats_of(kVip).verdicts[LB_MEMBER_REFUSED], 4u);
  pass(std::chrono::minutes(1));
  sweep();
  EXPECT_EQ(stats_of(kVip).bytes_out, 0u);
}

TEST_P(AnotherMember, TheNextMemberServes) {
  install_weights({1, 1});
  const Ends first = ends_of(syn().after);
  EXPECT_THAT(refuse(first), Drops(LB_MEMBER_REFUSED));
  const Ends second = connect(kClient, kVip);
  EXPECT_NE(second.to, first.to);
  forwarded(tcp(second.to, second.from).payload(300), kEth1);
  forwarded(tcp(kClient, kVip).rst());
  pass(std::chrono::minutes(1));
  sweep();
  EXPECT_EQ(stats_of(kVip).bytes_out, 320u);
}

TEST_P(AnotherMember, TheOnlyMembersRefusalIsPassedOn) {
  install_weights({1});
  EXPECT_THAT(refuse(ends_of(syn().after)),
              Continues(tcp(kVip, kClient).flags(kRst | kAck).seq(0).payload(0)));
}

TEST_P(AnotherMember, ResetAfterTheHandshakeIsPassedOn) {
  install_weights({1, 1});
  const Ends inside = ends_of(syn().after);
  run(tcp(inside.to, inside.from).syn_ack(), kEth1);
  EXPECT_THAT(run(tcp(inside.to, inside.from).rst(), kEth1), Continues(tcp(kVip, kClient).rst()));
}

TEST_P(AnotherMember, UnansweredSynsGoToTheOtherHoweverLightItIs) {
  install_weights({10, 1});
  for (uint16_t port = 40000; port < 40050; ++port) {
    const Ends first = ends_of(syn(port).after);
    EXPECT_EQ(ends_of(syn(port).after).to, first.to);
    const Outcome third = syn(port);
    EXPECT_EQ(third.verdict(), LB_NEW_FLOW);
    EXPECT_NE(ends_of(third.after).to, first.to) << port;
    syn(port);
    EXPECT_EQ(ends_of(syn(port).after).to, first.to) << "the first one gets its turn again";
  }
}

TEST_F(Lab, PersistentClientOfAMemberThatRefusesGetsAnother) {
  auto builder =
      load_balancer("192.0.2.100").listener(kTcp, 80).pool().members("203.0.113.1", 3, 80);
  builder.last_pool().session_persistence = model::SessionPersistence{};
  install(builder);
  const Ends first = connect(kClient, kVip);
  const base::Endpoint next{kClient.address, 40001};
  const Ends again = forwarded(tcp(next, kVip).syn());
  EXPECT_EQ(again.to, first.to);
  EXPECT_THAT(run(tcp(again.to, again.from).flags(kRst | kAck).seq(0), kEth1),
              Drops(LB_MEMBER_REFUSED));
  const Ends other = forwarded(tcp(next, kVip).syn());
  EXPECT_NE(other.to, first.to);
  EXPECT_EQ(forwarded(tcp({kClient.address, 40002}, kVip).syn()).to, other.to);
}

}  // namespace
}  // namespace test
