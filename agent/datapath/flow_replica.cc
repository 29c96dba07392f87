#include "agent/datapath/flow_replica.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "agent/datapath/flow_copy.h"
#include "agent/datapath/take_run.h"
#include "bpf/flow_layout.h"

namespace datapath {
namespace {

using base::Error;
using base::Family;
using base::Result;
using base::Status;
using base::Unit;

Family family_of(const lb_take& flow) {
  return flow.forward.line.tuple.family == LB_IPV6 ? Family::ipv6 : Family::ipv4;
}

bool same_rewrite(const lb_flow6& a, const lb_flow6& b) {
  return std::memcmp(&a.line.rewrite, &b.line.rewrite, sizeof(a.line.rewrite)) == 0 &&
         std::memcmp(&a.new_src, &b.new_src, 2 * sizeof(a.new_src)) == 0;
}

// The client's packets and the member's become the same ones, and it counts where it did.
bool is_alike(const WholeFlow& here, const lb_take& wish) {
  return same_rewrite(here.forward, wish.forward) && same_rewrite(here.reply, wish.reply) &&
         here.forward.line.owner == wish.forward.line.owner &&
         here.reply.line.owner == wish.reply.line.owner;
}

}  // namespace

Result<FlowReplica> FlowReplica::map(ReplicaPrograms programs, const FlowMemory& memory) {
  FlowReplica replica(std::move(programs), memory);
  auto takes =
      MapMemory::map(replica.programs_.takes.get(), "lb_takes", sizeof(lb_take), LB_REPLICA_TAKES);
  if (!takes) return takes.error();
  replica.takes_ = std::move(*takes);
  auto ends =
      MapMemory::map(replica.programs_.ends.get(), "lb_ends", sizeof(lb_end), LB_REPLICA_ENDS);
  if (!ends) return ends.error();
  replica.ends_ = std::move(*ends);
  return replica;
}

Status FlowReplica::run(int program, size_t flows) const {
  const lb_replica_run packet{.flows = static_cast<uint32_t>(flows), .zero = {}};
  const auto* bytes = reinterpret_cast<const uint8_t*>(&packet);
  return run_program(program, "put flows into the table", {bytes, sizeof(packet)});
}

// The first so many of lb_takes. Those whose bucket was locked are tried again, alone.
Status FlowReplica::try_all(size_t flows) {
  if (auto done = run(programs_.take_flows.get(), flows); !done) return done;
  for (size_t i = 0; i < flows; i++) {
    if (takes()[i].result != LB_TAKE_BUSY) continue;
    std::swap(takes()[0], takes()[i]);
    const auto taken = take_unlocked([this]() -> Result<int32_t> {
      if (auto done = run(programs_.take_flows.get(), 1); !done) return done.error();
      return takes()[0].result;
    });
    std::swap(takes()[0], takes()[i]);
    if (!taken) return taken.error();
  }
  return Unit{};
}

Result<std::vector<FlowReplica::Taken>> FlowReplica::take(std::span<const Wish> flows,
                                                          Conflict conflict) {
  std::vector<Taken> all;
  all.reserve(flows.size());
  for (size_t first = 0; first < flows.size(); first += LB_REPLICA_TAKES) {
    const auto some =
        flows.subspan(first, std::min<size_t>(LB_REPLICA_TAKES, flows.size() - first));
    for (size_t i = 0; i < some.size(); i++) {
      takes()[i] = {};
      takes()[i].forward = some[i].forward;
      takes()[i].reply = some[i].reply;
    }
    if (auto done = try_all(some.size()); !done) return done.error();
    const std::vector<lb_take> tried(takes(), takes() + some.size());
    for (size_t i = 0; i < some.size(); i++) {
      // What is said of words is what was wished: the runs have made theirs.
      lb_take flow = tried[i];
      flow.forward.line.word = some[i].forward.line.word;
      flow.reply.line.word = some[i].reply.line.word;
      auto taken = settle(flow, conflict);
      if (!taken) return taken.error();
      all.push_back(*taken);
    }
  }
  return all;
}

Result<FlowReplica::Taken> FlowReplica::settle(const lb_take& tried, Conflict conflict) {
  if (tried.result >= 0)
    return Taken{Fate::taken, {static_cast<uint32_t>(tried.result), tried.generation}};
  if (tried.result == LB_TAKE_NO_ROOM || tried.result == LB_TAKE_BUSY)
    return Taken{Fate::no_room, {}};
  const FlowLines& lines = memory_->lines(family_of(tried));
  const uint32_t there = find_line(lines, memory_->info().seed, tried.forward);
  const auto here = there == LB_FLOW_NONE ? std::nullopt : copy_flow(lines, there);
  if (here && is_alike(*here, tried) &&
      (conflict == Conflict::ours_stays ||
       lb_word_state(here->forward.line.word) == lb_word_state(tried.forward.line.word)))
    return Taken{Fate::taken, {there, static_cast<uint32_t>(here->forward.line.word >> 32)}};
  if (conflict == Conflict::ours_stays) return Taken{Fate::refused, {}};
  if (auto done = make_way(lines, tried); !done) return done.error();
  takes()[0] = tried;
  if (auto done = try_all(1); !done) return done.error();
  const lb_take& again = takes()[0];
  if (again.result >= 0)
    return Taken{Fate::taken, {static_cast<uint32_t>(again.result), again.generation}};
  return Taken{again.result == LB_TAKE_NO_ROOM ? Fate::no_room : Fate::refused, {}};
}

// Flows that have the client's tuple here, or the member's.
Status FlowReplica::make_way(const FlowLines& lines, const lb_take& tried) {
  const uint64_t seed = memory_->info().seed;
  if (const uint32_t forward = find_line(lines, seed, tried.forward); forward != LB_FLOW_NONE)
    if (auto done = end_at(lines, forward); !done) return done;
  if (const uint32_t reply = find_line(lines, seed, tried.reply); reply != LB_FLOW_NONE)
    return end_at(lines, shared(lines.line(reply).peer).load());
  return Unit{};
}

Status FlowReplica::end_at(const FlowLines& lines, uint32_t forward) {
  if (forward >= lines.count()) return Unit{};
  const uint64_t word = shared(lines.line(forward).word).load();
  if (!lb_word_is_forward(word)) return Unit{};
  const Place place{forward, static_cast<uint32_t>(word >> 32)};
  return end(lines.family(), {&place, 1});
}

Status FlowReplica::end(Family family, std::span<const Place> places) {
  auto* ends = reinterpret_cast<lb_end*>(ends_.first());
  for (size_t first = 0; first < places.size(); first += LB_REPLICA_ENDS) {
    const auto some =
        places.subspan(first, std::min<size_t>(LB_REPLICA_ENDS, places.size() - first));
    for (size_t i = 0; i < some.size(); i++)
      ends[i] = {.line = some[i].line,
                 .family = static_cast<uint32_t>(family),
                 .generation = some[i].generation,
                 .ended = 0};
    if (auto done = run(programs_.end_flows.get(), some.size()); !done) return done;
  }
  return Unit{};
}

}  // namespace datapath
