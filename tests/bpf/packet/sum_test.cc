// What an interface has summed of a whole packet (CHECKSUM_COMPLETE) is its sum when it goes on, or
// who has it last (a container behind a veth) takes the interface for broken. XDP knows no sums,
// nor do test runs of older kernels: there the same packets have to go on. A run that begins a flow
// gives the sum up, which no test run shows.
#include <cerrno>
#include <vector>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Sum : public Lab, public testing::WithParamInterface<base::Family> {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(load_balancer(vip_.address.text())
                .listener(kTcp, vip_.port)
                .pool()
                .member(member_, 8080)
                .listener(kUdp, vip_.port)
                .pool()
                .member(member_, 53)
                .listener(kSctp, vip_.port)
                .pool()
                .member(member_, 3868));
    knows_sums_ = is_on_tc() && run_summed(tcp(client_, vip_).bytes()) != EINVAL;
  }
  bool six() const { return GetParam() == base::Family::ipv6; }
  uint64_t established() { return (*datapath().verdicts())[LB_ESTABLISHED]; }
  void expect_true(const Bytes& frame, uint32_t ingress = kEth0) {
    const uint64_t before = established();
    if (knows_sums_)
      EXPECT_EQ(run_summed(frame, ingress), 0);
    else
      run(frame, ingress);
    EXPECT_EQ(established(), before + 1);
  }
  // Of both directions of a flow.
  void expect_both(const Packet& there, const Ends& inside) {
    expect_true(there.bytes());
    expect_true(there.between(inside.to, inside.from).bytes(), kEth1);
  }

  bool knows_sums_ = false;
  const base::Endpoint client_ = six() ? kClient6 : kClient, vip_ = six() ? kVip6 : kVip;
  const std::string member_ = six() ? "2001:db8:2::50" : "203.0.113.50";
};

INSTANTIATE_TEST_SUITE_P(Families, Sum, testing::Values(base::Family::ipv4, base::Family::ipv6),
                         [](const auto& test) {
                           return test.param == base::Family::ipv4 ? "ipv4" : "ipv6";
                         });

TEST_P(Sum, OfTcpAndUdp) {
  expect_both(tcp(client_, vip_).payload(333), connect(client_, vip_));
  const Packet datagram = udp(client_, vip_).payload(400);
  expect_both(datagram, forwarded(datagram));
}

// IPv6 has none.
class SumWithoutChecksum : public Sum {};

INSTANTIATE_TEST_SUITE_P(Families, SumWithoutChecksum, testing::Values(base::Family::ipv4),
                         [](const auto&) { return "ipv4"; });

TEST_P(SumWithoutChecksum, OfUdp) {
  const Packet datagram = udp(client_, vip_).payload(400).no_checksum();
  expect_both(datagram, forwarded(datagram));
}

TEST_P(Sum, OfSctp) {
  const Ends inside = forwarded(sctp(client_, vip_).init(7));
  expect_true(sctp(inside.to, inside.from).tag_of(7).init_ack(9).bytes(), kEth1);
  expect_both(sctp(client_, vip_).tag_of(9).chunk(kData).payload(200), inside);
}

TEST_P(Sum, OfFragments) {
  const Packet datagram = udp(client_, vip_).payload(4000).may_be_fragmented();
  const Ends inside = forwarded(udp(client_, vip_));
  for (const Bytes& frame : fragments(datagram, 1400, 77)) expect_true(frame);
  for (const Bytes& frame : fragments(datagram.between(inside.to, inside.from), 1400, 78))
    expect_true(frame, kEth1);
}

}  // namespace
}  // namespace test
