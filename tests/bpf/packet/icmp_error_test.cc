// ICMP errors about packets of flows, from the far end or a router on the way, translated for who
// sent the packet: both directions, both families.
#include <array>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

// What the tests of a family use: its ends, a router on either side, and its errors.
struct Side {
  const char* name;
  base::Endpoint client, vip;
  const char *member, *client_router, *member_router;
  Error too_big, expired, unreachable, parameter;
};

const Side kFour{"ipv4",         kClient,      kVip,    "203.0.113.50", "192.0.2.1",
                 "203.0.113.50", {3, 4, 1400}, {11, 0}, {3, 10},        {12, 0, 0x14000000}};
const Side kSix{"ipv6",           kClient6,     kVip6,  "2001:db8:2::50", "2001:db8:1::1",
                "2001:db8:2::99", {2, 0, 1400}, {3, 0}, {1, 1},           {4, 1, 6}};

class IcmpError : public Lab, public testing::WithParamInterface<const Side*> {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(load_balancer(side().vip.address.text())
                .listener(kTcp, 80)
                .pool()
                .member(side().member, 8080)
                .listener(kUdp, 80)
                .pool()
                .member(side().member, 5353));
  }
  const Side& side() const { return *GetParam(); }
  const base::Endpoint& client() const { return side().client; }
  const base::Endpoint& vip() const { return side().vip; }
  base::IpAddress member_router() const { return ip(side().member_router); }
  base::IpAddress client_router() const { return ip(side().client_router); }
  std::array<Error, 4> errors() const {
    return {side().too_big, side().expired, side().unreachable, side().parameter};
  }
  Ends ask() { return forwarded(udp(client(), vip())); }
};

INSTANTIATE_TEST_SUITE_P(Families, IcmpError, testing::Values(&kFour, &kSix),
                         [](const auto& test) { return test.param->name; });

TEST_P(IcmpError, AboutTheClientsPackets) {
  const Ends inside = connect(client(), vip()), asked = ask();
  for (const Error& error : errors()) {
    for (const size_t quoted : {8u, 18u, 40u}) {
      EXPECT_THAT(
          run(icmp_error(member_router(), tcp(inside.from, inside.to), error, quoted), kEth1),
          Translates(icmp_error(vip().address, tcp(client(), vip()), error, quoted)))
          << int{error.type} << " " << quoted;
      EXPECT_THAT(run(icmp_error(member_router(), udp(asked.from, asked.to), error, quoted), kEth1),
                  Translates(icmp_error(vip().address, udp(client(), vip()), error, quoted)));
    }
  }
}

TEST_P(IcmpError, AboutTheMembersPackets) {
  const Ends inside = connect(client(), vip()), asked = ask();
  forwarded(udp(asked.to, asked.from), kEth1);
  for (const Error& error : errors()) {
    for (const size_t quoted : {8u, 18u, 40u}) {
      EXPECT_THAT(
          run(icmp_error(client_router(), tcp(vip(), client()), error, quoted)),
          Translates(icmp_error(inside.from.address, tcp(inside.to, inside.from), error, quoted)))
          << int{error.type} << " " << quoted;
      EXPECT_THAT(
          run(icmp_error(client_router(), udp(vip(), client()), error, quoted)),
          Translates(icmp_error(asked.from.address, udp(asked.to, asked.from), error, quoted)));
    }
  }
}

TEST_P(IcmpError, FromTheFarEndItself) {
  const Ends asked = ask();
  EXPECT_THAT(
      run(icmp_error(asked.to.address, udp(asked.from, asked.to), side().unreachable), kEth1),
      Translates(icmp_error(vip().address, udp(client(), vip()), side().unreachable)));
}

TEST_P(IcmpError, OfNoFlowIsTheKernels) {
  connect(client(), vip());
  EXPECT_THAT(run(icmp_error(client_router(), tcp(vip(), {client().address, 9}), side().too_big)),
              Passes(LB_ICMP_ERROR));
  EXPECT_THAT(run(icmp_error(client_router(), udp(vip(), client()), side().too_big)),
              Passes(LB_ICMP_ERROR));
  EXPECT_THAT(run(icmp_error(client_router(), tcp(vip(), client()), side().too_big, 7)),
              Passes(LB_ICMP_ERROR))
      << "less than eight bytes";
}

// Who sent the quoted packet is who has to be told: or others' errors could be turned to anybody.
TEST_P(IcmpError, ForSomebodyElseIsTheKernels) {
  connect(client(), vip());
  const Packet error = icmp_error(client_router(), tcp(vip(), client()), side().too_big);
  const auto own = ip(GetParam() == &kSix ? "2001:db8:1::10" : "192.0.2.10");
  EXPECT_THAT(run(error.between(error.from(), {own, 0})), Passes(LB_ICMP_ERROR));
}

