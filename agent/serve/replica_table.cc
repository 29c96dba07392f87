#include "agent/serve/replica_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "agent/datapath/abi.h"
#include "agent/datapath/flow_walk.h"
#include "base/log.h"
#include "bpf/flow_layout.h"

namespace serve {

namespace {

using base::Family;
using datapath::FlowLines;
using datapath::shared;
using datapath::WholeFlow;

uint32_t generation_of(uint64_t word) { return static_cast<uint32_t>(word >> 32); }

std::optional<pair::State> state_of(uint32_t state) {
  switch (state) {
    case LB_FLOW_OPEN:
      return pair::State::open;
    case LB_FLOW_CLOSING_CLIENT:
      return pair::State::closing_client;
    case LB_FLOW_CLOSING_MEMBER:
      return pair::State::closing_member;
    default:
      return std::nullopt;
  }
}

uint32_t word_of(pair::State state) {
  switch (state) {
    case pair::State::open:
      return LB_FLOW_OPEN;
    case pair::State::closing_client:
      return LB_FLOW_CLOSING_CLIENT;
    case pair::State::closing_member:
      return LB_FLOW_CLOSING_MEMBER;
  }
  return LB_FLOW_OPEN;
}

pair::Flow told_as(pair::State state, Family family, uint32_t line, const WholeFlow& whole) {
  const datapath::FlowRecord record = datapath::record_of(family, whole, 0);
  pair::Flow flow;
  flow.name = {family, line, generation_of(whole.forward.line.word)};
  flow.protocol = record.protocol;
  flow.state = state;
  flow.is_answered = lb_word_state(whole.reply.line.word) != LB_FLOW_REPLY;
  flow.client = record.client;
  flow.vip = record.vip;
  flow.snat = record.snat;
  flow.member = record.member;
  flow.next_client = whole.forward.line.next;
  flow.next_member = whole.reply.line.next;
  return flow;
}

// nullopt: it is not open.
std::optional<pair::Flow> told_of(Family family, uint32_t line, const WholeFlow& whole) {
  const auto state = state_of(lb_word_state(whole.forward.line.word));
  if (!state) return std::nullopt;
  return told_as(*state, family, line, whole);
}

// Its client is what is waited for.
bool is_answered(const WholeFlow& whole) {
  return whole.forward.line.tuple.proto == IPPROTO_TCP &&
         lb_word_state(whole.forward.line.word) == LB_FLOW_HALF_OPEN &&
         lb_word_state(whole.reply.line.word) == LB_FLOW_REPLY_SEEN;
}

__u64 with_mark(__u64 word) {
  auto way = std::bit_cast<lb_way>(word);
  way.nexthop |= LB_LINE_FOREIGN;
  return std::bit_cast<__u64>(way);
}

// One direction: what comes in as from `src` to `dst` goes out as from `new_src` to `new_dst`.
void aim(lb_flow6& made, const base::Endpoint& src, const base::Endpoint& dst,
         const base::Endpoint& new_src, const base::Endpoint& new_dst) {
  lb_tuple& tuple = made.line.tuple;
  lb_rewrite& to = made.line.rewrite;
  if (src.address.family() == Family::ipv6) {
    made.src = datapath::to_abi(src.address);
    made.dst = datapath::to_abi(dst.address);
    made.new_src = datapath::to_abi(new_src.address);
    made.new_dst = datapath::to_abi(new_dst.address);
  } else {
    tuple.src = datapath::to_abi(src.address).ip[0];
    tuple.dst = datapath::to_abi(dst.address).ip[0];
    to.src = datapath::to_abi(new_src.address).ip[0];
    to.dst = datapath::to_abi(new_dst.address).ip[0];
  }
  tuple.family = datapath::to_abi(src.address.family());
  tuple.sport = htons(src.port);
  tuple.dport = htons(dst.port);
  to.sport = htons(new_src.port);
  to.dport = htons(new_dst.port);
}

}  // namespace

bool ReplicaTable::moves(Family family, uint32_t line) const {
  const FlowLines& lines = flows_.memory().lines(family);
  const auto whole = line < lines.count() ? datapath::copy_flow(lines, line) : std::nullopt;
  const auto flow = whole ? told_of(family, line, *whole) : std::nullopt;
  return flow && names_.goes_along(flow->snat.address, flow->vip.address);
}

// A line that is another flow's by now has no mark: all that set one are on this thread.
void ReplicaTable::own(Family family, uint32_t line) const {
  const FlowLines& lines = flows_.memory().lines(family);
  lb_flow* reply = line < lines.count() ? lines.peer(lines.line(line)) : nullptr;
  if (reply == nullptr) return;
  if ((shared(reply->nexthop).load() & LB_LINE_FOREIGN) != 0)
    shared(reply->nexthop).fetch_and(static_cast<__u16>(~LB_LINE_FOREIGN));
}

void ReplicaTable::begin() { flows_.set_changes(datapath::FlowTable::Changes::told); }
void ReplicaTable::finish() { flows_.set_changes(datapath::FlowTable::Changes::untold); }

std::vector<pair::Name> ReplicaTable::changes() {
  std::vector<pair::Name> names;
  changes_.read([&names](const lb_change& change) {
    names.push_back({datapath::from_abi(change.family), change.line, generation_of(change.word)});
  });
  return names;
}

uint64_t ReplicaTable::changes_lost() {
  uint64_t lost = 0;
  for (lb_flow_cpu& cpu : flows_.memory().cpus()) lost += shared(cpu.changes_lost).load();
  return lost;
}

std::optional<pair::Flow> ReplicaTable::read(const pair::Name& name) {
  const FlowLines& lines = flows_.memory().lines(name.family);
  if (name.line >= lines.count()) return std::nullopt;
  const auto whole = datapath::copy_flow(lines, name.line);
  if (!whole || generation_of(whole->forward.line.word) != name.generation) return std::nullopt;
  auto flow = told_of(name.family, name.line, *whole);
  return flow && names_.goes_along(flow->snat.address, flow->vip.address) ? flow : std::nullopt;
}

std::optional<uint64_t> ReplicaTable::slice(uint64_t at, size_t lines,
                                            std::vector<pair::Flow>& into) {
  const FlowLines& four = flows_.memory().lines(Family::ipv4);
  const FlowLines& six = flows_.memory().lines(Family::ipv6);
  const uint64_t all = uint64_t{four.count()} + six.count();
  if (at == 0) counting_ = 0;
  for (const uint64_t end = std::min(at + lines, all); at < end; at++) {
    const bool first = at < four.count();
    const auto index = static_cast<uint32_t>(first ? at : at - four.count());
    const FlowLines& table = first ? four : six;
    const auto whole = datapath::copy_flow(table, index);
    auto flow = whole ? told_of(table.family(), index, *whole) : std::nullopt;
    if (!flow) continue;
    if (names_.goes_along(flow->snat.address, flow->vip.address))
      into.push_back(*flow);
    else
      counting_++;
  }
  if (at < all) return at;
  not_movable_ = counting_;
  return std::nullopt;
}

// Each has a position in the rings of half-open flows.
void ReplicaTable::answered(std::vector<pair::Flow>& into) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const FlowLines& lines = flows_.memory().lines(family);
    for (lb_half& half : lines.half()) {
      const uint64_t entry = shared(half.entry).load();  // 0: none
      const auto line = static_cast<uint32_t>(entry);
      if (entry == 0 || line >= lines.count()) continue;
      const auto whole = datapath::copy_flow(lines, line);
      if (!whole || generation_of(whole->forward.line.word) != generation_of(entry) ||
          !is_answered(*whole))
        continue;
      pair::Flow flow = told_as(pair::State::open, family, line, *whole);
      if (names_.goes_along(flow.snat.address, flow.vip.address)) into.push_back(flow);
    }
  }
}

