// FlowBirths: when flows began, of which their lines say nothing. Each took a position in a ring of
// half-open flows, and how far the rings are is noted with the time: to a tick, as long as the
// agent runs. Reads the table's memory and changes nothing in it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "agent/datapath/flow_memory.h"

namespace datapath {

class FlowBirths {
 public:
  // `memory` must outlive it. Room for every line is taken only as far as flows are met.
  explicit FlowBirths(const FlowMemory& memory);

  // How far the rings are now. To be called when the clock may have advanced.
  void sample();
  // A live flow, in each pass over the table.
  void met(const FlowLines& lines, uint32_t forward, uint64_t word);
  // The tick; nullopt: it began before this did, or was never met.
  std::optional<uint32_t> of(const FlowLines& lines, uint32_t forward, uint64_t word) const;

 private:
  struct Birth {
    uint32_t generation;
    uint32_t tick;
  };
  static constexpr uint32_t kNotMet = 0;  // the clock begins at 1
  static constexpr uint32_t kBefore = 0xffffffff;
  struct Free {
    void operator()(Birth* births) const { std::free(births); }
  };
  struct Sample {
    uint32_t tick;
    std::vector<uint32_t> rings;  // of each CPU: IPv4, IPv6
  };

  uint32_t birth_of(const FlowLines& lines, uint64_t word) const;
  const Birth* birth_at(const FlowLines& lines, uint32_t forward) const;

  const FlowMemory* memory_;
  uint32_t cpus_;
  std::deque<Sample> samples_;  // the oldest first
  std::unique_ptr<Birth[], Free> births_[2];
};

}  // namespace datapath
