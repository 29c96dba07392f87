// Fragment: packets in pieces, of both families, and what is told of them.
#pragma once

#include <bpf/bpf.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "agent/datapath/ring_reader.h"
#include "tests/bpf/packet/lab.h"

namespace test {

inline constexpr size_t kPiece = 1440;
inline constexpr uint32_t kId = 0x4321;

struct Places {
  const char* name;
  base::Endpoint client, other_client, vip;
  const char *member, *unknown;
  size_t largest;  // payload of UDP
};

inline const Places kPlaces4{
    "ipv4", kClient, at("198.51.100.8", 40000), kVip, "203.0.113.50", "192.0.2.201", 65507};
inline const Places kPlaces6{"ipv6", kClient6,         at("2001:db8:c::8", 40000),
                             kVip6,  "2001:db8:2::50", "2001:db8:1::201",
                             65527};

class Fragment : public Lab, public testing::WithParamInterface<const Places*> {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install_all();
  }
  void install_all() {
    install(load_balancer(vip().address.text())
                .listener(kTcp, 80)
                .pool()
                .member(places().member, 8080)
                .listener(kUdp, 80)
                .pool()
                .member(places().member, 53)
                .listener(kUdp, 81)
                .pool()
                .member(places().member, 54));
  }
  const Places& places() const { return *GetParam(); }
  bool six() const { return GetParam() == &kPlaces6; }
  const base::Endpoint& client() const { return places().client; }
  const base::Endpoint& vip() const { return places().vip; }
  Packet question(size_t bytes) const {
    return udp(client(), vip()).payload(bytes).may_be_fragmented();
  }

  // All are sent on, the same way; as they left.
  std::vector<Bytes> sent(const std::vector<Bytes>& frames, uint32_t ingress = kEth0) {
    std::vector<Bytes> out;
    for (const Bytes& frame : frames) {
      const Outcome outcome = run(frame, ingress);
      EXPECT_TRUE(outcome.is_sent()) << outcome;
      EXPECT_TRUE(outcome.verdict() == LB_ESTABLISHED || out.empty()) << outcome;
      out.push_back(outcome.after);
    }
    return out;
  }
  // What the receiver gets is this packet, whole and right.
  static void expect_whole(const std::vector<Bytes>& frames, const Packet& packet) {
    const auto whole = joined(frames);
    ASSERT_TRUE(whole.has_value());
    EXPECT_EQ(flaw(*whole), std::nullopt);
    Packet expected = leaving(packet).may_be_fragmented();
    if (packet.family() == base::Family::ipv4)
      expected.id(static_cast<uint16_t>(fragment_id(frames.front())));
    EXPECT_EQ(describe(*whole), describe(expected.bytes()));
  }
  // What waits for its first one, in the order in which it came.
  std::vector<lb_held> read_held() {
    if (!held_) {
      auto ring = datapath::HeldRing::map(datapath().map_fd("lb_held"), "lb_held");
      EXPECT_TRUE(ring.ok());
      held_.emplace(std::move(*ring));
    }
    std::vector<lb_held> out;
    held_->read([&out](const lb_held& one) { out.push_back(one); });
    return out;
  }
  static Bytes frame_of(const lb_held& held) { return Bytes(held.frame, held.frame + held.bytes); }
  static Bytes bytes_of_key(const lb_trace_key& key) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&key);
    return Bytes(bytes, bytes + sizeof(key));
  }
  // As the agent gives it to the program.
  static Bytes again(Bytes frame) {
    std::fill_n(frame.begin() + 6, 6, uint8_t{0});
    return frame;
  }
  // As if the only packet had begun so long ago.
  void age(uint64_t seconds) {
    const int map = datapath().map_fd("lb_traces");
    lb_trace_key key{};
    lb_trace trace{};
    ASSERT_EQ(bpf_map_get_next_key(map, nullptr, &key), 0);
    ASSERT_EQ(bpf_map_lookup_elem(map, &key, &trace), 0);
    trace.began -= seconds * 1000000000;
    ASSERT_EQ(bpf_map_update_elem(map, &key, &trace, BPF_EXIST), 0);
  }
  size_t traces() {
    const int map = datapath().map_fd("lb_traces");
    size_t count = 0;
    lb_trace_key key{}, next{};
    for (int err = bpf_map_get_next_key(map, nullptr, &next); err == 0;
         err = bpf_map_get_next_key(map, &key, &next)) {
      key = next;
      ++count;
    }
    return count;
  }

 private:
  std::optional<datapath::HeldRing> held_;
};

}  // namespace test
