#include "agent/datapath/flow_walk.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "bpf/flow_layout.h"

namespace datapath {
namespace {

// Word by word: what programs write at the same time is old or new, never undefined.
template <class Line>
Line copy(Line& line) {
  std::array<uint64_t, sizeof(Line) / sizeof(uint64_t)> words;
  auto* from = reinterpret_cast<uint64_t*>(&line);
  for (size_t i = 0; i < words.size(); i++)
    words[i] = shared(from[i]).load(std::memory_order_acquire);
  return std::bit_cast<Line>(words);
}

lb_flow6 copy_line(const FlowLines& lines, uint32_t index) {
  lb_flow6 line{};
  if (lines.family() == base::Family::ipv6)
    line = copy(lines.line6(index));
  else
    line.line = copy(lines.line(index));
  return line;
}

// The line as it was in one generation; nullopt: it changed hands while it was read.
std::optional<lb_flow6> read_line(const FlowLines& lines, uint32_t index) {
  const lb_flow6 line = copy_line(lines, index);
  if (!lb_word_same_generation(shared(lines.line(index).word).load(), line.line.word))
    return std::nullopt;
  return line;
}

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

std::optional<FlowRecord> read_flow(const FlowLines& lines, uint32_t index, uint32_t now) {
  if (!lb_word_is_forward(shared(lines.line(index).word).load())) return std::nullopt;
  const auto forward = read_line(lines, index);
  if (!forward || !lb_word_is_forward(forward->line.word) || forward->line.peer >= lines.count())
    return std::nullopt;
  const auto reply = read_line(lines, forward->line.peer);
  if (!reply || reply->line.peer != index) return std::nullopt;
  // As long as the forward line is this flow's, the reply line is.
  if (!lb_word_same_generation(shared(lines.line(index).word).load(), forward->line.word))
    return std::nullopt;
  return record(lines.family(), *forward, reply->line, now);
}

}  // namespace

FlowRecord record_of(const FlowLines& lines, uint32_t forward, uint32_t reply, uint32_t now) {
  return record(lines.family(), copy_line(lines, forward), copy_line(lines, reply).line, now);
}

FlowWalk::Progress FlowWalk::slice(size_t lines, const Visit& visit) {
  const FlowLines& four = memory_->lines(base::Family::ipv4);
  const FlowLines& six = memory_->lines(base::Family::ipv6);
  const uint64_t all = uint64_t{four.count()} + six.count();
  const uint32_t now = shared(memory_->clock().tick).load();
  for (const uint64_t end = std::min(position_ + lines, all); position_ < end; position_++) {
    const bool first = position_ < four.count();
    const auto index = static_cast<uint32_t>(first ? position_ : position_ - four.count());
    if (auto flow = read_flow(first ? four : six, index, now)) visit(*flow);
  }
  return position_ < all ? Progress::more : Progress::done;
}

}  // namespace datapath
