// Packets that cannot go on, and what their senders are told by ICMP.
#include <chrono>
#include <string>
#include <thread>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

constexpr size_t kQuoted = 504;  // bytes of the packet that are told at most

class Tell : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    net().link(kEth1, "eth1", {"203.0.113.10/24", "2001:db8:2::10/64"}, 1280);
    install(join(
        load_balancer("192.0.2.100")
            .listener(kTcp, 80)
            .pool()
            .member("203.0.113.50", 8080)
            .listener(kUdp, 80)
            .pool()
            .member("203.0.113.50", 53),
        load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81)));
  }

  // What its sender is told of it, from whom he sent it to, by the neighbour it came to.
  static Packet told(const Packet& packet, const Error& error) {
    const bool six = packet.family() == base::Family::ipv6;
    return icmp_error(packet.to().address, packet, error, kQuoted - (six ? 40 : 20))
        .traffic_class(0xc0)
        .id(0)
        .may_be_fragmented()
        .macs({{6, 0, 192, 0, 2, 1}}, {{2, 0, 0, 0, 0, 2}});
  }
};

const Error kExpired{11, 0}, kExpired6{3, 0};

TEST_F(Tell, HopsUsedUp) {
  const Ends inside = connect(kClient, kVip);
  for (const uint8_t hops : {uint8_t{0}, uint8_t{1}}) {
    const Packet packet = tcp(kClient, kVip).ttl(hops);
    EXPECT_THAT(run(packet), Tells(LB_TOLD_EXPIRED, told(packet, kExpired)));
  }
  const Packet back = tcp(inside.to, inside.from).ttl(1);
  EXPECT_THAT(run(back, kEth1), Tells(LB_TOLD_EXPIRED, told(back, kExpired)));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_TOLD_EXPIRED], 3u);
  const Outcome last = run(tcp(kClient, kVip).ttl(2));
  EXPECT_EQ(describe(last.after), describe(leaving(tcp(inside.from, inside.to), 1).bytes()));
}

TEST_F(Tell, HopsUsedUpIpv6) {
  const Ends inside = connect(kClient6, kVip6);
  const Packet packet = tcp(kClient6, kVip6).ttl(1), back = tcp(inside.to, inside.from).ttl(1);
  EXPECT_THAT(run(packet), Tells(LB_TOLD_EXPIRED, told(packet, kExpired6)));
  EXPECT_THAT(run(back, kEth1), Tells(LB_TOLD_EXPIRED, told(back, kExpired6)));
}

// As traceroute asks: there is no flow yet.
TEST_F(Tell, HopsUsedUpOfTheFirstPacket) {
  const Packet syn = tcp(kClient, kVip).syn().payload(0).ttl(1), small = udp(kClient, kVip).ttl(1);
  EXPECT_THAT(run(syn), Tells(LB_TOLD_EXPIRED, told(syn, kExpired)));
  EXPECT_THAT(run(small), Tells(LB_TOLD_EXPIRED, told(small, kExpired)));
  const Packet syn6 = tcp(kClient6, kVip6).syn().payload(0).ttl(1);
  EXPECT_THAT(run(syn6), Tells(LB_TOLD_EXPIRED, told(syn6, kExpired6)));
}

// Such a SYN is none: neither a third one that nobody answers, nor one after the end.
TEST_F(Tell, HopsUsedUpOfASynThatWouldBeginAnew) {
  const Packet syn = tcp(kClient, kVip).syn().payload(0);
  const Ends first = forwarded(syn);
  EXPECT_THAT(run(syn), Forwards(tcp(first.from, first.to).syn().payload(0)));
  EXPECT_EQ(run(Packet(syn).ttl(1)).verdict(), LB_TOLD_EXPIRED);
  EXPECT_THAT(run(tcp(first.to, first.from).syn_ack(), kEth1),
              Continues(tcp(kVip, kClient).syn_ack()));
  run(tcp(kClient, kVip));
  run(tcp(kClient, kVip).fin());
  run(tcp(first.to, first.from).fin(), kEth1);
  EXPECT_EQ(run(Packet(syn).ttl(1)).verdict(), LB_TOLD_EXPIRED);
  EXPECT_THAT(run(tcp(first.to, first.from), kEth1), Continues(tcp(kVip, kClient)));
}

TEST_F(Tell, OfNoServiceTheKernelTells) {
  EXPECT_THAT(run(udp(kClient, at("192.0.2.100", 33434)).ttl(1)), Passes(LB_NO_SERVICE));
}

TEST_F(Tell, UnderOtherHeaders) {
  connect(kClient, kVip);
  connect(kClient6, kVip6);
  const Packet with_options = tcp(kClient, kVip).options(12).ttl(1);
  EXPECT_THAT(run(with_options), Tells(LB_TOLD_EXPIRED, told(with_options, kExpired)));
  const Packet tagged = tcp(kClient, kVip).tag(0xa000).padding(9).ttl(1);
  EXPECT_THAT(run(tagged), Tells(LB_TOLD_EXPIRED, told(tagged, kExpired).tag(0xa000)));
  const Packet extended = tcp(kClient6, kVip6).extension(60, 16).ttl(1);
  EXPECT_THAT(run(extended), Tells(LB_TOLD_EXPIRED, told(extended, kExpired6)));
}

