// FlowReplica: puts flows of another node into the table, and ends them again, by programs
// (bpf/replica.bpf.c): with the locks of packets, and no other ones. Like FlowTable, one thread at
// a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/datapath/flow_memory.h"
#include "agent/datapath/map_memory.h"
#include "agent/datapath/program.h"
#include "base/result.h"
#include "bpf/handover.h"
#include "bpf/replica.h"

namespace datapath {

class FlowReplica {
 public:
  // A forward line in one of its generations.
  struct Place {
    uint32_t line = 0;
    uint32_t generation = 0;
  };
  enum class Conflict : uint8_t { theirs_stays, ours_stays };
  enum class Fate : uint8_t {
    taken,    // or it was here, alike in all
    refused,  // a flow that is here has its addresses and ports, and stays
    no_room,
  };
  struct Taken {
    Fate fate = Fate::refused;
    Place place;
  };
  // Both lines as they are to be; of words, the state alone counts.
  struct Wish {
    lb_flow6 forward{}, reply{};
  };

  // `memory` outlives it.
  static base::Result<FlowReplica> map(ReplicaPrograms programs, const FlowMemory& memory);

  // In their order, all of one family or not. An error: what is missing in the answer was not
  // tried.
  base::Result<std::vector<Taken>> take(std::span<const Wish> flows, Conflict conflict);
  // Those that are still of their generation.
  base::Status end(base::Family family, std::span<const Place> places);

 private:
  FlowReplica(ReplicaPrograms programs, const FlowMemory& memory)
      : programs_(std::move(programs)), memory_(&memory) {}
  lb_take* takes() const { return reinterpret_cast<lb_take*>(takes_.first()); }
  base::Status run(int program, size_t flows) const;
  base::Status try_all(size_t flows);
  base::Result<Taken> settle(const lb_take& tried, Conflict conflict);
  base::Status make_way(const FlowLines& lines, const lb_take& tried);
  base::Status end_at(const FlowLines& lines, uint32_t forward);

  ReplicaPrograms programs_;
  const FlowMemory* memory_;
  MapMemory takes_, ends_;
};

}  // namespace datapath
