// Packets that somebody has damaged, at random: whatever comes, no packet of one flow leaves as
// another one's, each run has one verdict, and the flow table stays sound. PACKET_MUTATIONS says
// how many, PACKET_SEED which.
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "agent/datapath/flow_check.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/flow_walk.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

constexpr size_t kMutations = 100'000;
constexpr size_t kBetweenSweeps = 20'000;
constexpr size_t kFrames = 1'000;  // to be damaged, between two sweeps
constexpr int kFlows = 48;
constexpr size_t kEthernet = 14;

size_t from_environment(const char* name, size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Who a packet that was sent is from and for, read by as little as it takes; nullopt: it has no
// ports, or somebody else has to find them.
std::optional<Ends> ends_read(const Bytes& frame) {
  if (frame.size() < kEthernet + 40) return std::nullopt;
  const size_t l3 = kEthernet, version = frame[l3] >> 4;
  size_t l4 = l3 + (version == 4 ? (frame[l3] & 15u) * 4 : 40);
  uint8_t proto = frame[l3 + (version == 4 ? 9 : 6)];
  if (version == 4 && (get16(frame, l3 + 6) & 0x1fff) != 0) return std::nullopt;
  while (version == 6 && (proto == 0 || proto == 43 || proto == 60) && l4 + 8 <= frame.size()) {
    proto = frame[l4];
    l4 += (frame[l4 + 1] + 1u) * 8;
  }
  const bool has_ports = proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
  if (!has_ports || l4 + 4 > frame.size()) return std::nullopt;
  const auto endpoint = [&](size_t address, size_t port) {
    const auto family = version == 4 ? base::Family::ipv4 : base::Family::ipv6;
    return base::Endpoint{base::IpAddress::from_bytes(family, &frame[l3 + address]),
                          static_cast<uint16_t>(get16(frame, l4 + port))};
  };
  return version == 4 ? Ends{endpoint(12, 0), endpoint(16, 2)}
                      : Ends{endpoint(8, 0), endpoint(24, 2)};
}

class Mutation : public Lab {
 protected:
  using Flow = datapath::FlowRecord;

  void SetUp() override {
    Lab::SetUp();
    install(load_balancer("192.0.2.100")
                .vip("2001:db8:1::100")
                .listener(kTcp, 80)
                .pool()
                .members("203.0.113.1", 2, 80)
                .members("2001:db8:2::1", 2, 80)
                .listener(kUdp, 53)
                .pool()
                .members("203.0.113.1", 2, 53)
                .members("2001:db8:2::1", 2, 53)
                .listener(kSctp, 80)
                .pool()
                .members("203.0.113.1", 2, 80)
                .members("2001:db8:2::1", 2, 80));
  }

  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(chance_); }
  template <class Choices>
  auto one_of(const Choices& choices) {
    return std::data(choices)[below(std::size(choices))];
  }

  std::vector<Flow> flows() {
    std::vector<Flow> found;
    datapath::FlowWalk walk(datapath().flows().memory());
    const auto visit = [&](const Flow& flow) { found.push_back(flow); };
    while (walk.slice(4096, visit) == datapath::FlowWalk::Progress::more) {
    }
    return found;
  }

  // Some flows of each kind, most of them open.
  void make_flows() {
    for (int i = 0; i < kFlows; ++i) {
      const bool is_ipv6 = i % 2 == 1;
      const auto port = static_cast<uint16_t>(40000 + i);
      const base::Endpoint client{is_ipv6 ? kClient6.address : kClient.address, port};
      const base::IpAddress vip = is_ipv6 ? kVip6.address : kVip.address;
      if (i % 3 == 0) {
        // Not connect(): the table may be full of what came before.
        const Outcome syn = run(tcp(client, {vip, 80}).syn());
        if (syn.verdict() != LB_NEW_FLOW) continue;
        const Ends inside = ends_of(syn.after);
        run(tcp(inside.to, inside.from).syn_ack(), kEth1);
        run(tcp(client, {vip, 80}));
      } else if (i % 3 == 1) {
        run(udp(client, {vip, 53}));
      } else {
        run(sctp(client, {vip, 80}).init(static_cast<uint32_t>(i)));
      }
    }
  }

  // A packet of this flow as hosts send it, of either side.
  Packet ordinary(const Flow& flow, bool from_client) {
    constexpr uint8_t kFlags[] = {kAck, kAck, kSyn, kSyn | kAck, kFin | kAck, kRst, kPsh | kAck};
    constexpr uint8_t kChunks[] = {kData, kSack, kAbort, kShutdown, kCookieEcho, kCookieAck};
    Packet packet(flow.protocol, from_client ? flow.client : flow.member,
                  from_client ? flow.vip : flow.snat);
    packet.payload(below(64));
    if (flow.protocol == IPPROTO_TCP) packet.flags(one_of(kFlags));
    if (flow.protocol == IPPROTO_SCTP) packet.chunk(one_of(kChunks));
    if (below(16) == 0) packet.ttl(1);
    if (below(8) == 0 && packet.family() == base::Family::ipv4) packet.options(4 + 4 * below(3));
    if (below(8) == 0 && packet.family() == base::Family::ipv6)
      packet.extension(one_of(std::to_array<uint8_t>({0, 43, 60})));
    if (below(16) == 0) packet.fragment(static_cast<uint16_t>(below(0x10000)));
    if (below(16) == 0) packet.padding(below(20));
    return packet;
  }

  // What a router on the way makes of it, or the host that it is for.
  Bytes frame_of(const Flow& flow, bool from_client) {
    const Packet packet = ordinary(flow, from_client);
    if (below(6) != 0) return packet.bytes();
    constexpr Error kErrors[] = {{3, 3}, {3, 4, 1280}, {11, 0}, {1, 4}, {2, 0, 1280}};
    const Packet about = ordinary(flow, !from_client);
    const Packet seen =
        from_client ? about.between(flow.vip, flow.client) : about.between(flow.snat, flow.member);
    return icmp_error(packet.from().address, seen, one_of(kErrors), 8 + below(64)).bytes();
  }

  std::vector<std::pair<Bytes, bool>> frames_of(const std::vector<Flow>& known) {
    std::vector<std::pair<Bytes, bool>> frames;
    for (size_t i = 0; i < kFrames && !known.empty(); ++i) {
      const bool from_client = below(2) == 0;
      frames.emplace_back(frame_of(known[below(known.size())], from_client), from_client);
    }
    EXPECT_FALSE(frames.empty());
    return frames;
  }

  void damage(Bytes& frame) {
    constexpr uint8_t kBytes[] = {0, 1, 4, 6, 17, 44, 60, 0x45, 0x7f, 0x80, 0xff};
    for (size_t edits = below(5); edits != 0; --edits) {
      const size_t most = below(4) == 0 ? frame.size() : std::min<size_t>(frame.size(), 80);
      const size_t where = 12 + below(most - 12);
      switch (below(6)) {
        case 0:
          frame[where] ^= static_cast<uint8_t>(1u << below(8));
          break;
        case 1:
          frame[where] = static_cast<uint8_t>(below(256));
          break;
        case 2:
          frame[where] = one_of(kBytes);
          break;
        case 3:
          frame[where] = frame[12 + below(frame.size() - 12)];
          break;
        case 4:
          frame.resize(std::max<size_t>(16, frame.size() - below(frame.size())));
          break;
        default:
          frame.resize(frame.size() + below(48), static_cast<uint8_t>(below(256)));
      }
    }
  }

  // Which flow a packet with these ends is of, if it leaves with those. A member's mere ACK may
  // have become the client's SYN again, by another port and to any member (challenge.h): that
  // begins a flow.
  static bool is_of(const Flow& flow, const Ends& in, const Ends& out, lb_verdict verdict) {
    const auto matches = [](const Ends& ends, const base::Endpoint& from,
                            const base::Endpoint& to) {
      return ends.from == from && ends.to == to;
    };
    return (matches(in, flow.client, flow.vip) && matches(out, flow.snat, flow.member)) ||
           (matches(in, flow.member, flow.snat) && matches(out, flow.vip, flow.client)) ||
           (verdict == LB_NEW_FLOW && in.to.address == flow.snat.address &&
            matches(out, flow.snat, flow.member));
  }

  void expect_sound(datapath::CheckScope scope) {
    for (const auto& fault : datapath::check_flows(datapath().flows().memory(), scope))
      ADD_FAILURE() << fault.text();
  }

  std::mt19937_64 chance_{from_environment("PACKET_SEED", 1)};
};

