#include "tests/bpf/packet/outcome.h"

#include <linux/bpf.h>

#include "tests/bpf/packet/lab.h"

namespace test {

namespace {

using testing::AllOf;
using testing::Matcher;
using testing::MatchResultListener;
using testing::ResultOf;

Matcher<const Outcome&> counts(lb_verdict verdict) {
  return ResultOf(
      "verdict", [](const Outcome& o) { return datapath::verdict_name(o.verdict()); },
      testing::Eq(datapath::verdict_name(verdict)));
}

Matcher<const Outcome&> acts(uint32_t action) {
  return ResultOf(
      "action", [](const Outcome& o) { return o.action; }, testing::Eq(action));
}

Matcher<const Outcome&> leaves_as(const Bytes& frame) {
  return ResultOf(
      "frame", [](const Outcome& o) { return describe(o.after); }, testing::Eq(describe(frame)));
}

MATCHER(IsUntouched, "is as it came") { return arg.before == arg.after; }
MATCHER_P(LeavesTowards, destination, "by the right interface") {
  return arg.action == kSentByTc ||
         arg.action == (egress_of(destination) == arg.ingress ? XDP_TX : XDP_REDIRECT);
}

}  // namespace

lb_verdict Outcome::verdict() const {
  int found = LB_CONTINUE;
  for (int v = 1; v < LB_VERDICT_COUNT; ++v) {
    if (counted[v] == 0) continue;
    if (counted[v] > 1 || found != LB_CONTINUE) return LB_CONTINUE;
    found = v;
  }
  return static_cast<lb_verdict>(found);
}

bool Outcome::is_sent() const {
  return action == XDP_TX || action == XDP_REDIRECT || action == kSentByTc;
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << "action " << outcome.action << ", verdicts";
  for (int v = 0; v < LB_VERDICT_COUNT; ++v)
    if (outcome.counted[v] != 0)
      out << " " << datapath::verdict_name(static_cast<lb_verdict>(v)) << "=" << outcome.counted[v];
  return out << ", frame\n" << describe(outcome.after);
}

std::set<lb_verdict>& verdicts_seen() {
  static std::set<lb_verdict> seen;
  return seen;
}

uint32_t egress_of(const base::IpAddress& destination) {
  if (prefix("203.0.113.0/24").contains(destination)) return kEth1;
  if (prefix("198.18.0.0/24").contains(destination)) return kEth2;
  return prefix("2001:db8:2::/64").contains(destination) ? kEth1 : kEth0;
}

Packet leaving(const Packet& packet, uint8_t ttl) {
  const base::IpAddress& destination = packet.to().address;
  const uint32_t egress = egress_of(destination);
  base::IpAddress neighbour = destination;
  if (egress == kEth0 && !prefix("192.0.2.0/24").contains(destination) &&
      !prefix("2001:db8:1::/64").contains(destination))
    neighbour = ip(packet.family() == base::Family::ipv6 ? "2001:db8:1::1" : "192.0.2.1");
  return Packet(packet).macs(mac_of(neighbour), mac_of_link(egress)).ttl(ttl);
}

Matcher<const Outcome&> Forwards(const Packet& packet) {
  return AllOf(testing::AnyOf(counts(LB_ESTABLISHED), counts(LB_NEW_FLOW)),
               LeavesTowards(packet.to().address), leaves_as(leaving(packet).bytes()));
}

Matcher<const Outcome&> Opens(const Packet& packet) {
  return AllOf(counts(LB_NEW_FLOW), Forwards(packet));
}

Matcher<const Outcome&> Continues(const Packet& packet) {
  return AllOf(counts(LB_ESTABLISHED), Forwards(packet));
}

Matcher<const Outcome&> Translates(const Packet& packet) {
  return AllOf(counts(LB_ICMP_TRANSLATED), LeavesTowards(packet.to().address),
               leaves_as(leaving(packet).bytes()));
}

Matcher<const Outcome&> Tells(lb_verdict verdict, const Packet& packet) {
  return AllOf(counts(verdict), acts(is_on_tc() ? kSentByTc : uint32_t{XDP_TX}),
               leaves_as(packet.bytes()));
}

Matcher<const Outcome&> Passes(lb_verdict verdict) {
  return AllOf(counts(verdict), acts(XDP_PASS), IsUntouched());
}

Matcher<const Outcome&> Drops(lb_verdict verdict) { return AllOf(counts(verdict), acts(XDP_DROP)); }

Matcher<const Outcome&> HandsOver(lb_verdict verdict, const Packet& packet) {
  return AllOf(counts(verdict), acts(XDP_PASS), leaves_as(packet.bytes()));
}

}  // namespace test
