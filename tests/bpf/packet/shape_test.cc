// Frames of every shape: what is ours whatever it looks like, and what is not.
#include <linux/bpf.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Shape : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(join(load_balancer("192.0.2.100")
                     .listener(kTcp, 80)
                     .pool()
                     .member("203.0.113.50", 8080)
                     .listener(kUdp, 80)
                     .pool()
                     .member("203.0.113.50", 53),
                 load_balancer("2001:db8:1::100")
                     .listener(kTcp, 80)
                     .pool()
                     .member("2001:db8:2::50", 8080)
                     .listener(kUdp, 80)
                     .pool()
                     .member("2001:db8:2::50", 53)));
  }
  const base::Endpoint own_{kOwn, 40000}, own6_{kOwn6, 40000};
  const base::Endpoint member_ = at("203.0.113.50", 8080), member6_ = at("2001:db8:2::50", 8080);
};

TEST_F(Shape, PaddingStaysBehindThePacket) {
  EXPECT_THAT(run(tcp(kClient, kVip).syn().payload(0).padding(6)),
              Opens(tcp(own_, member_).syn().payload(0).padding(6)));
  EXPECT_THAT(run(udp(kClient, kVip).payload(1).padding(17)),
              Opens(udp(own_, at("203.0.113.50", 53)).payload(1).padding(17)));
}

TEST_F(Shape, Ipv4Options) {
  for (const size_t bytes : {size_t{4}, size_t{20}, size_t{40}}) {
    const base::Endpoint client{kClient.address, static_cast<uint16_t>(30000 + bytes)};
    EXPECT_THAT(run(tcp(client, kVip).syn().options(bytes)),
                Opens(tcp({kOwn, client.port}, member_).syn().options(bytes)));
  }
}

TEST_F(Shape, Ipv6ExtensionHeaders) {
  EXPECT_THAT(run(tcp(kClient6, kVip6).syn().extension(IPPROTO_HOPOPTS)),
              Opens(tcp(own6_, member6_).syn().extension(IPPROTO_HOPOPTS)));
  const auto all = [](Packet packet) {
    return packet.extension(IPPROTO_HOPOPTS, 16)
        .extension(IPPROTO_DSTOPTS, 8)
        .extension(IPPROTO_ROUTING, 24, 0)
        .extension(IPPROTO_DSTOPTS, 256);
  };
  EXPECT_THAT(run(all(tcp(kClient6, kVip6))), Continues(all(tcp(own6_, member6_))));
}

TEST_F(Shape, Ipv6ExtensionHeadersThatAreNotFollowed) {
  EXPECT_THAT(run(tcp(kClient6, kVip6).syn().extension(IPPROTO_ROUTING, 24, 1)),
              Passes(LB_EXTENSION_HEADER));
  Packet many = tcp(kClient6, kVip6).syn();
  for (int i = 0; i < 6; ++i) many.extension(IPPROTO_DSTOPTS);
  EXPECT_EQ(run(many).verdict(), LB_NEW_FLOW);
  EXPECT_THAT(run(many.extension(IPPROTO_DSTOPTS)), Passes(LB_EXTENSION_HEADER));
}

TEST_F(Shape, ExtensionHeaderLongerThanThePacket) {
  Bytes frame = tcp(kClient6, kVip6).syn().extension(IPPROTO_DSTOPTS).bytes();
  frame[14 + 41] = 200;
  frame.resize(3000);  // as much as can be given to tc
  EXPECT_THAT(run(frame), Passes(LB_MALFORMED));
}

TEST_F(Shape, UdpWithoutChecksumStaysWithout) {
  const base::Endpoint member = at("203.0.113.50", 53);
  EXPECT_THAT(run(udp(kClient, kVip).no_checksum()), Opens(udp(own_, member).no_checksum()));
}

TEST_F(Shape, UdpChecksumNeverBecomesZero) {
  const base::Endpoint member = at("203.0.113.50", 53);
  const size_t check = 14 + 20 + 6;
  // The word that makes the sum of what goes out all ones is the checksum without it.
  const Bytes without = udp(own_, member).last_word(0).bytes();
  const auto word = static_cast<uint16_t>(without[check] << 8 | without[check + 1]);
  const Outcome outcome = run(udp(kClient, kVip).last_word(word));
  EXPECT_THAT(outcome, Opens(udp(own_, member).last_word(word)));
  EXPECT_EQ(outcome.after[check], 0xff);
  EXPECT_EQ(outcome.after[check + 1], 0xff);
}

TEST_F(Shape, PriorityTagStaysOn) {
  EXPECT_THAT(run(tcp(kClient, kVip).syn().tag(0xa000)),
              Opens(tcp(own_, member_).syn().tag(0xa000)));
}

