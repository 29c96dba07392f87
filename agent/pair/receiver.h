// Receiver: what a node does with what it is told. Until it has the VIPs, its table is to be as the
// other node's; from then on what is here is its own, and only what is not here yet is taken. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "agent/pair/flow_book.h"
#include "agent/pair/flows.h"
#include "agent/pair/frames.h"
#include "base/result.h"

namespace pair {

class Receiver {
 public:
  struct Counts {
    uint64_t taken = 0, ended = 0;  // flows, ever
    std::array<uint64_t, kRefusals> refused{};
  };

  // `sink` outlives it. `ours`: this node's tables.
  Receiver(FlowSink& sink, const TableSizes& ours) : sink_(&sink), ours_(ours) {}

  // The channel is new. Names of the same set of maps keep their meaning.
  base::Status begin(const Hello& hello);
  // Nothing more comes.
  void finish();
  void set_role(Role role);

  // An error: the other node says what it cannot mean.
  base::Status take(const Flows& frame);
  base::Status take(const Ends& frame);
  base::Status take(const WalkBegin& frame);
  base::Status take(const WalkEnd& frame);
  base::Status take(const Leaving& frame);

  // Whether a forward line of this node is one of the other node's flows.
  bool has(base::Family family, uint32_t line) const { return book_ && book_->has(family, line); }
  size_t size() const { return book_ ? book_->size() : 0; }
  // A whole walk has come in over this channel.
  bool has_whole_walk() const { return has_whole_walk_; }
  // Flows that have no place here, of the last whole walk and since.
  uint32_t unknown() const { return is_walking_ ? std::max(unknown_, unknown_before_) : unknown_; }
  uint64_t records() const { return records_; }  // flows and ends, since begin()
  const Counts& counts() const { return counts_; }

 private:
  void open_book();
  void place(std::span<const Flow> flows);

  FlowSink* sink_;
  TableSizes ours_;
  std::optional<Hello> peer_;     // as it has said last
  std::optional<FlowBook> book_;  // of a standby, of the peer's maps
  Role role_ = Role::standby;
  bool is_walking_ = false, has_whole_walk_ = false;
  uint32_t unknown_ = 0, unknown_before_ = 0;  // before: until the walk began that goes on
  uint64_t records_ = 0;
  Counts counts_;
};

}  // namespace pair