datapath::FlowReplica::Wish ReplicaTable::wish_of(const pair::Flow& flow,
                                                  const datapath::FlowNames::Ids& ids) const {
  datapath::FlowReplica::Wish wish;
  aim(wish.forward, flow.client, flow.vip, flow.snat, flow.member);
  aim(wish.reply, flow.member, flow.snat, flow.vip, flow.client);
  wish.forward.line.word = word_of(flow.state);
  wish.reply.line.word = flow.is_answered ? LB_FLOW_REPLY_SEEN : LB_FLOW_REPLY;
  wish.forward.line.owner = ids.service;
  wish.reply.line.owner = ids.backend;
  // The way to the client is looked for with its first packet here.
  wish.forward.line.nexthop = ids.nexthop;
  wish.reply.line.nexthop = LB_LINE_FOREIGN;
  wish.forward.line.next = flow.next_client;
  wish.reply.line.next = flow.next_member;
  for (lb_flow* line : {&wish.forward.line, &wish.reply.line}) {
    line->tuple.proto = flow.protocol;
    line->seen = shared(flows_.memory().clock().tick).load();
  }
  return wish;
}

std::vector<pair::Taken> ReplicaTable::take(std::span<const pair::Flow> flows, Conflict conflict) {
  std::vector<pair::Taken> all(flows.size());
  std::vector<datapath::FlowReplica::Wish> wishes;
  std::vector<size_t> of;  // whose they are
  for (size_t i = 0; i < flows.size(); i++) {
    const pair::Flow& flow = flows[i];
    const auto ids = names_.find({flow.protocol, flow.vip, flow.member, flow.snat.address});
    all[i].why = ids ? pair::Refusal::not_movable : pair::Refusal::unknown;
    if (!ids || !ids->moves) continue;
    wishes.push_back(wish_of(flow, *ids));
    of.push_back(i);
  }
  const auto taken = replica_.take(wishes, conflict == Conflict::theirs_stays
                                               ? datapath::FlowReplica::Conflict::theirs_stays
                                               : datapath::FlowReplica::Conflict::ours_stays);
  if (!taken) spdlog::error("pair: {}", taken.error().message());
  for (size_t i = 0; i < of.size(); i++) {
    pair::Taken& one = all[of[i]];
    one.why = pair::Refusal::no_room;
    if (!taken) continue;
    const auto& here = (*taken)[i];
    if (here.fate == datapath::FlowReplica::Fate::taken)
      one.place = pair::Place{here.place.line, here.place.generation};
    else if (here.fate == datapath::FlowReplica::Fate::refused)
      one.why = pair::Refusal::taken;
    // One that was here already has numbers of its own, of an earlier life.
    if (one.place && conflict == Conflict::theirs_stays) refresh(*one.place, flows[of[i]]);
  }
  return all;
}

