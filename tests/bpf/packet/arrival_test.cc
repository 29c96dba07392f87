// The first packets of another node's flow, whose numbers are those that were told last: they may
// be far ahead by now, and whoever guesses must not say where they are.
#include "tests/bpf/packet/replica_lab.h"

namespace test {
namespace {

using testing::SizeIs;

// Of the next byte of each direction, as told.
constexpr uint32_t kToldClient = 1000000, kToldMember = 0xfff00000;
constexpr uint32_t kMega = 1u << 20;

// Who sends first.
enum class Sender { client, member };
struct FirstPacket {
  Sender side;
  base::Family family;
};

class Arrival : public ReplicaLab, public testing::WithParamInterface<FirstPacket> {
 protected:
  void take_one(uint8_t proto = 6) {
    const bool six = GetParam().family == base::Family::ipv6;
    const auto protocol = proto == 6 ? kTcp : kUdp;
    balance(load_balancer(six ? "2001:db8:1::100" : "192.0.2.100")
                .listener(protocol, 80)
                .pool()
                .member(six ? "2001:db8:1::50" : "192.0.2.50", 8080));
    client_ = six ? kClient6 : kClient;
    vip_ = six ? kVip6 : kVip;
    pair::Flow flow;
    flow.name = {GetParam().family, 1, 1};
    flow.protocol = proto;
    flow.is_answered = true;
    flow.client = client_;
    flow.vip = vip_;
    flow.snat = {vip_.address, 41000};
    flow.member = at(six ? "2001:db8:1::50" : "192.0.2.50", 8080);
    flow.next_client = kToldClient;
    flow.next_member = kToldMember;
    inside_ = {flow.snat, flow.member};
    ASSERT_TRUE(take({flow})[0].place);
  }
  bool is_client() const { return GetParam().side == Sender::client; }
  uint32_t told(Sender side) const { return side == Sender::client ? kToldClient : kToldMember; }
  Sender other() const { return is_client() ? Sender::member : Sender::client; }
  Packet from(Sender side) const {
    return side == Sender::client ? tcp(client_, vip_) : tcp(inside_.to, inside_.from);
  }
  // From the side that sends first, so far from what was told of its numbers and of the other's.
  Packet first(uint32_t seq_ahead, uint32_t ack_ahead) const {
    return from(GetParam().side)
        .seq(told(GetParam().side) + seq_ahead)
        .ack(told(other()) + ack_ahead)
        .payload(0);
  }
  void send(const Packet& packet) { EXPECT_EQ(run(packet).verdict(), LB_ESTABLISHED); }
  // How far the first side and the other one are from what was told.
  std::pair<uint32_t, uint32_t> ahead() {
    const auto all = flows();
    EXPECT_THAT(all, SizeIs(1));
    if (all.size() != 1) return {};
    const uint32_t client = all[0].next_client - kToldClient,
                   member = all[0].next_member - kToldMember;
    return is_client() ? std::pair(client, member) : std::pair(member, client);
  }
  base::Endpoint client_, vip_;
  Ends inside_;
};

using Ahead = std::pair<uint32_t, uint32_t>;

INSTANTIATE_TEST_SUITE_P(Sides, Arrival,
                         testing::Values(FirstPacket{Sender::client, base::Family::ipv4},
                                         FirstPacket{Sender::member, base::Family::ipv4},
                                         FirstPacket{Sender::client, base::Family::ipv6},
                                         FirstPacket{Sender::member, base::Family::ipv6}),
                         [](const auto& test) {
                           return std::string(test.param.side == Sender::client ? "Client"
                                                                                : "Member") +
                                  (test.param.family == base::Family::ipv6 ? "IPv6" : "IPv4");
                         });

TEST_P(Arrival, SaysWhereBothDirectionsAre) {
  take_one();
  send(first(kMega, 20 * kMega));
  EXPECT_EQ(ahead(), Ahead(kMega, 20 * kMega));
  send(first(kMega, 0).flags(kRst));
  EXPECT_THAT(flows(), SizeIs(0)) << "it is the connection's number now";
}

TEST_P(Arrival, CountsOnce) {
  take_one();
  send(first(kMega, kMega));
  send(first(3 * kMega, 3 * kMega));
  EXPECT_EQ(ahead(), Ahead(kMega, kMega));
}

// Who knows the addresses and ports, and no number: an ACK, and then an RST with its number.
TEST_P(Arrival, OfABlindAckChangesNothing) {
  take_one();
  for (const auto& [seq, ack] :
       {Ahead(1u << 30, 1u << 30), Ahead(1u << 30, kMega), Ahead(kMega, 1u << 30),
        Ahead(0u - kMega, kMega), Ahead(kMega, 0u - kMega), Ahead(1u << 31, 1u << 31)}) {
    send(first(seq, ack));
    send(first(seq, 0).flags(kRst));
    EXPECT_EQ(ahead(), Ahead(0, 0)) << seq << " " << ack;
  }
  send(first(kMega, kMega));
  EXPECT_EQ(ahead(), Ahead(kMega, kMega)) << "the right one still counts";
}

TEST_P(Arrival, OfAnRstOrASynSaysNothing) {
  take_one();
  for (const uint8_t flags : {kRst, kSyn}) {
    send(first(kMega, kMega).flags(flags));
    EXPECT_EQ(ahead(), Ahead(0, 0));
  }
  send(first(kMega, kMega).flags(kSyn | kAck));
  send(first(kMega, kMega).flags(kRst | kAck));
  EXPECT_EQ(ahead(), Ahead(0, 0));
}

TEST_P(Arrival, OfAnRstWithTheNumberThatWasToldEnds) {
  take_one();
  send(first(0, 0).flags(kRst));
  EXPECT_THAT(flows(), SizeIs(0));
}

TEST_P(Arrival, OfAFinFarAheadCloses) {
  take_one();
  send(first(kMega, kMega).flags(kFin | kAck));
  const auto all = flows();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].state, is_client() ? pair::State::closing_client : pair::State::closing_member);
}

// It is this node's by then: what goes on is judged by what has come here.
TEST_P(Arrival, IsOverOnceTheFlowIsOwned) {
  take_one();
  send(first(0, 0));
  const auto all = flows();
  ASSERT_THAT(all, SizeIs(1));
  table_->own(all[0].name.family, all[0].name.line);
  send(first(kMega, kMega));
  EXPECT_EQ(ahead(), Ahead(0, 0));
  send(first(kMega, 0));
  EXPECT_EQ(ahead(), Ahead(kMega, 0)) << "as of any flow";
}

TEST_P(Arrival, OfDatagramsIsAsOfAnyFlow) {
  take_one(17);
  for (int i = 0; i < 3; i++) {
    const Outcome out = run(is_client() ? udp(client_, vip_) : udp(inside_.to, inside_.from));
    EXPECT_EQ(out.verdict(), LB_ESTABLISHED) << out;
    EXPECT_EQ(ends_of(out.after).to, is_client() ? inside_.to : client_);
  }
  EXPECT_EQ(ahead(), Ahead(3, 0)) << "they are counted";
}

}  // namespace
}  // namespace test
