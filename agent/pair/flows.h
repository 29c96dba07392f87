// FlowSource, FlowSink: a node's flow table as its pair sees it. The agent implements both over the
// datapath, tests with a fake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/pair/flow_book.h"
#include "agent/pair/frames.h"

namespace pair {

class FlowSource {
 public:
  virtual ~FlowSource() = default;
  // Somebody wants to know of changes from now on, or nobody does.
  virtual void begin() = 0;
  virtual void finish() = 0;
  // Flows that have begun, changed their state or ended since the last call, in that order.
  virtual std::vector<Name> changes() = 0;
  // How many of these there was no room for, since the table exists. Asked before changes().
  virtual uint64_t changes_lost() = 0;
  // As it is now; nullopt: it is over, or not open.
  virtual std::optional<Flow> read(const Name& name) = 0;
  // Appends what is open among so many lines, from `at` on: 0 is the first. Where to go on;
  // nullopt: that were the last ones.
  virtual std::optional<uint64_t> slice(uint64_t at, size_t lines, std::vector<Flow>& into) = 0;
  // Appends connections that their member has answered and their client not yet, as if they were
  // open: what the client says next may come to the other node.
  virtual void answered(std::vector<Flow>& into) = 0;
};

// Why a flow is not here.
enum class Refusal : uint8_t {
  unknown,      // its listener or member is not
  not_movable,  // its address towards the member stays at the other node
  taken,        // a flow of this node has its addresses and ports
  no_room,      // the table is full where it would be
};
inline constexpr size_t kRefusals = 4;

struct Taken {
  std::optional<Place> place;
  Refusal why = Refusal::unknown;  // without a place
};

class FlowSink {
 public:
  enum class Conflict : uint8_t {
    theirs_stays,  // the flow that came
    ours_stays,    // a flow that is here
  };
  enum class Refreshed : uint8_t { same, changed, gone };

  virtual ~FlowSink() = default;
  // In their order; a flow that is here already, alike in all, has its place. As many answers as
  // there are flows.
  virtual std::vector<Taken> take(std::span<const Flow> flows, Conflict conflict) = 0;
  // Is the flow still there, and in this state? Its numbers are kept up, no more.
  virtual Refreshed refresh(const Place& place, const Flow& flow) = 0;
  // Those that are still there end, and nobody is told.
  virtual void end(base::Family family, std::span<const Place> places) = 0;
  // The VIPs come, or have come: packets may be ahead of what is told of their flows. For some
  // seconds nobody is refused for having none.
  virtual void await() = 0;
};

}  // namespace pair
