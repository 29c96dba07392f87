#include "agent/datapath/flow_copy.h"

#include <array>
#include <bit>
#include <cstring>

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

// The line as it was in one generation; nullopt: it changed hands while it was read.
std::optional<lb_flow6> read_line(const FlowLines& lines, uint32_t index) {
  const lb_flow6 line = copy_line(lines, index);
  if (!lb_word_same_generation(shared(lines.line(index).word).load(), line.line.word))
    return std::nullopt;
  return line;
}

bool is_same(const FlowLines& lines, const lb_flow6& a, const lb_flow6& b) {
  return std::memcmp(&a.line.tuple, &b.line.tuple, sizeof(a.line.tuple)) == 0 &&
         (lines.family() == base::Family::ipv4 ||
          std::memcmp(&a.src, &b.src, 2 * sizeof(a.src)) == 0);
}

uint32_t scan(const FlowLines& lines, uint32_t preferred, const lb_flow6& like) {
  for (uint32_t i = 0; i < LB_FLOW_WAYS; i++) {
    const auto line = read_line(lines, preferred ^ i);
    if (line && lb_word_is_live(line->line.word) && is_same(lines, *line, like))
      return preferred ^ i;
  }
  return LB_FLOW_NONE;
}

}  // namespace

lb_flow6 copy_line(const FlowLines& lines, uint32_t index) {
  lb_flow6 line{};
  if (lines.family() == base::Family::ipv6)
    line = copy(lines.line6(index));
  else
    line.line = copy(lines.line(index));
  return line;
}

std::optional<WholeFlow> copy_flow(const FlowLines& lines, uint32_t index) {
  if (!lb_word_is_forward(shared(lines.line(index).word).load())) return std::nullopt;
  const auto forward = read_line(lines, index);
  if (!forward || !lb_word_is_forward(forward->line.word) || forward->line.peer >= lines.count())
    return std::nullopt;
  const auto reply = read_line(lines, forward->line.peer);
  if (!reply || reply->line.peer != index) return std::nullopt;
  // As long as the forward line is this flow's, the reply line is.
  if (!lb_word_same_generation(shared(lines.line(index).word).load(), forward->line.word))
    return std::nullopt;
  return WholeFlow{*forward, *reply};
}

uint32_t find_line(const FlowLines& lines, uint64_t seed, const lb_flow6& like) {
  const uint64_t hash = lb_hash_tuple(&like.line.tuple, seed);
  const uint32_t home = lb_home_line(hash, lines.count());
  const uint32_t found = scan(lines, home, like);
  const uint32_t lock = shared(lines.buckets()[home / LB_FLOW_WAYS].lock).load();
  if (found != LB_FLOW_NONE || (lock & LB_BUCKET_SPILLED) == 0) return found;
  return scan(lines, lb_second_line(hash, lines.count()), like);
}

}  // namespace datapath