TEST_F(Tell, TooBigForTheWayThere) {
  const Ends inside = connect(kClient, kVip);
  connect(kClient6, kVip6);
  EXPECT_THAT(run(tcp(kClient, kVip).payload(1280 - 40)),
              Continues(tcp(inside.from, inside.to).payload(1280 - 40)));
  const Packet big = tcp(kClient, kVip).payload(1280 - 39);
  EXPECT_THAT(run(big), Tells(LB_TOLD_TOO_BIG, told(big, {3, 4, 1280})));
  const Packet big6 = tcp(kClient6, kVip6).payload(1280 - 59);
  EXPECT_THAT(run(big6), Tells(LB_TOLD_TOO_BIG, told(big6, {2, 0, 1280})));
  EXPECT_THAT(run(tcp(kClient, kVip).payload(1280 - 39).may_be_fragmented()),
              HandsOver(LB_NEEDS_FRAGMENTS,
                        tcp(inside.from, inside.to).payload(1280 - 39).may_be_fragmented()));
}

// Against the MTU stands the largest of its segments; who sent them is told of all. XDP knows no
// segments: there a frame is one packet.
TEST_F(Tell, SegmentsTooBigForTheWayThere) {
  const Ends inside = connect(kClient, kVip), inside6 = connect(kClient6, kVip6);
  const Packet many = tcp(kClient, kVip).payload(3000);
  const Outcome fits = run(many.bytes(), kEth0, 1280 - 40);
  if (is_on_tc())
    EXPECT_THAT(fits, Continues(tcp(inside.from, inside.to).payload(3000)));
  else
    EXPECT_THAT(fits, Tells(LB_TOLD_TOO_BIG, told(many, {3, 4, 1280})));
  EXPECT_THAT(run(many.bytes(), kEth0, 1280 - 39),
              Tells(LB_TOLD_TOO_BIG, told(many, {3, 4, 1280})));
  const Packet many6 = tcp(kClient6, kVip6).payload(3000);
  const Outcome fits6 = run(many6.bytes(), kEth0, 1280 - 60);
  if (is_on_tc())
    EXPECT_THAT(fits6, Continues(tcp(inside6.from, inside6.to).payload(3000)));
  else
    EXPECT_THAT(fits6, Tells(LB_TOLD_TOO_BIG, told(many6, {2, 0, 1280})));
  EXPECT_THAT(run(many6.bytes(), kEth0, 1280 - 59),
              Tells(LB_TOLD_TOO_BIG, told(many6, {2, 0, 1280})));
}

TEST_F(Tell, HopsUsedUpOfSegments) {
  connect(kClient, kVip);
  const Packet many = tcp(kClient, kVip).payload(3000).ttl(1);
  EXPECT_THAT(run(many.bytes(), kEth0, 1000), Tells(LB_TOLD_EXPIRED, told(many, kExpired)));
}

TEST_F(Tell, ClientsMtuIsOfTheirRoute) {
  const Ends inside = connect(kClient, kVip);
  EXPECT_THAT(run(tcp(inside.to, inside.from).payload(1460), kEth1),
              Continues(tcp(kVip, kClient).payload(1460)));
  const Packet big = tcp(inside.to, inside.from).payload(1461);
  EXPECT_THAT(run(big, kEth1), Tells(LB_TOLD_TOO_BIG, told(big, {3, 4, 1500})));
}

// ---- how often --------------------------------------------------------------------------------

TEST_F(Tell, EachSenderIsToldSixTimesAtOnce) {
  for (const uint8_t host : {uint8_t{7}, uint8_t{8}}) {
    const base::Endpoint client = at("198.51.100." + std::to_string(host), 40000);
    for (int i = 0; i < 6; ++i)
      ASSERT_EQ(run(udp(client, kVip).ttl(1)).verdict(), LB_TOLD_EXPIRED) << i;
    // Each second that the machine stands still meanwhile is one more.
    Outcome last = run(udp(client, kVip).ttl(1));
    for (int i = 0; i < 6 && last.verdict() == LB_TOLD_EXPIRED; ++i)
      last = run(udp(client, kVip).ttl(1));
    EXPECT_THAT(last, Drops(LB_TTL_EXPIRED));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(run(udp(kClient, kVip).ttl(1)).verdict(), LB_TOLD_EXPIRED);
}

TEST_F(Tell, WhatIsTooBigIsToldTenTimesAsOften) {
  connect(kClient, kVip);
  const Packet big = tcp(kClient, kVip).payload(1400);
  for (int i = 0; i < 60; ++i) ASSERT_EQ(run(big).verdict(), LB_TOLD_TOO_BIG) << i;
  Outcome last = run(big);
  for (int i = 0; i < 100 && last.verdict() == LB_TOLD_TOO_BIG; ++i) last = run(big);
  EXPECT_THAT(last, Drops(LB_TOO_BIG));
}

}  // namespace
}  // namespace test