TEST_F(Mutation, NoPacketLeavesAsAnothersAndTheTableStaysSound) {
  const size_t mutations = from_environment("PACKET_MUTATIONS", kMutations);
  size_t sent = 0, judged = 0;
  std::vector<std::pair<Bytes, bool>> frames;         // and whether they are the client's
  std::set<std::array<base::Endpoint, 4>> their_own;  // ends, in and out, that were a flow's
  for (size_t i = 0; i < mutations && !HasFailure(); ++i) {
    if (i % kBetweenSweeps == 0) {
      pass(std::chrono::seconds(1));
      sweep();
      expect_sound(datapath::CheckScope::after_sweep);
      make_flows();
      frames = frames_of(flows());
    }
    auto [frame, from_client] = one_of(frames);
    damage(frame);
    if (!can_run(frame)) continue;
    const bool from_its_side = below(16) != 0;
    Outcome outcome = run(frame, from_client == from_its_side ? kEth0 : kEth1);
    // The interfaces are real ones: their own neighbour discovery passes the program, too.
    if (outcome.verdict() == LB_CONTINUE) outcome.counted[LB_NOT_UNICAST] = 0;
    ASSERT_NE(outcome.verdict(), LB_CONTINUE) << outcome;
    ASSERT_NE(outcome.verdict(), LB_INTERNAL) << outcome;
    if (outcome.verdict() != LB_ESTABLISHED && outcome.verdict() != LB_NEW_FLOW) continue;
    ++sent;
    const auto in = ends_read(outcome.before), out = ends_read(outcome.after);
    if (!in || !out) continue;
    ++judged;
    // A flow's ends are the same as long as it lives: they need to be looked up once.
    if (!their_own.insert({in->from, in->to, out->from, out->to}).second) continue;
    const std::vector<Flow> now = flows();
    const bool is_its_own = std::any_of(now.begin(), now.end(), [&](const Flow& flow) {
      return is_of(flow, *in, *out, outcome.verdict());
    });
    ASSERT_TRUE(is_its_own) << "packet " << i << ": " << outcome;
  }
  expect_sound(datapath::CheckScope::at_rest);
  EXPECT_GT(judged, mutations / 10);
  std::printf("%zu packets, %zu were sent, %zu of them looked at\n", mutations, sent, judged);
}

}  // namespace
}  // namespace test