TEST_P(IcmpError, NumberThatNobodySent) {
  const Ends inside = connect(client(), vip());
  const auto about = [&](uint32_t seq) {
    return run(icmp_error(client_router(), tcp(vip(), client()).seq(seq), side().too_big));
  };
  // 21 bytes were sent: the number of the SYN-ACK, and what the ACK has
  EXPECT_THAT(about(kSequence + (1u << 18)), Drops(LB_ICMP_ASTRAY)) << "not sent yet";
  EXPECT_THAT(about(kSequence + (1u << 31)), Drops(LB_ICMP_ASTRAY));
  EXPECT_THAT(about(kSequence - (1u << 27)), Drops(LB_ICMP_ASTRAY)) << "long ago";
  EXPECT_EQ(about(kSequence - (1u << 25)).verdict(), LB_ICMP_TRANSLATED);
  EXPECT_EQ(stats_of(vip()).verdicts[LB_ICMP_ASTRAY], 3u);
  EXPECT_EQ(forwarded(tcp(client(), vip())).to, inside.to);
}

// The member has not answered: there is no number of its yet.
TEST_P(IcmpError, AboutAnAnswerThatWasNotGiven) {
  forwarded(tcp(client(), vip()).syn());
  EXPECT_THAT(run(icmp_error(client_router(), tcp(vip(), client()).seq(0), side().too_big)),
              Drops(LB_ICMP_ASTRAY));
}

TEST_P(IcmpError, FromTheWrongSide) {
  const Ends asked = ask();
  EXPECT_THAT(run(icmp_error(member_router(), udp(asked.from, asked.to), side().too_big), kEth0),
              Drops(LB_WRONG_SIDE));
}

TEST_P(IcmpError, QuotedUdpWithoutChecksumStaysWithout) {
  if (GetParam() == &kSix) return;  // there it must have one
  const Ends asked = forwarded(udp(client(), vip()).no_checksum());
  EXPECT_THAT(
      run(icmp_error(member_router(), udp(asked.from, asked.to).no_checksum(), side().expired),
          kEth1),
      Translates(icmp_error(vip().address, udp(client(), vip()).no_checksum(), side().expired)));
}

TEST_P(IcmpError, UnderOtherHeaders) {
  const Ends inside = connect(client(), vip());
  const auto dressed = [&](Packet packet) {
    return GetParam() == &kSix ? packet.extension(60, 16) : packet.options(12);
  };
  const auto translated = [&](const auto& change) {
    const Packet came =
        icmp_error(member_router(), dressed(tcp(inside.from, inside.to)), side().too_big);
    const Packet told = icmp_error(vip().address, dressed(tcp(client(), vip())), side().too_big);
    EXPECT_THAT(run(change(came), kEth1), Translates(change(told)));
  };
  translated([](const Packet& packet) { return packet; });
  translated(dressed);
  translated([](Packet packet) { return packet.tag(0xa000); });
}

TEST_P(IcmpError, PaddingIsNoPartOfTheQuote) {
  const Ends inside = connect(client(), vip());
  const auto padded = [](Packet packet) { return packet.padding(40); };
  EXPECT_THAT(
      run(padded(icmp_error(member_router(), tcp(inside.from, inside.to), side().expired)), kEth1),
      Translates(padded(icmp_error(vip().address, tcp(client(), vip()), side().expired))));
}

TEST_P(IcmpError, DamageStaysVisible) {
  const Ends inside = connect(client(), vip());
  const Bytes good =
      icmp_error(member_router(), tcp(inside.from, inside.to), side().expired).bytes();
  EXPECT_EQ(flaw(run(good, kEth1).after), std::nullopt);
  Bytes bad = good;
  bad.back() ^= 1;
  const Outcome outcome = run(bad, kEth1);
  EXPECT_EQ(outcome.verdict(), LB_ICMP_TRANSLATED);
  EXPECT_EQ(flaw(outcome.after), "ICMP checksum");
}

TEST_P(IcmpError, WithoutAHopLeft) {
  const Ends asked = ask();
  EXPECT_THAT(
      run(icmp_error(member_router(), udp(asked.from, asked.to), side().expired).ttl(1), kEth1),
      Drops(LB_TTL_EXPIRED));
}

TEST_P(IcmpError, TheKernelForwardsWhatHasNoNeighbour) {
  const base::Endpoint stranger =
      at(GetParam() == &kSix ? "2001:db8:1::201" : "192.0.2.201", 40000);
  const Outcome first = run(udp(stranger, vip()));
  ASSERT_EQ(first.verdict(), LB_NEW_FLOW);
  const Ends inside = ends_of(first.after);
  const auto there = icmp_error(member_router(), udp(inside.from, inside.to), side().expired);
  EXPECT_THAT(run(there, kEth1),
              HandsOver(LB_NEXTHOP_UNRESOLVED,
                        icmp_error(vip().address, udp(stranger, vip()), side().expired)));
}

TEST_P(IcmpError, WhatIsNotForTheSenderIsTheKernels) {
  connect(client(), vip());
  const auto types = GetParam() == &kSix ? std::array<uint8_t, 2>{5, 100}  // unassigned
                                         : std::array<uint8_t, 2>{4, 5};   // quench, redirect
  for (const uint8_t type : types)
    EXPECT_THAT(run(icmp_error(client_router(), tcp(vip(), client()), {type, 0})),
                Passes(LB_ICMP_ERROR));
}

}  // namespace
}  // namespace test
