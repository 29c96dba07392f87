// A member that still has an older connection where a new one asks for one.
#include <linux/bpf.h>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Challenge : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(join(
        load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080),
        load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81)));
  }
  static Packet syn(const base::Endpoint& client, const base::Endpoint& vip) {
    return tcp(client, vip).syn().payload(0);
  }
  Outcome answer(const Ends& inside, uint8_t flags, size_t payload = 0) {
    return run(tcp(inside.to, inside.from).flags(flags).payload(payload), kEth1);
  }
  // As the bytes of a SYN behind its IP header, but for ports and checksum.
  static Bytes header_of(const Bytes& frame, size_t at) {
    Bytes header(frame.begin() + static_cast<long>(at) + 4, frame.end());
    header[12] = header[13] = 0;
    return header;
  }
};

TEST_F(Challenge, IsAnsweredByAnotherPort) {
  const Bytes original = syn(kClient, kVip).bytes();
  const Ends first = forwarded(syn(kClient, kVip));
  const Outcome again = answer(first, kAck);
  ASSERT_EQ(again.verdict(), LB_NEW_FLOW) << again;
  EXPECT_TRUE(again.is_sent()) << again;
  EXPECT_EQ(flaw(again.after), std::nullopt);
  const Ends second = ends_of(again.after);
  EXPECT_EQ(second.to, first.to);
  EXPECT_EQ(second.from.address, first.from.address);
  EXPECT_NE(second.from.port, first.from.port);
  EXPECT_EQ(header_of(again.after, 34), header_of(original, 34));
  EXPECT_THAT(answer(second, kSyn | kAck), Continues(tcp(kVip, kClient).syn_ack().payload(0)));
  EXPECT_EQ(run(tcp(kClient, kVip)).verdict(), LB_ESTABLISHED);
  EXPECT_EQ(stats_of(kVip).flows, 1u);
  EXPECT_EQ(live_flows(), 1u);
}

TEST_F(Challenge, WithDataIsCutToTheSyn) {
  const Ends first = forwarded(syn(kClient, kVip));
  const Outcome again = answer(first, kAck, 500);
  ASSERT_EQ(again.verdict(), LB_NEW_FLOW) << again;
  EXPECT_EQ(again.after.size(), syn(kClient, kVip).bytes().size());
  EXPECT_EQ(flaw(again.after), std::nullopt);
}

// As of a member whose connections have time stamps: longer than the header of the SYN.
TEST_F(Challenge, WithTcpOptionsIsAnsweredByAnotherPort) {
  const Bytes original = syn(kClient, kVip).bytes();
  const Ends first = forwarded(syn(kClient, kVip));
  constexpr size_t kOffset = 14 + 20 + 12, kCheck = kOffset + 4;
  Bytes challenge = tcp(first.to, first.from).flags(kAck).payload(12).bytes();
  challenge[kOffset] = 0x80;  // the header is 12 bytes longer, and so is a word of its sum
  const uint32_t sum = (~get16(challenge, kCheck) & 0xffffu) + 0x3000;
  set16(challenge, kCheck, static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16))));
  ASSERT_EQ(flaw(challenge), std::nullopt);
  const Outcome again = run(challenge, kEth1);
  ASSERT_EQ(again.verdict(), LB_NEW_FLOW) << again;
  EXPECT_EQ(flaw(again.after), std::nullopt);
  EXPECT_EQ(header_of(again.after, 34), header_of(original, 34));
}

// On tc an interface may compute the checksum, and goes on doing so where L4 was: then it is the
// client's to answer.
TEST_F(Challenge, BehindOtherHeaders) {
  const Ends inside = forwarded(syn(kClient, kVip)), inside6 = forwarded(syn(kClient6, kVip6));
  const Outcome outcome = run(tcp(inside.to, inside.from).flags(kAck).options(8).payload(0), kEth1);
  const Outcome outcome6 =
      run(tcp(inside6.to, inside6.from).flags(kAck).extension(60, 8).payload(0), kEth1);
  if (is_on_tc()) {
    EXPECT_THAT(outcome, Continues(tcp(kVip, kClient).flags(kAck).options(8).payload(0)));
    EXPECT_THAT(outcome6, Continues(tcp(kVip6, kClient6).flags(kAck).extension(60, 8).payload(0)));
  } else {
    EXPECT_EQ(outcome.verdict(), LB_NEW_FLOW) << outcome;
    EXPECT_EQ(flaw(outcome.after), std::nullopt);
    EXPECT_EQ(outcome6.verdict(), LB_NEW_FLOW) << outcome6;
    EXPECT_EQ(flaw(outcome6.after), std::nullopt);
  }
}

TEST_F(Challenge, IsAnsweredByAnotherPortIpv6) {
  const Bytes original = syn(kClient6, kVip6).bytes();
  const Ends first = forwarded(syn(kClient6, kVip6));
  const Outcome again = answer(first, kAck);
  ASSERT_EQ(again.verdict(), LB_NEW_FLOW) << again;
  EXPECT_EQ(flaw(again.after), std::nullopt);
  const Ends second = ends_of(again.after);
  EXPECT_EQ(second.to, first.to);
  EXPECT_NE(second.from.port, first.from.port);
  EXPECT_EQ(header_of(again.after, 54), header_of(original, 54));
}

// The port is nobody's for a minute: the member would answer the same.
TEST_F(Challenge, ThePortRests) {
  const Ends first = forwarded(syn(kClient, kVip));
  answer(first, kAck);
  const base::Endpoint other = at("198.51.100.8", first.from.port);
  EXPECT_NE(forwarded(syn(other, kVip)).from.port, first.from.port);
}

// For ever would be a loop between the member and us.
TEST_F(Challenge, IsTheClientsToAnswerInTheEnd) {
  Ends inside = forwarded(syn(kClient, kVip));
  for (int i = 0; i < 12; ++i) {
    const Outcome again = answer(inside, kAck);
    ASSERT_EQ(again.verdict(), LB_NEW_FLOW) << i;
    inside = ends_of(again.after);
  }
  EXPECT_THAT(answer(inside, kAck), Continues(tcp(kVip, kClient).payload(0)));
}

TEST_F(Challenge, ASynWithDataIsNotKept) {
  const Ends first = forwarded(tcp(kClient, kVip).syn().payload(20));
  EXPECT_THAT(answer(first, kAck), Continues(tcp(kVip, kClient).payload(0)));
}

TEST_F(Challenge, AnAnswerIsNone) {
  const Ends inside = forwarded(syn(kClient, kVip));
  EXPECT_THAT(answer(inside, kSyn | kAck), Continues(tcp(kVip, kClient).syn_ack().payload(0)));
  EXPECT_THAT(answer(inside, kAck), Continues(tcp(kVip, kClient).payload(0)));
}

}  // namespace
}  // namespace test
