// SCTP: the checksum, what the chunks say of an association, and whose tags count.
#include <array>

#include "agent/datapath/flow_table.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

constexpr uint32_t kClientTag = 0x11223344, kMemberTag = 0xaabbccdd, kWrongTag = 0x01020304;

using States = std::multiset<int>;

class Sctp : public Lab, public testing::WithParamInterface<base::Family> {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install_members(2);
  }
  void install_members(int members, const ListenerOptions& options = {}) {
    install(load_balancer(vip_.address.text())
                .listener(kSctp, vip_.port, options)
                .pool()
                .members(kSix ? "2001:db8:2::1" : "203.0.113.1", members, 3868));
  }
  base::Endpoint client(uint16_t port) const { return {client_.address, port}; }

  Packet to_vip() const { return sctp(client_, vip_).tag_of(kMemberTag); }
  Packet to_member(const Ends& inside) const {
    return sctp(inside.from, inside.to).tag_of(kMemberTag);
  }
  Packet from_member(const Ends& inside) const {
    return sctp(inside.to, inside.from).tag_of(kClientTag);
  }
  Packet to_client() const { return sctp(vip_, client_).tag_of(kClientTag); }

  Ends ask(uint32_t tag = kClientTag) { return forwarded(sctp(client_, vip_).init(tag)); }
  void answer(const Ends& inside) {
    EXPECT_THAT(run(from_member(inside).init_ack(kMemberTag), kEth1),
                Continues(to_client().init_ack(kMemberTag)));
  }
  Ends associate() {
    const Ends inside = ask();
    answer(inside);
    EXPECT_THAT(run(to_vip().chunk(kCookieEcho)), Continues(to_member(inside).chunk(kCookieEcho)));
    EXPECT_THAT(run(from_member(inside).chunk(kCookieAck), kEth1),
                Continues(to_client().chunk(kCookieAck)));
    EXPECT_EQ(states(), States{LB_FLOW_OPEN});
    return inside;
  }
  // Of the forward lines that live.
  States states() {
    States states;
    const datapath::FlowLines& lines = datapath().flows().memory().lines(GetParam());
    for (uint32_t i = 0; i < lines.count(); ++i) {
      const int state = static_cast<int>(lines.line(i).word & 0xff);
      if (state >= LB_FLOW_HALF_OPEN) states.insert(state);
    }
    return states;
  }

  const bool kSix = GetParam() == base::Family::ipv6;
  const base::Endpoint vip_ = kSix ? kVip6 : kVip;
  const base::Endpoint client_ = kSix ? kClient6 : kClient;
};

INSTANTIATE_TEST_SUITE_P(Families, Sctp, testing::Values(base::Family::ipv4, base::Family::ipv6),
                         [](const auto& test) {
                           return test.param == base::Family::ipv6 ? "IPv6" : "IPv4";
                         });

TEST_P(Sctp, Association) {
  const Ends inside = ask();
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  EXPECT_EQ(inside.from, base::Endpoint(kSix ? kOwn6 : kOwn, client_.port));
  EXPECT_EQ(inside.to.port, 3868);
  answer(inside);
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  EXPECT_THAT(run(to_vip().chunk(kCookieEcho).chunk(kData)),
              Continues(to_member(inside).chunk(kCookieEcho).chunk(kData)));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  EXPECT_EQ(run(to_vip().chunk(kData).ttl(1)).verdict(), LB_TOLD_EXPIRED);
  EXPECT_EQ(stats_of(vip_, 132).connections, 1u);
}

TEST_P(Sctp, WhatIsCarriedIsCounted) {
  const Ends inside = associate();
  run(to_vip().chunk(kData).payload(100));
  run(from_member(inside).chunk(kData).payload(200), kEth1);
  run(to_vip().chunk(kAbort));
  pass(std::chrono::seconds(3));
  sweep();
  EXPECT_EQ(live_flows(), 0u);
  EXPECT_EQ(stats_of(vip_, 132).bytes_in, 20u + 4 + 116 + 4);  // INIT, COOKIE ECHO, DATA, ABORT
  EXPECT_EQ(stats_of(vip_, 132).bytes_out, 20u + 4 + 216);
}

// ---- the checksum -----------------------------------------------------------------------------

// Both ways, of packets of every length that goes through.
TEST_P(Sctp, ChecksumOfEveryLength) {
  const Ends inside = associate();
  const size_t most = 1500 - (kSix ? 40 : 20) - 12 - 16;
  for (size_t bytes = 1; bytes <= most; ++bytes) {
    ASSERT_THAT(run(to_vip().chunk(kData).payload(bytes)),
                Continues(to_member(inside).chunk(kData).payload(bytes)));
    const size_t back = bytes - bytes % 5;
    const Outcome outcome = run(from_member(inside).chunk(kSack).chunk(kData).payload(back), kEth1);
    if (back + 4 > most) continue;  // with the second chunk it is too big
    ASSERT_THAT(outcome, Continues(to_client().chunk(kSack).chunk(kData).payload(back)));
  }
}