TEST_F(Shape, VlanIsAnotherInterface) {
  forwarded(tcp(kClient, kVip).syn());
  EXPECT_THAT(run(tcp(kClient, kVip).tag(100)), Passes(LB_VLAN));
  EXPECT_THAT(run(tcp(kClient, kVip).tag(100, 0x88a8)), Passes(LB_VLAN));
  EXPECT_THAT(run(tcp(kClient, kVip).tag(0).tag(0)), Passes(LB_VLAN));
}

TEST_F(Shape, Groups) {
  EXPECT_THAT(run(tcp(kClient, kVip).syn().macs({{1, 0, 0x5e, 0, 0, 1}}, {})),
              Passes(LB_NOT_UNICAST));
  const base::MacAddress broadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  EXPECT_THAT(run(tcp(kClient, kVip).syn().macs(broadcast, {})), Passes(LB_NOT_UNICAST));
}

TEST_F(Shape, NotIp) {
  Bytes arp = tcp(kClient, kVip).bytes();
  arp[12] = 0x08;
  arp[13] = 0x06;
  EXPECT_THAT(run(arp), Passes(LB_NOT_IP));
}

// As a veth leaves it: the sum of the pseudo header only. On tc nobody looks: the kernel knows.
TEST_F(Shape, ChecksumsThatWereLeftToTheInterfaceAreSeen) {
  const auto left_out = [](const Packet& packet, size_t l4) {
    Bytes frame = packet.bytes();
    const bool six = frame[14] >> 4 == 6;
    uint32_t sum = 6 + static_cast<uint32_t>(frame.size() - l4);
    for (size_t i = six ? 22 : 26; i < l4; i += 2)
      sum += static_cast<uint32_t>(frame[i] << 8 | frame[i + 1]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    frame[l4 + 16] = static_cast<uint8_t>(sum >> 8);
    frame[l4 + 17] = static_cast<uint8_t>(sum);
    return frame;
  };
  using Interfaces = std::set<uint32_t>;
  const auto interfaces = [&] { return *datapath().without_checksums(); };
  const auto on_xdp = [](Interfaces seen) { return is_on_tc() ? Interfaces{} : seen; };
  forwarded(tcp(kClient, kVip).syn());
  EXPECT_EQ(interfaces(), Interfaces{});
  for (uint16_t port = 1; port < 4; ++port)
    run(left_out(tcp(at("198.51.100.7", port), kVip).syn(), 34));
  EXPECT_EQ(interfaces(), on_xdp({kEth0}));
  for (uint16_t port = 1; port < 5; ++port) {  // fewer are not enough
    const Ends inside = forwarded(tcp(at("2001:db8:c::7", port), kVip6).syn());
    run(left_out(tcp(inside.to, inside.from).syn_ack(), 54), kEth1);
    run(left_out(tcp(at("198.51.100.7", 10 + port), kVip).syn(), 34));
  }
  EXPECT_EQ(interfaces(), on_xdp({kEth0, kEth1}));
  for (uint16_t port = 20; port < 30; ++port) forwarded(tcp(at("198.51.100.7", port), kVip).syn());
  EXPECT_EQ(interfaces(), on_xdp({kEth1}));
}

// RFC 6946: the header is there, but the packet is whole.
TEST_F(Shape, AtomicFragments) {
  EXPECT_THAT(run(udp(kClient6, kVip6).fragment(0)).verdict(), LB_NEW_FLOW);
  EXPECT_THAT(run(udp(kClient6, kVip6).fragment(8)), Drops(LB_FRAGMENT_HELD));
  const Outcome outcome = run(tcp(kClient6, kVip6).syn().fragment(0).extension(IPPROTO_DSTOPTS));
  EXPECT_EQ(outcome.verdict(), LB_NEW_FLOW);
  EXPECT_EQ(flaw(outcome.after), std::nullopt);
  EXPECT_EQ(run(tcp(kClient6, kVip6).syn().extension(IPPROTO_DSTOPTS).fragment(1)).verdict(),
            LB_ESTABLISHED)
      << "the first of several";
}

TEST_F(Shape, SourceRoutes) {
  for (const uint8_t type : std::array<uint8_t, 2>{131, 137}) {
    for (const size_t before : {0u, 1u, 3u}) {
      Bytes frame = tcp(kClient, kVip).syn().options(12).bytes();
      const size_t at = 14 + 20 + before;
      frame[at] = type;
      frame[at + 1] = 7;
      EXPECT_THAT(run(frame), Drops(LB_SOURCE_ROUTE)) << before;
    }
  }
  // Within another option it is none; behind the end there is none.
  Bytes frame = tcp(kClient, kVip).syn().options(12).bytes();
  frame[34] = 7;
  frame[35] = 11;
  frame[38] = 131;
  EXPECT_EQ(run(frame).verdict(), LB_NEW_FLOW);
  frame[34] = 0;
  EXPECT_TRUE(run(frame).is_sent());
  frame[34] = 7;
  frame[35] = 0;  // of no length: nothing can be said of the rest
  EXPECT_TRUE(run(frame).is_sent());
}

TEST_F(Shape, Icmp) {
  EXPECT_THAT(run(icmp(kClient.address, kVip.address, 8)), Passes(LB_ICMP));
  EXPECT_THAT(run(icmp(kClient6.address, kVip6.address, 128)), Passes(LB_ICMP));
  for (const uint8_t type : std::array<uint8_t, 5>{3, 4, 5, 11, 12})
    EXPECT_THAT(run(icmp(kClient.address, kVip.address, type)), Passes(LB_ICMP_ERROR));
  for (const uint8_t type : std::array<uint8_t, 5>{1, 2, 3, 4, 127})
    EXPECT_THAT(run(icmp(kClient6.address, kVip6.address, type)), Passes(LB_ICMP_ERROR));
}

TEST_F(Shape, OtherProtocols) {
  for (const uint8_t proto : std::array<uint8_t, 3>{IPPROTO_GRE, IPPROTO_ESP, 112})
    EXPECT_THAT(run(of_protocol(proto, kClient.address, kVip.address)), Passes(LB_OTHER_PROTOCOL));
  EXPECT_THAT(run(of_protocol(59, kClient6.address, kVip6.address)), Passes(LB_OTHER_PROTOCOL));
  EXPECT_THAT(run(of_protocol(IPPROTO_ICMPV6, kClient.address, kVip.address)),
              Passes(LB_OTHER_PROTOCOL));
}

// ---- lengths that are not true ----------------------------------------------------------------

struct Lie {
  const char* what;
  size_t where;
  uint8_t value;
};

TEST_F(Shape, Ipv4Lies) {
  const Bytes good = tcp(kClient, kVip).syn().bytes();
  for (const Lie& lie :
       {Lie{"version", 14, 0x65}, Lie{"header of 16 bytes", 14, 0x44},
        Lie{"header of 60 bytes in a packet of 59", 14, 0x4f}, Lie{"longer than the frame", 17, 61},
        Lie{"shorter than its header", 17, 19}, Lie{"TCP header of 16 bytes", 46, 0x40},
        Lie{"TCP header longer than the packet", 46, 0xf0}}) {
    Bytes frame = good;
    frame[lie.where] = lie.value;
    if (lie.value == 0x4f) frame[17] = 59;
    EXPECT_THAT(run(frame), Passes(LB_MALFORMED)) << lie.what;
  }
}

TEST_F(Shape, UdpLies) {
  const Bytes good = udp(kClient, kVip).bytes();
  for (const uint8_t length : std::array<uint8_t, 3>{0, 7, 29}) {
    Bytes frame = good;
    frame[14 + 20 + 5] = length;
    EXPECT_THAT(run(frame), Passes(LB_MALFORMED)) << int{length};
  }
}

TEST_F(Shape, Ipv6Lies) {
  const Bytes good = tcp(kClient6, kVip6).syn().bytes();
  for (const Lie& lie : {Lie{"version", 14, 0x40}, Lie{"longer than the frame", 19, 41},
                         Lie{"no room for TCP", 19, 19}}) {
    Bytes frame = good;
    frame[lie.where] = lie.value;
    EXPECT_THAT(run(frame), Passes(LB_MALFORMED)) << lie.what;
  }
}

TEST_F(Shape, EndsWithinAnExtensionHeader) {
  Bytes frame = tcp(kClient6, kVip6).syn().extension(60, 16).bytes();
  frame.resize(14 + 40 + 4);
  set16(frame, 18, 4);
  EXPECT_THAT(run(frame), Passes(LB_TRUNCATED));
}

// With lengths that are true.
TEST_F(Shape, EndsWithinTheHeaderOfL4) {
  Bytes frame = tcp(kClient, kVip).syn().bytes();
  frame.resize(14 + 39);
  set16(frame, 16, 39);
  EXPECT_THAT(run(frame), Passes(LB_TRUNCATED));
  frame = tcp(kClient6, kVip6).syn().bytes();
  frame.resize(14 + 59);
  set16(frame, 18, 19);
  EXPECT_THAT(run(frame), Passes(LB_TRUNCATED));
}

TEST_F(Shape, EndsWithinTheHeaderOfIp) {
  Bytes frame = tcp(kClient, kVip).syn().bytes();
  Bytes frame6 = tcp(kClient6, kVip6).syn().bytes();
  frame.resize(14 + 19);
  frame6.resize(14 + 39);
  for (const Bytes& one : {frame, frame6}) {
    if (can_run(one))
      EXPECT_THAT(run(one), Passes(LB_TRUNCATED));
    else
      EXPECT_EQ(try_on_tc(one), EINVAL) << "the kernel makes such an skb: it can be tried";
  }
}

}  // namespace
}  // namespace test
