// OldFlows: the flow table of an older ABI version in this process's memory, read line by line as
// if it were of this one. Programs of that version change it all the time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "agent/datapath/flow_memory.h"
#include "agent/datapath/layout.h"
#include "agent/datapath/map_memory.h"
#include "agent/datapath/old_maps.h"
#include "base/result.h"

namespace datapath {

class OldFlows {
 public:
  // The word and the state are ours; `peer` is a line's index there.
  struct Flow {
    lb_flow6 forward{}, reply{};
  };

  // `maps` must outlive it.
  static base::Result<OldFlows> map(const OldMaps& maps);

  uint32_t count(base::Family family) const { return table(family).count; }
  // The flow of a live forward line, both lines as they were at one moment; nullopt: none.
  std::optional<Flow> flow(base::Family family, uint32_t forward) const;
  // A line as it is now, whosoever it is.
  lb_flow6 line(base::Family family, uint32_t index) const;
  // The flow is not theirs any more, if it is still in this word (ours); false: it has changed.
  bool let_go(base::Family family, uint32_t forward, uint64_t word) const;

 private:
  struct Table {
    MapMemory memory;
    size_t stride = 0;  // bytes
    uint32_t count = 0;
    Translation translation;
    size_t word = 0;  // its offset
  };

  explicit OldFlows(const OldMaps& maps) : maps_(&maps) {}
  base::Status map_family(base::Family family);
  const Table& table(base::Family family) const { return tables_[family == base::Family::ipv6]; }
  __u64& word(const Table& table, uint32_t index) const;
  uint64_t ours(uint64_t old) const;
  uint64_t theirs(uint64_t word) const;

  const OldMaps* maps_;
  std::array<Table, 2> tables_;
};

}  // namespace datapath