TEST_P(Sctp, ChecksumOfOtherClientPorts) {
  std::set<base::Endpoint> insides;
  for (uint16_t i = 0; i < 40; ++i) {  // from two addresses with the same ports
    const base::IpAddress other = ip(kSix ? "2001:db8:c::8" : "198.51.100.8");
    const auto port = static_cast<uint16_t>(20000 + i * 977 % 40000);
    const Ends one = forwarded(sctp(client(port), vip_).init(kClientTag + i));
    const Ends two = forwarded(sctp({other, port}, vip_).init(kClientTag + i));
    if (one.to == two.to) {
      EXPECT_NE(one.from, two.from);
    }
  }
}

size_t checksum_at(const Bytes& frame) { return (frame[12] == 0x86 ? 54u : 34u) + 8; }

TEST_P(Sctp, DamageStays) {
  associate();
  const Bytes good = run(to_vip().chunk(kData)).after;
  for (const size_t where : std::array<size_t, 3>{0, 7, 30}) {
    Bytes frame = to_vip().chunk(kData).bytes();
    frame[checksum_at(frame) + where] ^= 0x10;
    const Bytes after = run(frame).after;
    EXPECT_EQ(flaw(after), "SCTP checksum");
    Bytes expected = good;
    expected[checksum_at(good) + where] ^= 0x10;
    EXPECT_EQ(after, expected);
  }
}

TEST_P(Sctp, NoChecksumStaysNone) {
  const Ends inside = associate();
  EXPECT_THAT(run(to_vip().chunk(kData).no_checksum()),
              Continues(to_member(inside).chunk(kData).no_checksum()));
}

TEST_P(Sctp, WhatIsBehindThePacketIsNotSummed) {
  const Ends inside = associate();
  EXPECT_THAT(run(to_vip().chunk(kSack).padding(18)),
              Continues(to_member(inside).chunk(kSack).padding(18)));
}

TEST_P(Sctp, BehindOptionsAndExtensions) {
  const auto longer = [this](Packet packet) {
    return kSix ? packet.extension(0, 16).extension(60, 8) : packet.options(20);
  };
  const Ends inside = forwarded(longer(sctp(client_, vip_).init(kClientTag)));
  answer(inside);
  EXPECT_THAT(run(longer(to_vip().chunk(kCookieEcho))),
              Continues(longer(to_member(inside).chunk(kCookieEcho))));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
}

// ---- its end ----------------------------------------------------------------------------------

TEST_P(Sctp, ShutdownByTheClient) {
  const Ends inside = associate();
  run(to_vip().chunk(kSack).chunk(kShutdown));
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_CLIENT});
  run(from_member(inside).chunk(kData), kEth1);
  run(from_member(inside).chunk(kShutdownAck), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSED});
  EXPECT_THAT(run(to_vip().chunk(kShutdownComplete)),
              Continues(to_member(inside).chunk(kShutdownComplete)));
  pass(std::chrono::seconds(6));
  sweep();
  EXPECT_EQ(live_flows(), 0u);
}

TEST_P(Sctp, ShutdownByTheMember) {
  const Ends inside = associate();
  run(from_member(inside).chunk(kShutdown), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_MEMBER});
  run(to_vip().chunk(kShutdownAck));
  EXPECT_EQ(states(), States{LB_FLOW_CLOSED});
  run(from_member(inside).chunk(kShutdownComplete), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSED});
}

TEST_P(Sctp, AfterTheEndAnInitBeginsAnew) {
  for (const uint8_t end : std::array<uint8_t, 2>{kShutdown, kAbort}) {
    const Ends inside = associate();
    run(to_vip().chunk(end));
    if (end == kShutdown) run(from_member(inside).chunk(kShutdownAck), kEth1);
    EXPECT_EQ(run(sctp(client_, vip_).init(kClientTag + 1)).verdict(), LB_NEW_FLOW);
    EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
    pass(std::chrono::seconds(6));
    sweep();
  }
}

TEST_P(Sctp, AbortByEitherSide) {
  for (const bool by_client : {true, false}) {
    const Ends inside = associate();
    if (by_client)
      run(to_vip().chunk(kAbort));
    else
      run(from_member(inside).chunk(kAbort), kEth1);
    EXPECT_EQ(states(), States{LB_FLOW_RESET});
    pass(std::chrono::seconds(3));
    sweep();
    EXPECT_EQ(live_flows(), 0u);
  }
}

