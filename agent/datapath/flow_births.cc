#include "agent/datapath/flow_births.h"

#include "bpf/flow_layout.h"

namespace datapath {

namespace {

// Longer than from one pass over the table to the next, by far.
constexpr size_t kSamples = 30000 / LB_TICK_MS;

size_t table_of(const FlowLines& lines) { return lines.family() == base::Family::ipv6 ? 1 : 0; }

uint32_t generation_of(uint64_t word) { return static_cast<uint32_t>(word >> 32); }

}  // namespace

// calloc: pages that nobody writes are not there.
FlowBirths::FlowBirths(const FlowMemory& memory) : memory_(&memory), cpus_(memory.info().cpus) {
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    const FlowLines& lines = memory.lines(family);
    births_[table_of(lines)].reset(static_cast<Birth*>(std::calloc(lines.count(), sizeof(Birth))));
  }
  sample();
}

void FlowBirths::sample() {
  const uint32_t tick = shared(memory_->clock().tick).load();
  if (!samples_.empty() && samples_.back().tick == tick) return;
  Sample now{tick, {}};
  now.rings.reserve(size_t{2} * cpus_);
  for (uint32_t cpu = 0; cpu < cpus_; cpu++)
    for (uint32_t& ring : memory_->cpus()[cpu].ring) now.rings.push_back(shared(ring).load());
  samples_.push_back(std::move(now));
  if (samples_.size() > kSamples) samples_.pop_front();
}

void FlowBirths::met(const FlowLines& lines, uint32_t forward, uint64_t word) {
  Birth* birth = const_cast<Birth*>(birth_at(lines, forward));
  if (birth == nullptr) return;
  // The first generation of a line is zero, as what was never written is.
  if (birth->generation == generation_of(word) && birth->tick != kNotMet) return;
  *birth = {generation_of(word), birth_of(lines, word)};
}

const FlowBirths::Birth* FlowBirths::birth_at(const FlowLines& lines, uint32_t forward) const {
  const auto& births = births_[table_of(lines)];
  return births && forward < lines.count() ? &births[forward] : nullptr;
}

std::optional<uint32_t> FlowBirths::of(const FlowLines& lines, uint32_t forward,
                                       uint64_t word) const {
  const Birth* birth = birth_at(lines, forward);
  if (birth == nullptr || birth->generation != generation_of(word)) return std::nullopt;
  if (birth->tick == kNotMet || birth->tick == kBefore) return std::nullopt;
  return birth->tick;
}

// The last flow that took this position is the one: it was met in the first pass after it began,
// and until then its ring cannot have come round, or this position's flow would be a younger one.
uint32_t FlowBirths::birth_of(const FlowLines& lines, uint64_t word) const {
  const auto length = static_cast<uint32_t>(lines.half().size()) / cpus_;
  const uint32_t position = lb_word_position(word);
  if (length == 0 || position / length >= cpus_) return kBefore;
  const size_t ring = size_t{position / length} * 2 + table_of(lines);
  const uint32_t taken = shared(memory_->cpus()[position / length].ring[table_of(lines)]).load();
  // Counted from the first flow of the ring: which one it was.
  const uint32_t number = taken - 1 - ((taken - 1 - position) & (length - 1));
  const auto had_begun = [&](const Sample& sample) {
    return static_cast<int32_t>(sample.rings[ring] - number) > 0;
  };
  if (had_begun(samples_.front())) return kBefore;
  for (const Sample& sample : samples_)
    if (had_begun(sample)) return sample.tick;
  return shared(memory_->clock().tick).load();
}

}  // namespace datapath
