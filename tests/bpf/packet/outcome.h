// What came out of a run, and matchers that say what should have.
#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <ostream>
#include <set>

#include "agent/datapath/stats.h"
#include "tests/bpf/packet/packets.h"

namespace test {

inline constexpr uint32_t kEth0 = 102, kEth1 = 103, kEth2 = 104;  // ifindexes

inline constexpr uint32_t kSentByTc = 1000;  // nobody sees by which interface

struct Outcome {
  uint32_t action = 0;  // XDP_*, kSentByTc
  datapath::Verdicts counted{};
  Bytes before, after;
  uint32_t ingress = 0;

  // The one verdict that was counted; LB_CONTINUE if it was not exactly one.
  lb_verdict verdict() const;
  bool is_sent() const;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

// The verdicts that runs have ended with in this process.
std::set<lb_verdict>& verdicts_seen();

// The packet as it leaves towards its destination: L2 header of the way there, one hop less.
Packet leaving(const Packet& packet, uint8_t ttl = 63);
// The interface it leaves by.
uint32_t egress_of(const base::IpAddress& destination);

// Sent on, as exactly these bytes: `packet` says ends and contents; MACs, TTL and checksums follow.
testing::Matcher<const Outcome&> Forwards(const Packet& packet);
// The same for a first packet and for one of a flow that was there.
testing::Matcher<const Outcome&> Opens(const Packet& packet);
testing::Matcher<const Outcome&> Continues(const Packet& packet);
// An ICMP error, sent on to whom it is for.
testing::Matcher<const Outcome&> Translates(const Packet& packet);
// Not sent on: its sender is told why, by exactly this packet, back the way it came.
testing::Matcher<const Outcome&> Tells(lb_verdict verdict, const Packet& packet);
// Given to the kernel as it came, or dropped, with this verdict.
testing::Matcher<const Outcome&> Passes(lb_verdict verdict);
testing::Matcher<const Outcome&> Drops(lb_verdict verdict);
// Given to the kernel to forward: rewritten, L2 header and TTL as they came.
testing::Matcher<const Outcome&> HandsOver(lb_verdict verdict, const Packet& packet);

}  // namespace test
