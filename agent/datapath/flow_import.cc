#include "agent/datapath/flow_import.h"

#include <span>

#include "agent/datapath/take_run.h"
#include "bpf/flow_layout.h"

namespace datapath {
namespace {

using base::Error;
using base::Family;
using base::Result;
using base::Status;
using base::Unit;

std::span<uint8_t> bytes_of(lb_take& flow) {
  return {reinterpret_cast<uint8_t*>(&flow), sizeof(flow)};
}

uint64_t bytes_out(const lb_flow& forward, const lb_flow& reply) {
  return lb_counts_answers(&forward, lb_word_state(forward.word)) != 0 ? reply.bytes : 0;
}

void add_use(lb_use& use, uint32_t uses, uint32_t by) {
  if ((uses & LB_USE_FLOWS) != 0) shared(use.flows).fetch_add(by);
  if ((uses & LB_USE_CLOSING) != 0) shared(use.closing).fetch_add(by);
  if ((uses & LB_USE_OPENING) != 0) shared(use.opening).fetch_add(by);
}

}  // namespace

Result<int32_t> FlowImport::run(lb_take& flow) const {
  const auto once = [&]() -> Result<int32_t> {
    lb_take out{};
    auto done = run_program(program_, "take a flow over", bytes_of(flow), bytes_of(out));
    if (!done) return done.error();
    return out.result;
  };
  auto taken = take_unlocked(once);
  if (taken && *taken == LB_TAKE_BUSY) return Error{0, "take a flow over: its bucket stays locked"};
  return taken;
}

Status FlowImport::take_all() {
  counts_.without_room = counts_.without_port = 0;
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (uint32_t index = 0; index < from_->count(family); index++)
      if (auto taken = take(family, index); !taken) return taken.error();
  return Unit{};
}

Status FlowImport::take(Family family, uint32_t forward) {
  const auto flow = from_->flow(family, forward);
  if (!flow) return Unit{};
  lb_take wish{};
  wish.forward = flow->forward;
  wish.reply = flow->reply;
  for (lb_flow* line : {&wish.forward.line, &wish.reply.line}) {
    auto way = way_of_(line->nexthop);
    if (!way) return way.error();
    line->nexthop = *way;
  }
  auto result = run(wish);
  if (!result) return result.error();
  counts_.without_port += *result == LB_TAKE_PORT ? 1 : 0;
  counts_.without_room += *result == LB_TAKE_NO_ROOM ? 1 : 0;
  if (*result < 0 && *result != LB_TAKE_THERE) return Unit{};
  counts_.taken += *result >= 0 ? 1 : 0;
  taken_.push_back({.family = family,
                    .there = forward,
                    .reply_there = flow->forward.line.peer,
                    .here = *result >= 0 ? static_cast<uint32_t>(*result) : LB_FLOW_NONE,
                    .word = flow->forward.line.word,
                    .reply_word = flow->reply.line.word,
                    .bytes_in = flow->forward.line.bytes,
                    .bytes_out = bytes_out(flow->forward.line, flow->reply.line)});
  return Unit{};
}

void FlowImport::settle() {
  for (const Taken& flow : taken_) settle(flow);
  settled_.insert(settled_.end(), taken_.begin(), taken_.end());
  taken_.clear();
}

void FlowImport::settle(const Taken& flow) const {
  const lb_flow forward = from_->line(flow.family, flow.there).line;
  const lb_flow reply = from_->line(flow.family, flow.reply_there).line;
  if (flow.here != LB_FLOW_NONE && (forward.word != flow.word || reply.word != flow.reply_word))
    catch_up(flow, forward, reply);
  // Another one by now is found by the next take_all().
  if (lb_word_same_generation(forward.word, flow.word) != 0)
    from_->let_go(flow.family, flow.there, forward.word);
}

// What packets here have changed meanwhile is newer, and stays.
void FlowImport::catch_up(const Taken& flow, const lb_flow& forward, const lb_flow& reply) const {
  const FlowLines& lines = to_->lines(flow.family);
  lb_flow& line = lines.line(flow.here);
  lb_flow* other = lines.peer(line);
  __u64 word = shared(line.word).load();
  if (other == nullptr || lb_word_state(word) != lb_word_state(flow.word)) return;
  if (lb_word_same_generation(forward.word, flow.word) == 0) {
    // Ended there: a dead line is what the next sweep buries.
    shared(line.word).compare_exchange_strong(word, lb_word_dead(word));
    return;
  }
  __u64 answer = shared(other->word).load();
  const uint32_t answered = lb_word_state(reply.word);
  if (lb_word_state(answer) == lb_word_state(flow.reply_word) &&
      answered != lb_word_state(flow.reply_word)) {
    if (lb_word_state(flow.reply_word) == LB_FLOW_REPLY) {
      shared(other->next).store(reply.next);
      shared(other->bytes).store(reply.bytes);
    }
    shared(other->word).compare_exchange_strong(answer, lb_word_with_state(answer, answered));
  }
  if (lb_word_state(forward.word) != lb_word_state(word))
    change_state(line, *other, word, lb_word_state(forward.word));
}

// Uses grow before and shrink after, so that none is ever below what there is.
void FlowImport::change_state(lb_flow& forward, const lb_flow& reply, __u64 word,
                              uint32_t state) const {
  if (forward.owner >= to_->service_use().size() || reply.owner >= to_->backend_use().size())
    return;
  lb_use& service = to_->service_use()[forward.owner];
  lb_use& backend = to_->backend_use()[reply.owner];
  const auto count = [&](uint32_t uses, uint32_t by) {
    add_use(service, uses & (LB_USE_FLOWS | LB_USE_CLOSING), by);
    add_use(backend, uses & (LB_USE_FLOWS | LB_USE_OPENING), by);
  };
  const uint32_t before = lb_state_uses(lb_word_state(word)), after = lb_state_uses(state);
  count(after & ~before, 1);
  const bool changed =
      shared(forward.word).compare_exchange_strong(word, lb_word_with_state(word, state));
  count(changed ? before & ~after : after & ~before, ~0u);
}

void FlowImport::count_rest() {
  for (const Taken& flow : settled_) {
    if (flow.here == LB_FLOW_NONE) continue;
    const lb_flow forward = from_->line(flow.family, flow.there).line;
    const lb_flow reply = from_->line(flow.family, flow.reply_there).line;
    if (lb_word_same_generation(forward.word, flow.word) == 0 ||
        lb_word_same_generation(reply.word, flow.reply_word) == 0 ||
        forward.owner >= to_->service_sum().size())
      continue;
    lb_service_sum& sum = to_->service_sum()[forward.owner];
    shared(sum.bytes_in).fetch_add(forward.bytes - flow.bytes_in);
    // As long as nobody has answered these bytes say something else.
    if (lb_word_state(flow.reply_word) != LB_FLOW_REPLY)
      shared(sum.bytes_out).fetch_add(reply.bytes - flow.bytes_out);
  }
  settled_.clear();
}

}  // namespace datapath
