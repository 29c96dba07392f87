// What both ends of a flow are told when the agent ends it.
#include "agent/serve/flow_resets.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <array>
#include <string>

#include "base/sctp.h"

namespace serve {
namespace {

using datapath::EndedFlow;
using datapath::Expiry;
using netns::Reset;

base::Endpoint at(const char* address, uint16_t port) {
  return {*base::IpAddress::parse(address), port};
}

EndedFlow flow(lb_flow_state state) {
  EndedFlow flow;
  flow.record.protocol = IPPROTO_TCP;
  flow.record.state = state;
  flow.record.client = at("198.51.100.7", 40000);
  flow.record.vip = at("192.0.2.100", 80);
  flow.record.snat = at("203.0.113.10", 41000);
  flow.record.member = at("203.0.113.50", 8080);
  flow.expiry = Expiry::idle;
  flow.is_answered = true;
  flow.next_client = 1001;
  flow.next_member = 5001;
  return flow;
}

TEST(Resets, HaveTheNumberThatEachEndWaitsFor) {
  for (const auto state : {LB_FLOW_OPEN, LB_FLOW_CLOSING_CLIENT, LB_FLOW_CLOSING_MEMBER}) {
    const std::vector<Reset> both = resets_of({flow(state)});
    ASSERT_EQ(both.size(), 2u);
    EXPECT_EQ(both[0].from, at("192.0.2.100", 80));
    EXPECT_EQ(both[0].to, at("198.51.100.7", 40000));
    EXPECT_EQ(both[0].awaited, 5001u);
    EXPECT_EQ(both[0].next, 1001u);
    EXPECT_EQ(both[1].from, at("203.0.113.10", 41000));
    EXPECT_EQ(both[1].to, at("203.0.113.50", 8080));
    EXPECT_EQ(both[1].awaited, 1001u);
    EXPECT_EQ(both[1].next, 5001u);
  }
}

TEST(Resets, OfWhatNeverWasOrIsOverAreNone) {
  EndedFlow datagrams = flow(LB_FLOW_OPEN);
  datagrams.record.protocol = IPPROTO_UDP;
  EXPECT_TRUE(
      resets_of({flow(LB_FLOW_HALF_OPEN), flow(LB_FLOW_CLOSED), flow(LB_FLOW_RESET), datagrams})
          .empty());
}

// An association's ends know each other by tags: each is sent its own.
TEST(Resets, OfAnAssociationHaveTheTagOfEachEnd) {
  EndedFlow association = flow(LB_FLOW_OPEN);
  association.record.protocol = IPPROTO_SCTP;
  const std::vector<Reset> both = resets_of({association});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].to, at("198.51.100.7", 40000));
  EXPECT_EQ(both[0].awaited, 1001u);
  EXPECT_EQ(both[1].to, at("203.0.113.50", 8080));
  EXPECT_EQ(both[1].awaited, 5001u);
  for (const Reset& reset : both) EXPECT_EQ(reset.protocol, Reset::Protocol::sctp);
  association.next_member = 0;
  const std::vector<Reset> one = resets_of({association});
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].to, at("198.51.100.7", 40000));
}

TEST(Resets, OfWhatMayGoOnElsewhereAreNone) {
  EndedFlow there = flow(LB_FLOW_OPEN);
  there.expiry = Expiry::elsewhere;
  EXPECT_TRUE(resets_of({there}).empty());
}

// Of an address that has moved away the connections are another node's by now. That of a removed
// load balancer is nobody's.
TEST(Resets, SayWhoseAddressTheySpeakFor) {
  EndedFlow gone = flow(LB_FLOW_OPEN);
  gone.expiry = Expiry::listener_gone;
  for (const Reset& reset : resets_of({gone})) EXPECT_EQ(reset.source, Reset::Source::anybodys);
  for (const Reset& reset : resets_of({flow(LB_FLOW_OPEN)}))
    EXPECT_EQ(reset.source, Reset::Source::ours);
}

// One that a receiver would see: the sum over the segment and its pseudo header is all ones.
unsigned sum_of(const Reset& reset) {
  unsigned sum = 6 + 20;
  const auto add = [&sum](const uint8_t* bytes, size_t size) {
    for (size_t i = 0; i < size; i += 2) sum += unsigned{bytes[i]} << 8 | bytes[i + 1];
  };
  const std::vector<uint8_t> segment = netns::reset_packet(reset);
  add(segment.data(), segment.size());
  add(reset.from.address.bytes(), reset.from.address.size());
  add(reset.to.address.bytes(), reset.to.address.size());
  return (sum & 0xffff) + (sum >> 16);
}

TEST(Resets, AreSegmentsOfTcp) {
  const Reset four{.from = at("192.0.2.100", 80),
                   .to = at("198.51.100.7", 40000),
                   .awaited = 0x01020304,
                   .next = 0xfffefdfc};
  const std::vector<uint8_t> wanted{0,    80,   0x9c, 0x40, 1,    2,    3, 4,
                                    0xff, 0xfe, 0xfd, 0xfc, 0x50, 0x14, 0, 0};
  std::vector<uint8_t> segment = netns::reset_packet(four);
  ASSERT_EQ(segment.size(), 20u);
  segment.resize(wanted.size());
  EXPECT_EQ(segment, wanted);
  EXPECT_EQ(sum_of(four), 0xffffu);
  const Reset six{.from = at("2001:db8:1::100", 443),
                  .to = at("2001:db8:c::7", 50000),
                  .awaited = 7,
                  .next = 9};
  EXPECT_EQ(sum_of(six), 0xffffu);
}

TEST(Resets, ArePacketsOfSctp) {
  const std::vector<uint8_t> packet = netns::reset_packet({.from = at("192.0.2.100", 80),
                                                           .to = at("198.51.100.7", 40000),
                                                           .awaited = 0x01020304,
                                                           .protocol = Reset::Protocol::sctp});
  EXPECT_EQ(std::string(packet.begin(), packet.end()), base::sctp_abort(80, 40000, 0x01020304));
}

}  // namespace
}  // namespace serve
