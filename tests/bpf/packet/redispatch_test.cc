// Members that do not answer, or refuse, before a connection is made: another one has it.
#include <array>
#include <utility>

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

// ---- ICMP -------------------------------------------------------------------------------------

class Unreachable : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(
        join(load_balancer("192.0.2.100").listener(kTcp, 80).pool().members("203.0.113.1", 2, 80),
             load_balancer("2001:db8:1::100")
                 .listener(kTcp, 80)
                 .pool()
                 .members("2001:db8:2::1", 2, 80)));
  }
};

TEST_F(Unreachable, MemberIsPassedOver) {
  for (const uint8_t code : std::array<uint8_t, 5>{0, 1, 3, 10, 13}) {
    const base::Endpoint client{kClient.address, static_cast<uint16_t>(40000 + code)};
    const Ends first = forwarded(tcp(client, kVip).syn());
    const auto sent = tcp(first.from, first.to).syn();
    EXPECT_THAT(run(icmp_error(first.to.address, sent, {3, code}), kEth1),
                Drops(LB_MEMBER_REFUSED));
    const Outcome second = run(tcp(client, kVip).syn());
    EXPECT_EQ(second.verdict(), LB_NEW_FLOW);
    EXPECT_NE(ends_of(second.after).to, first.to);
  }
  EXPECT_EQ(stats_of(kVip).verdicts[LB_MEMBER_REFUSED], 5u);
}

TEST_F(Unreachable, MemberIsPassedOverIpv6) {
  const Ends first = forwarded(tcp(kClient6, kVip6).syn());
  const auto sent = tcp(first.from, first.to).syn();
  EXPECT_THAT(run(icmp_error(first.to.address, sent, {1, 4}), kEth1), Drops(LB_MEMBER_REFUSED));
  EXPECT_NE(forwarded(tcp(kClient6, kVip6).syn()).to, first.to);
}

TEST_F(Unreachable, OtherErrorsAreTheClients) {
  const Ends inside = forwarded(tcp(kClient, kVip).syn());
  const auto sent = tcp(inside.from, inside.to).syn(), asked = tcp(kClient, kVip).syn();
  const auto& from = inside.to.address;
  const auto told = [&](const Error& error) {
    return Translates(icmp_error(kVip.address, asked, error));
  };
  EXPECT_THAT(run(icmp_error(from, sent, {3, 4, 1400}), kEth1), told({3, 4, 1400})) << "too big";
  EXPECT_THAT(run(icmp_error(from, sent, {11, 0}), kEth1), told({11, 0})) << "too far";
  const auto stranger = tcp({inside.from.address, 5}, inside.to).syn();
  EXPECT_THAT(run(icmp_error(from, stranger, {3, 3}), kEth1), Passes(LB_ICMP_ERROR));
  auto guessed = sent;
  EXPECT_THAT(run(icmp_error(from, guessed.seq(kSequence + (1 << 20)), {3, 3}), kEth1),
              Drops(LB_ICMP_ASTRAY));
  run(tcp(inside.to, inside.from).syn_ack(), kEth1);
  EXPECT_THAT(run(icmp_error(from, sent, {3, 3}), kEth1), told({3, 3})) << "answered";
  EXPECT_EQ(forwarded(tcp(kClient, kVip).syn()).to, inside.to);
}

TEST_F(Unreachable, TheLastMembersRefusalIsPassedOn) {
  for (const auto& [client, vip] : {std::pair(kClient, kVip), std::pair(kClient6, kVip6)}) {
    const Error refused =
        vip == kVip6 ? Error{1, 4} : Error{3, 3};  // port unreachable, of either family
    const Ends first = forwarded(tcp(client, vip).syn());
    EXPECT_THAT(run(icmp_error(first.to.address, tcp(first.from, first.to).syn(), refused), kEth1),
                Drops(LB_MEMBER_REFUSED));
    const Ends last = forwarded(tcp(client, vip).syn());
    EXPECT_THAT(run(icmp_error(last.to.address, tcp(last.from, last.to).syn(), refused), kEth1),
                Translates(icmp_error(vip.address, tcp(client, vip).syn(), refused)));
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

class Redispatch : public Lab, public testing::WithParamInterface<model::Algorithm> {};

TEST_P(Redispatch, LeavesThePersistentMemberThatDoesNotAnswer) {
  for (const base::Endpoint& vip : {kVip, kVip6}) {
    const bool ipv6 = vip == kVip6;
    auto builder = load_balancer(vip.address.text()).listener(kTcp, 80);
    builder.pool(GetParam()).members(ipv6 ? "2001:db8:2::1" : "203.0.113.1", 2, 8080);
    builder.last_pool().session_persistence = model::SessionPersistence{};
    install(builder);
    const base::Endpoint client = ipv6 ? kClient6 : kClient;
    const auto again = [&](uint16_t port) { return tcp({client.address, port}, vip).syn(); };
    const base::Endpoint silent = forwarded(again(41000)).to;
    // another client's turn in between must not bring the silent one back
    forwarded(tcp(ipv6 ? at("2001:db8:c::8", 41000) : at("198.51.100.8", 41000), vip).syn());
    EXPECT_EQ(forwarded(again(41000)).to, silent);
    const Outcome third = run(again(41000));
    EXPECT_EQ(third.verdict(), LB_NEW_FLOW);
    const base::Endpoint other = ends_of(third.after).to;
    EXPECT_NE(other, silent);
    run(tcp(other, ends_of(third.after).from).syn_ack(), kEth1);
    run(tcp({client.address, 41000}, vip));
    EXPECT_EQ(forwarded(again(41001)).to, other);
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Redispatch,
                         testing::Values(model::Algorithm::round_robin,
                                         model::Algorithm::least_connections));

TEST_F(Lab, RedispatchGoesBackToTheOnlyMember) {
  for (const auto algorithm :
       {model::Algorithm::round_robin, model::Algorithm::least_connections}) {
    auto builder = load_balancer("192.0.2.100").listener(kTcp, 80);
    builder.pool(algorithm).member("203.0.113.1", 8080);
    builder.last_pool().session_persistence = model::SessionPersistence{};
    install(builder);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(forwarded(tcp(kClient, kVip).syn()).to, at("203.0.113.1", 8080));
  }
}

}  // namespace
}  // namespace test