// Who has lost its association answers with the tag that it was sent.
TEST_P(Sctp, AbortWithTheTagReflected) {
  const Ends inside = associate();
  run(from_member(inside).tag_of(kMemberTag).chunk(kAbort, kReflected), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
}

TEST_P(Sctp, WhatIsGuessedEndsNothing) {
  const Ends inside = associate();
  for (const uint8_t end :
       std::array<uint8_t, 4>{kAbort, kShutdown, kShutdownAck, kShutdownComplete})
    for (const uint8_t reflected : std::array<uint8_t, 2>{0, kReflected}) {
      run(to_vip().tag_of(kWrongTag).chunk(end, reflected));
      run(from_member(inside).tag_of(kWrongTag).chunk(end, reflected), kEth1);
    }
  // the other direction's tag, which is only good with the flag; and the flag without it
  run(to_vip().tag_of(kClientTag).chunk(kAbort));
  run(to_vip().chunk(kAbort, kReflected));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
}

TEST_P(Sctp, AnAbortThatItsReceiverDoesNotBelieveIsTakenBack) {
  const Ends inside = associate();
  run(to_vip().chunk(kAbort));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
  run(to_vip().tag_of(kWrongTag).chunk(kData));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
  run(from_member(inside).chunk(kSack), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
}

// ---- its beginning ----------------------------------------------------------------------------

TEST_P(Sctp, AForgedInitChangesNothing) {
  const Ends inside = associate();
  EXPECT_THAT(run(sctp(client_, vip_).init(kWrongTag)),
              Continues(sctp(inside.from, inside.to).init(kWrongTag)));
  run(from_member(inside).tag_of(kWrongTag).init_ack(kWrongTag + 1), kEth1);
  run(to_vip().tag_of(kWrongTag + 1).chunk(kAbort));
  run(from_member(inside).tag_of(kWrongTag).chunk(kAbort), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  run(to_vip().chunk(kShutdown));
  EXPECT_EQ(states(), States{LB_FLOW_CLOSING_CLIENT});
}

// RFC 9260 5.2.2: the member asks for a cookie, as if there were no association.
TEST_P(Sctp, AClientThatHasLostItsAssociationBeginsAnewAtItsMember) {
  const Ends inside = associate();
  const uint32_t client_tag = 0x55667788, member_tag = 0x99887766;
  EXPECT_EQ(ask(client_tag).to, inside.to);
  run(from_member(inside).tag_of(client_tag).init_ack(member_tag), kEth1);
  run(to_vip().tag_of(member_tag).chunk(kCookieEcho));
  run(from_member(inside).tag_of(client_tag).chunk(kCookieAck), kEth1);
  run(from_member(inside).chunk(kAbort), kEth1);  // of the former association
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  run(to_vip().tag_of(member_tag).chunk(kShutdown));
  run(from_member(inside).tag_of(client_tag).chunk(kShutdownAck), kEth1);
  EXPECT_EQ(states(), States{LB_FLOW_CLOSED});
}

// A member chooses a tag for each INIT, and the client takes any of the answers.
TEST_P(Sctp, OfTwoAnswersTheClientChoosesOne) {
  const Ends inside = ask();
  answer(inside);
  ask();
  run(from_member(inside).init_ack(kMemberTag + 1), kEth1);
  run(to_vip().tag_of(kMemberTag + 1).chunk(kCookieEcho));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  run(to_vip().chunk(kAbort));
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  run(to_vip().tag_of(kMemberTag + 1).chunk(kAbort));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
}

TEST_P(Sctp, OnlyTheAnswerToItsInitOpens) {
  const Ends inside = ask();
  run(from_member(inside).tag_of(kWrongTag).init_ack(kMemberTag), kEth1);
  run(to_vip().chunk(kCookieEcho));
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN});
  pass(std::chrono::seconds(6));
  sweep();
  EXPECT_EQ(live_flows(), 0u) << "unanswered for longer than timeout_member_connect";
}

TEST_P(Sctp, ARefusalIsAskedOfTheNextMember) {
  const Ends first = ask();
  EXPECT_THAT(run(from_member(first).chunk(kAbort), kEth1), Drops(LB_MEMBER_REFUSED));
  const Ends second = ask();
  EXPECT_NE(second.to, first.to);
  EXPECT_THAT(run(from_member(second).tag_of(kWrongTag).chunk(kAbort), kEth1),
              Continues(to_client().tag_of(kWrongTag).chunk(kAbort)));
  EXPECT_EQ(states(), States{LB_FLOW_HALF_OPEN}) << "not of our INIT";
  EXPECT_THAT(run(from_member(second).chunk(kAbort), kEth1), Continues(to_client().chunk(kAbort)));
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
}

TEST_P(Sctp, AMemberThatDoesNotAnswerIsLeftAfterTwoInits) {
  const Ends first = ask();
  EXPECT_EQ(ask().to, first.to);
  EXPECT_NE(ask().to, first.to);
}

// Protocol unreachable, or in IPv6 a next header that is not known (RFC 9260 10).
TEST_P(Sctp, AHostWithoutItGivesWayToTheNextMember) {
  const Error error = kSix ? Error{4, 1, 6} : Error{3, 2};
  const Ends first = ask();
  const auto about = [&](uint32_t initiate_tag, size_t quoted) {
    return icmp_error(first.to.address, sctp(first.from, first.to).init(initiate_tag), error,
                      quoted);
  };
  EXPECT_THAT(run(about(kWrongTag, 32), kEth1), Drops(LB_ICMP_ASTRAY));
  EXPECT_THAT(run(about(kClientTag, 8), kEth1), Drops(LB_ICMP_ASTRAY)) << "it says no tag";
  EXPECT_EQ(ask().to, first.to);
  EXPECT_THAT(run(about(kClientTag, 32), kEth1), Drops(LB_MEMBER_REFUSED));
  EXPECT_NE(ask().to, first.to);
}

TEST_P(Sctp, IcmpErrorsHaveToQuoteTheTag) {
  const Error error = kSix ? Error{2, 0, 1400} : Error{3, 4, 1400};
  const Ends inside = associate();
  const auto about = [&](uint32_t tag) {
    return icmp_error(inside.to.address, sctp(inside.from, inside.to).tag_of(tag).chunk(kData),
                      error);
  };
  EXPECT_THAT(run(about(kMemberTag), kEth1),
              Translates(icmp_error(vip_.address, to_vip().chunk(kData), error)));
  for (const uint32_t tag : {uint32_t{0}, kClientTag, kWrongTag})
    EXPECT_THAT(run(about(tag), kEth1), Drops(LB_ICMP_ASTRAY)) << tag;
}

TEST_P(Sctp, MoreThanTheListenerMayHave) {
  install_members(2, {.connection_limit = 1});
  associate();
  EXPECT_THAT(run(sctp(client(40001), vip_).init(kClientTag)), Drops(LB_CONNECTION_LIMIT));
}

// ---- what belongs to nothing ------------------------------------------------------------------

TEST_P(Sctp, OnlyAnInitBegins) {
  for (const uint8_t type :
       std::array<uint8_t, 6>{kData, kSack, kAbort, kShutdownAck, kCookieEcho, 9})
    EXPECT_THAT(run(to_vip().chunk(type)), Passes(LB_NO_FLOW)) << int{type};
  EXPECT_THAT(run(to_vip().init_ack(kMemberTag)), Passes(LB_NO_FLOW));
  // It has no tag, and comes alone and whole.
  EXPECT_THAT(run(to_vip().init(kClientTag)), Passes(LB_NO_FLOW));
  EXPECT_THAT(run(to_vip().tag_of(0).chunk(kSack).chunk(kInit)), Passes(LB_NO_FLOW));
  EXPECT_THAT(run(to_vip().tag_of(0).init(0)), Passes(LB_NO_FLOW));
  EXPECT_THAT(run(sctp({client_.address, 40000}, {vip_.address, 81}).init(kClientTag)),
              Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(tcp(client_, vip_).syn()), Passes(LB_NO_SERVICE));
}

TEST_P(Sctp, CutShort) {
  const Bytes whole = sctp(client_, vip_).init(kClientTag).bytes();
  const size_t l3 = 14, header = kSix ? 40 : 20;
  for (size_t left = 0; left < 32; ++left) {
    Bytes frame = whole;
    const size_t total = left + (kSix ? 0 : header);
    frame[l3 + (kSix ? 4 : 2)] = 0;
    frame[l3 + (kSix ? 5 : 3)] = static_cast<uint8_t>(total);
    EXPECT_THAT(run(frame), Passes(left < 16 ? LB_MALFORMED : LB_NO_FLOW)) << left;
  }
  EXPECT_EQ(live_flows(), 0u);
}

TEST_P(Sctp, ChunksThatLieAreNotFollowed) {
  associate();
  Bytes frame = to_vip().chunk(kSack).chunk(kAbort).bytes();
  const size_t length_at = checksum_at(frame) + 4 + 2;
  for (const uint8_t lie : std::array<uint8_t, 4>{0, 3, 5, 200}) {
    frame[length_at] = lie == 200 ? 0xff : 0;
    frame[length_at + 1] = lie;
    run(frame);
  }
  EXPECT_EQ(states(), States{LB_FLOW_OPEN});
  frame[length_at] = 0;
  frame[length_at + 1] = 4;
  run(frame);
  EXPECT_EQ(states(), States{LB_FLOW_RESET});
}

}  // namespace
}  // namespace test
