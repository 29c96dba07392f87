// Sender: what is told to the other node, and when. Changes come first, then the next slice of the
// walk: whatever is read later is newer, so nothing has to be kept for a second time. In doubt
// (the channel is new, changes were lost, the other node asks) it walks again. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/pair/flows.h"
#include "agent/pair/frames.h"

namespace pair {

using Time = std::chrono::steady_clock::time_point;

class Sender {
 public:
  enum class Tells : uint8_t {
    nothing,  // both nodes are active: each has flows of its own, or the other one's role is
              // unknown
    changes,  // a node that has no VIPs: of flows that still change here
    all,      // the active node, to its standby
  };
  // A walk tells what no change has: numbers of flows, and those that the agent's sweep has ended.
  static constexpr std::chrono::seconds kWalkEvery{10};
  static constexpr std::chrono::seconds kWalkAtMostEvery{1};
  static constexpr size_t kSlice = 16384;  // lines: about a millisecond

  // `source` outlives it.
  explicit Sender(FlowSource& source) : source_(&source) {}

  // The channel is new: changes until now are told by the walk that follows.
  void begin();
  void finish() { source_->finish(); }
  // Appends frames; nothing, if there is nothing to tell. A walk begins whenever `tells` becomes
  // `all`.
  void produce(Time now, Tells tells, std::string& out);
  void walk_soon(Time now);
  // What is not open yet and may open at the other node is told, too, once.
  void tell_answered() { tells_answered_ = true; }

  // To be called again at once: a walk goes on.
  bool has_more() const { return at_.has_value(); }
  uint64_t records() const { return records_; }  // flows and ends, since begin()
  uint64_t walks() const { return walks_; }      // that were begun, ever
  // Records that the first whole walk was told with, since begin() or since `tells` became `all`;
  // nullopt: it has not ended yet.
  std::optional<uint64_t> walked() const { return walked_; }
  uint64_t lost() const { return lost_; }  // changes, since the table exists

 private:
  void tell_changes(std::string& out);
  void tell(const std::vector<Flow>& flows, std::string& out);
  void walk(Time now, std::string& out);

  FlowSource* source_;
  std::optional<uint64_t> at_;  // where the walk goes on; nullopt: there is none
  std::optional<Time> last_;    // when the last one began
  std::optional<uint64_t> walked_;
  Time next_{};
  Tells tells_ = Tells::nothing;
  bool tells_answered_ = false;
  uint64_t records_ = 0, walks_ = 0, lost_ = 0;
};

}  // namespace pair