// Of a line whose flow ends meanwhile nothing is written: the mark goes to the reply line by its
// way, owner and peer, which another flow has others of, and numbers only where they were.
ReplicaTable::Refreshed ReplicaTable::refresh(const pair::Place& place, const pair::Flow& flow) {
  const FlowLines& lines = flows_.memory().lines(flow.name.family);
  if (place.line >= lines.count()) return Refreshed::gone;
  lb_flow& line = lines.line(place.line);
  const uint64_t word = shared(line.word).load();
  if (!lb_word_is_forward(word) || generation_of(word) != place.generation) return Refreshed::gone;
  if (lb_word_state(word) != word_of(flow.state)) return Refreshed::changed;
  lb_flow* reply = lines.peer(line);
  if (reply == nullptr) return Refreshed::gone;
  __u32 client = shared(line.next).load(), member = shared(reply->next).load();
  __u64 way = shared(*lb_way_of(reply)).load();
  if (shared(line.word).load() != word) return refresh(place, flow);
  if (!shared(*lb_way_of(reply)).compare_exchange_strong(way, with_mark(way)))
    return Refreshed::same;
  shared(line.next).compare_exchange_strong(client, flow.next_client);
  shared(reply->next).compare_exchange_strong(member, flow.next_member);
  return Refreshed::same;
}

void ReplicaTable::end(Family family, std::span<const pair::Place> places) {
  std::vector<datapath::FlowReplica::Place> ends;
  ends.reserve(places.size());
  for (const pair::Place& place : places) ends.push_back({place.line, place.generation});
  if (auto done = replica_.end(family, ends); !done)
    spdlog::error("pair: {}", done.error().message());
}

void ReplicaTable::await() { flows_.await_flows(std::chrono::steady_clock::now() + kAwaits); }

}  // namespace serve
