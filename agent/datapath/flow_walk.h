// FlowWalk: reads all flows, a slice at a time, while programs go on changing them. A record is
// whole: both lines were one flow's all the time they were read.
#pragma once

#include <cstdint>
#include <functional>

#include "agent/datapath/flow_copy.h"
#include "agent/datapath/flow_memory.h"
#include "agent/datapath/flow_record.h"

namespace datapath {

// Both lines belong to nobody but the caller: the agent owns them, or nothing else runs.
FlowRecord record_of(const FlowLines& lines, uint32_t forward, uint32_t reply, uint32_t now);
FlowRecord record_of(base::Family family, const WholeFlow& flow, uint32_t now);

// A flow that lives during the whole walk is visited once; one that comes or goes may be missed.
class FlowWalk {
 public:
  enum class Progress { more, done };
  using Visit = std::function<void(const FlowRecord&)>;

  // `memory` must outlive it.
  explicit FlowWalk(const FlowMemory& memory) : memory_(&memory) {}

  // Looks at so many further lines.
  Progress slice(size_t lines, const Visit& visit);

 private:
  const FlowMemory* memory_;
  uint64_t position_ = 0;
};

}  // namespace datapath
