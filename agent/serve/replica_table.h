// ReplicaTable: the flow table of this node as the other node of its pair sees it. Lives on the
// loop's thread, as the flow table does.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/datapath/flow_copy.h"
#include "agent/datapath/flow_names.h"
#include "agent/datapath/flow_replica.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/ring_reader.h"
#include "agent/pair/flows.h"

namespace serve {

class ReplicaTable final : public pair::FlowSource, public pair::FlowSink {
 public:
  // What is not here so long after await() does not come any more.
  static constexpr std::chrono::seconds kAwaits{3};

  // `flows` outlives it.
  ReplicaTable(datapath::FlowTable& flows, datapath::FlowReplica replica,
               datapath::ChangeRing changes)
      : flows_(flows), replica_(std::move(replica)), changes_(std::move(changes)) {}

  // What listeners and members are called here.
  void learn(datapath::FlowNames names) { names_ = std::move(names); }
  // Open flows of the last whole walk over this table that the other node could not go on with:
  // their address towards the member stays here.
  uint64_t not_movable() const { return not_movable_; }

  // Whether the flow of this forward line could go on at the other node.
  bool moves(base::Family family, uint32_t line) const;
  // The flow of this forward line has had packets here: what these say of its numbers counts now,
  // as of any flow, and no longer what the other node had told.
  void own(base::Family family, uint32_t line) const;

  void begin() override;
  void finish() override;
  std::vector<pair::Name> changes() override;
  uint64_t changes_lost() override;
  std::optional<pair::Flow> read(const pair::Name& name) override;
  std::optional<uint64_t> slice(uint64_t at, size_t lines, std::vector<pair::Flow>& into) override;
  void answered(std::vector<pair::Flow>& into) override;

  std::vector<pair::Taken> take(std::span<const pair::Flow> flows, Conflict conflict) override;
  Refreshed refresh(const pair::Place& place, const pair::Flow& flow) override;
  void end(base::Family family, std::span<const pair::Place> places) override;
  void await() override;

 private:
  datapath::FlowReplica::Wish wish_of(const pair::Flow& flow,
                                      const datapath::FlowNames::Ids& ids) const;

  datapath::FlowTable& flows_;
  datapath::FlowReplica replica_;
  datapath::ChangeRing changes_;
  datapath::FlowNames names_;
  uint64_t not_movable_ = 0, counting_ = 0;  // counting: by the walk that goes on
};

}  // namespace serve
