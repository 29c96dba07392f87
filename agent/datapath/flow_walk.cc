#include "agent/datapath/flow_walk.h"

#include <arpa/inet.h>

#include <algorithm>

#include "bpf/flow_layout.h"

namespace datapath {
namespace {

base::Endpoint endpoint(base::Family family, __be32 four, const lb_addr& six, __be16 port) {
  const bool ipv6 = family == base::Family::ipv6;
  const auto* bytes = reinterpret_cast<const uint8_t*>(ipv6 ? six.ip : &four);
  return {base::IpAddress::from_bytes(family, bytes), ntohs(port)};
}

std::chrono::milliseconds idle(uint32_t seen, uint32_t now) {
  const auto ticks = static_cast<int32_t>(now - seen);
  return std::chrono::milliseconds(int64_t{std::max(ticks, 0)} * LB_TICK_MS);
}

FlowRecord record(base::Family family, const lb_flow6& forward, const lb_flow& reply,
                  uint32_t now) {
  const lb_flow& line = forward.line;
  FlowRecord flow;
  flow.protocol = line.tuple.proto;
  const uint32_t state = lb_word_state(line.word);
  flow.state =
      static_cast<lb_flow_state>(state == LB_FLOW_DEAD ? lb_word_died_as(line.word) : state);
  flow.client = endpoint(family, line.tuple.src, forward.src, line.tuple.sport);
  flow.vip = endpoint(family, line.tuple.dst, forward.dst, line.tuple.dport);
  flow.snat = endpoint(family, line.rewrite.src, forward.new_src, line.rewrite.sport);
  flow.member = endpoint(family, line.rewrite.dst, forward.new_dst, line.rewrite.dport);
  flow.service = line.owner;
  flow.backend = reply.owner;
  flow.nexthop_out = line.nexthop & LB_NEXTHOP_ID;
  flow.nexthop_back = reply.nexthop & LB_NEXTHOP_ID;
  flow.idle_client = idle(line.seen, now);
  flow.idle_member = idle(reply.seen, now);
  flow.bytes_in = line.bytes;
  flow.bytes_out = lb_counts_answers(&line, flow.state) != 0 ? reply.bytes : 0;
  return flow;
}

}  // namespace

FlowRecord record_of(const FlowLines& lines, uint32_t forward, uint32_t reply, uint32_t now) {
  return record(lines.family(), copy_line(lines, forward), copy_line(lines, reply).line, now);
}

FlowRecord record_of(base::Family family, const WholeFlow& flow, uint32_t now) {
  return record(family, flow.forward, flow.reply.line, now);
}

FlowWalk::Progress FlowWalk::slice(size_t lines, const Visit& visit) {
  const FlowLines& four = memory_->lines(base::Family::ipv4);
  const FlowLines& six = memory_->lines(base::Family::ipv6);
  const uint64_t all = uint64_t{four.count()} + six.count();
  const uint32_t now = shared(memory_->clock().tick).load();
  for (const uint64_t end = std::min(position_ + lines, all); position_ < end; position_++) {
    const bool first = position_ < four.count();
    const auto index = static_cast<uint32_t>(first ? position_ : position_ - four.count());
    const FlowLines& table = first ? four : six;
    if (const auto flow = copy_flow(table, index)) visit(record_of(table.family(), *flow, now));
  }
  return position_ < all ? Progress::more : Progress::done;
}

}  // namespace datapath
