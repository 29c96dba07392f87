// FlowWitness: is told of flows by FlowTable, on its thread. It may look, and changes nothing.
#pragma once

#include "agent/datapath/flow_memory.h"
#include "agent/datapath/flow_policy.h"
#include "agent/datapath/flow_record.h"

namespace datapath {

// A flow that is over, with all that it ever carried.
struct EndedFlow {
  FlowRecord record;             // its state: the last one that it was alive in
  Expiry expiry = Expiry::keep;  // keep: an agent before this one ended it, and did not tell why
  bool is_answered = false;      // by the member; TCP: with its SYN-ACK
  // Where the state says that both ends had the connection. TCP: the number of the next byte that
  // each would have sent; SCTP: the tag that each has chosen, 0 if it is not known.
  uint32_t next_client = 0, next_member = 0;
};

class FlowWitness {
 public:
  virtual ~FlowWitness() = default;
  // The clock of the table may have advanced.
  virtual void ticked() = 0;
  // A live flow, once in each pass: its forward line, and the word of it.
  virtual void met(const FlowLines& lines, uint32_t forward, uint64_t word) = 0;
  // Its lines are being given back. `word`: of the same generation as when it was met.
  virtual void ended(const FlowLines& lines, uint32_t forward, uint64_t word,
                     const EndedFlow& flow) = 0;
};

}  // namespace datapath
