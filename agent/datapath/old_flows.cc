#include "agent/datapath/old_flows.h"

#include <string>
#include <utility>
#include <vector>

#include "bpf/flow_layout.h"

namespace datapath {
namespace {

using base::Error;
using base::Family;
using base::Result;
using base::Status;
using base::Unit;

}  // namespace

Result<OldFlows> OldFlows::map(const OldMaps& maps) {
  OldFlows flows(maps);
  for (const Family family : {Family::ipv4, Family::ipv6})
    if (auto mapped = flows.map_family(family); !mapped) return mapped.error();
  return flows;
}

Status OldFlows::map_family(Family family) {
  const char* const name = family == Family::ipv6 ? kFlows6.name : kFlows.name;
  const bpf_map_info& info = maps_->info(name);
  const Layout& layout = maps_->layout(name);
  const Layout::Field* word = layout.find(family == Family::ipv6 ? "line.word" : "word");
  if (word == nullptr || word->size != sizeof(uint64_t) || word->offset % sizeof(uint64_t) != 0)
    return Error{0, std::string("map ") + name + " of the older version has no words"};
  const size_t stride = (info.value_size + 7) / 8 * 8;
  auto memory = MapMemory::map(maps_->fd(name), name, stride, info.max_entries);
  if (!memory) return memory.error();
  Table table{.memory = std::move(*memory),
              .stride = stride,
              .count = info.max_entries,
              .translation = maps_->translation(name),
              .word = word->offset};
  tables_[family == Family::ipv6] = std::move(table);
  return Unit{};
}

__u64& OldFlows::word(const Table& table, uint32_t index) const {
  return *reinterpret_cast<__u64*>(table.memory.first() + index * table.stride + table.word);
}

uint64_t OldFlows::ours(uint64_t old) const {
  return lb_word_with_state(old, maps_->state_of(lb_word_state(old)));
}

uint64_t OldFlows::theirs(uint64_t word) const {
  return lb_word_with_state(word, maps_->state_there(lb_word_state(word)));
}

// Word by word: what programs write at the same time is old or new, never undefined.
lb_flow6 OldFlows::line(Family family, uint32_t index) const {
  const Table& from = table(family);
  std::vector<uint64_t> words(from.stride / sizeof(uint64_t));
  auto* first = reinterpret_cast<__u64*>(from.memory.first() + index * from.stride);
  for (size_t i = 0; i < words.size(); i++)
    words[i] = shared(first[i]).load(std::memory_order_acquire);
  lb_flow6 line{};
  from.translation.copy(reinterpret_cast<const uint8_t*>(words.data()),
                        reinterpret_cast<uint8_t*>(&line));
  line.line.word = ours(line.line.word);
  return line;
}

std::optional<OldFlows::Flow> OldFlows::flow(Family family, uint32_t forward) const {
  const Table& from = table(family);
  const auto still = [&](uint32_t index, uint64_t read) {
    return lb_word_same_generation(shared(word(from, index)).load(), read) != 0;
  };
  if (lb_word_is_forward(ours(shared(word(from, forward)).load())) == 0) return std::nullopt;
  Flow flow;
  flow.forward = line(family, forward);
  const lb_flow& line_there = flow.forward.line;
  if (!still(forward, line_there.word) || lb_word_is_forward(line_there.word) == 0 ||
      line_there.peer >= from.count)
    return std::nullopt;
  flow.reply = line(family, line_there.peer);
  // As long as the forward line is this flow's, the reply line is.
  if (flow.reply.line.peer != forward || !still(line_there.peer, flow.reply.line.word) ||
      !still(forward, line_there.word))
    return std::nullopt;
  return flow;
}

bool OldFlows::let_go(Family family, uint32_t forward, uint64_t word_now) const {
  __u64 expected = theirs(word_now);
  const uint64_t dead = (word_now & LB_WORD_GENERATION) |
                        uint64_t{lb_word_state(expected)} << LB_WORD_POSITION_SHIFT |
                        maps_->state_there(LB_FLOW_DEAD);
  return shared(word(table(family), forward)).compare_exchange_strong(expected, dead);
}

}  // namespace datapath
