#include "agent/datapath/flow_table.h"

#include <algorithm>

#include "agent/datapath/flow_walk.h"
#include "bpf/flow_layout.h"

namespace datapath {
namespace {

template <class T>
T read(const T& word) {
  return shared(const_cast<T&>(word)).load(std::memory_order_relaxed);
}

template <class T>
void add(T& word, T value) {
  shared(word).fetch_add(value);
}

lb_service_sum traffic_of(const lb_flow& forward, const lb_flow& reply, uint32_t state) {
  return {read(forward.bytes), lb_counts_answers(&forward, state) != 0 ? read(reply.bytes) : 0};
}

// Ticks from `seen` to `now`; a packet may have come after the clock was read.
uint32_t age(uint32_t seen, uint32_t now) {
  const auto ticks = static_cast<int32_t>(now - seen);
  return ticks < 0 ? 0 : static_cast<uint32_t>(ticks);
}

// The members of lb_use that follow the states of flows, and where a state counts.
struct Part {
  uint32_t lb_use::*count;
  uint32_t uses;
};
constexpr std::array<Part, 2> kServiceParts{
    {{&lb_use::flows, LB_USE_FLOWS}, {&lb_use::closing, LB_USE_CLOSING}}};
constexpr std::array<Part, 2> kBackendParts{
    {{&lb_use::flows, LB_USE_FLOWS}, {&lb_use::opening, LB_USE_OPENING}}};

void count_in(std::vector<lb_use>& use, size_t id, const std::array<Part, 2>& parts,
              uint32_t state) {
  if (id >= use.size()) return;
  for (const Part& part : parts)
    if ((lb_state_uses(state) & part.uses) != 0) use[id].*part.count += 1;
}

void count_out(std::span<lb_use> use, size_t id, const std::array<Part, 2>& parts, uint32_t state) {
  if (id >= use.size()) return;
  for (const Part& part : parts)
    if ((lb_state_uses(state) & part.uses) != 0) shared(use[id].*part.count).fetch_sub(1);
}

// Why a program has ended it.
Expiry expiry_of(lb_flow_state state) {
  switch (state) {
    case LB_FLOW_CLOSED:
      return Expiry::closed;
    case LB_FLOW_RESET:
      return Expiry::reset;
    case LB_FLOW_HALF_OPEN:
      return Expiry::unanswered;
    default:
      return Expiry::keep;
  }
}

std::vector<lb_use> values(std::span<lb_use> use) {
  std::vector<lb_use> now(use.size());
  for (size_t id = 0; id < use.size(); id++)
    now[id] = {read(use[id].flows), read(use[id].closing), read(use[id].opening), 0};
  return now;
}

}  // namespace

const char* flow_state_name(uint32_t state) {
  static constexpr std::array<const char*, LB_FLOW_STATES> kNames = {
      "free",           "busy",        "dead",      "dead_reply", "reply",
      "reply_seen",     "reply_reset", "half_open", "open",       "closing_client",
      "closing_member", "closed",      "reset"};
  return state < kNames.size() ? kNames[state] : "unknown";
}

// What a program wanted to tell an agent that is gone is nobody's.
FlowTable::FlowTable(FlowMemory memory, EndedRing ended)
    : memory_(std::move(memory)), ended_ring_(std::move(ended)) {
  uint32_t unset = 0;
  shared(memory_.clock().tick).compare_exchange_strong(unset, 1);
  shared(memory_.clock().flags).store(0);
  ended_ring_.read([](const lb_ended&) {});
}

void FlowTable::set_witness(FlowWitness* witness) {
  witness_ = witness;
  set_flag(LB_TELL_ENDED, witness != nullptr);
}

void FlowTable::set_changes(Changes changes) {
  set_flag(LB_TELL_CHANGES, changes == Changes::told);
}

// Both clocks are CLOCK_MONOTONIC.
void FlowTable::await_flows(std::chrono::steady_clock::time_point until) {
  const std::chrono::nanoseconds at = until.time_since_epoch();
  shared(memory_.clock().awaits_until).store(static_cast<uint64_t>(at.count()));
}

void FlowTable::set_flag(uint32_t flag, bool asked) {
  auto flags = shared(memory_.clock().flags);
  asked ? flags.fetch_or(flag) : flags.fetch_and(~flag);
}

void FlowTable::advance_clock(std::chrono::milliseconds elapsed) {
  constexpr std::chrono::milliseconds kTick{LB_TICK_MS};
  clock_rest_ += elapsed;
  const auto whole = clock_rest_ / kTick;
  clock_rest_ %= kTick;
  const auto ticks = std::clamp<decltype(clock_rest_)::rep>(whole, 0, kMostTicks);
  if (ticks > 0) add<__u32>(memory_.clock().tick, static_cast<uint32_t>(ticks));
  if (witness_ != nullptr) witness_->ticked();
  ended_ring_.read([this](const lb_ended& ended) { tell_of(ended); });
}

FlowTable::Progress FlowTable::sweep(const Judge& judge, size_t lines) {
  if (position_ == 0) {
    // A line that waits to be freed must not be met a second time: it would be freed twice.
    if (!ended_.empty() || !waiting_.empty()) return Progress::release_first;
    begin_pass();
  }
  const FlowLines& four = memory_.lines(base::Family::ipv4);
  const FlowLines& six = memory_.lines(base::Family::ipv6);
  const uint64_t all = uint64_t{four.count()} + six.count();
  for (const uint64_t end = std::min(position_ + lines, all); position_ < end; position_++) {
    if (position_ < four.count())
      sweep_line(four, static_cast<uint32_t>(position_), judge);
    else
      sweep_line(six, static_cast<uint32_t>(position_ - four.count()), judge);
  }
  if (position_ < all) return Progress::more;
  end_pass();
  return Progress::pass_done;
}

void FlowTable::begin_pass() {
  counting_ = FlowCensus{};
  counting_.pass = census_.pass + 1;
  counting_.service_use.resize(LB_MAX_SERVICES);
  counting_.backend_use.resize(LB_MAX_BACKENDS);
  counting_.service_traffic.resize(LB_MAX_SERVICES);
  // A use that has grown since the last pass began makes what that pass found worthless.
  const uint64_t raises = use_raises();
  if (raises != raises_) forget_drift();
  raises_ = raises;
  counted_services_.assign(LB_MAX_SERVICES, lb_use{});
  counted_backends_.assign(LB_MAX_BACKENDS, lb_use{});
  service_use_before_ = values(memory_.service_use());
  backend_use_before_ = values(memory_.backend_use());
}

void FlowTable::end_pass() {
  position_ = 0;
  if (use_raises() != raises_) {
    forget_drift();
  } else {
    repair_use(service_use_before_, service_drift_, counted_services_, memory_.service_use());
    repair_use(backend_use_before_, backend_drift_, counted_backends_, memory_.backend_use());
  }
  census_ = std::move(counting_);
}

// Every new flow takes a position in a ring.
uint64_t FlowTable::use_raises() const {
  uint64_t raises = 0;
  for (const lb_flow_cpu& cpu : memory_.cpus())
    raises += uint64_t{read(cpu.ring[0])} + read(cpu.ring[1]) + read(cpu.raised);
  return raises;
}

void FlowTable::forget_drift() {
  service_drift_.assign(service_drift_.size(), lb_use{});
  backend_drift_.assign(backend_drift_.size(), lb_use{});
}

// An agent that is killed between freeing a flow and counting it out leaves a use that is too high.
// A difference counts if it is the same twice in a row, and nothing was counted in from the first
// pass to the end of the second: then no fewer were counted than there are.
void FlowTable::repair_use(const std::vector<lb_use>& before, std::vector<lb_use>& drift,
                           const std::vector<lb_use>& counted, std::span<lb_use> use) {
  constexpr std::array kParts{&lb_use::flows, &lb_use::closing, &lb_use::opening};
  drift.resize(use.size());
  for (size_t id = 0; id < use.size() && id < counted.size(); id++) {
    for (const auto part : kParts) {
      const uint32_t now = read(use[id].*part);
      const uint32_t found = now == before[id].*part ? counted[id].*part - now : 0;
      if (found != 0 && found == drift[id].*part) {
        add<__u32>(use[id].*part, found);
        drift[id].*part = 0;
      } else {
        drift[id].*part = found;
      }
    }
  }
}

void FlowTable::sweep_line(const FlowLines& lines, uint32_t index, const Judge& judge) {
  lb_flow& line = lines.line(index);
  const uint64_t word = shared(line.word).load();
  const uint32_t state = lb_word_state(word);
  FlowCensus::Table& table = counting_.tables[lines.family() == base::Family::ipv6];
  if (state < LB_FLOW_STATES) table.lines[state]++;
  if (index % LB_FLOW_WAYS == 0 &&
      (read(lines.buckets()[index / LB_FLOW_WAYS].lock) & LB_BUCKET_SPILLED) != 0)
    table.spilled_buckets++;
  if (state == LB_FLOW_FREE || state == LB_FLOW_BUSY) return;

  const bool forward = state == LB_FLOW_DEAD || lb_word_is_forward(word);
  std::vector<bool>& owners = forward ? counting_.used.services : counting_.used.backends;
  const uint16_t owner = read(line.owner), nexthop = read(line.nexthop) & LB_NEXTHOP_ID;
  if (owner < owners.size()) owners[owner] = true;
  if (nexthop < counting_.used.nexthops.size()) counting_.used.nexthops[nexthop] = true;

  if (lb_word_is_forward(word)) {
    sweep_flow(lines, index, word, judge);
  } else if (state == LB_FLOW_DEAD && lines.peer(line) != nullptr) {
    count_use(line, lines.peer(line), lb_word_died_as(word));
    bury(lines, index);
    reached(Point::found_dead);
    ended_.push_back({.lines = &lines, .forward = index, .reply = read(line.peer)});
  } else if (state == LB_FLOW_DEAD_REPLY) {
    sweep_dead_reply(lines, index);
  }
}

void FlowTable::sweep_flow(const FlowLines& lines, uint32_t index, uint64_t word,
                           const Judge& judge) {
  lb_flow& line = lines.line(index);
  const lb_flow* reply = lines.peer(line);
  if (reply == nullptr) return;
  const uint32_t now = read(memory_.clock().tick);
  FlowLife life;
  life.family = lines.family();
  life.line = index;
  life.protocol = read(line.tuple.proto);
  life.state = static_cast<lb_flow_state>(lb_word_state(word));
  life.service = read(line.owner);
  life.backend = read(reply->owner);
  const uint32_t answer = lb_word_state(shared(const_cast<lb_flow*>(reply)->word).load());
  life.answered = answer == LB_FLOW_REPLY_SEEN || answer == LB_FLOW_REPLY_RESET;
  life.idle = std::min(age(read(line.seen), now), age(read(reply->seen), now));
  if (!lb_word_same_generation(shared(line.word).load(), word)) return;  // another flow by now

  if (witness_ != nullptr) witness_->met(lines, index, word);
  count_use(line, reply, life.state);
  count_in(counting_.service_use, life.service, kServiceParts, life.state);
  count_in(counting_.backend_use, life.backend, kBackendParts, life.state);
  if (life.service < counting_.service_traffic.size()) {
    const lb_service_sum traffic = traffic_of(line, *reply, life.state);
    lb_service_sum& sum = counting_.service_traffic[life.service];
    sum.bytes_in += traffic.bytes_in;
    sum.bytes_out += traffic.bytes_out;
  }

  const Expiry expiry = judge(life);
  if (expiry != Expiry::keep && kill(lines, index, word)) {
    counting_.ended[static_cast<size_t>(expiry)]++;
    ended_.push_back({&lines, index, read(line.peer), expiry, life.answered});
  }
}

// Its forward line is being released, or, if it is dead no more, the agent died between the two.
void FlowTable::sweep_dead_reply(const FlowLines& lines, uint32_t index) {
  const lb_flow* forward = lines.peer(lines.line(index));
  if (forward == nullptr ||
      lb_word_state(shared(const_cast<lb_flow&>(*forward).word).load()) != LB_FLOW_DEAD ||
      read(forward->peer) != index)
    ended_.push_back({.lines = &lines, .forward = kAlone, .reply = index});
}

void FlowTable::count_use(const lb_flow& forward, const lb_flow* reply, uint32_t state) {
  if (reply == nullptr) return;
  count_in(counted_services_, read(forward.owner), kServiceParts, state);
  count_in(counted_backends_, read(reply->owner), kBackendParts, state);
}

bool FlowTable::kill(const FlowLines& lines, uint32_t index, uint64_t word) {
  __u64 expected = word;
  if (!shared(lines.line(index).word).compare_exchange_strong(expected, lb_word_dead(word)))
    return false;
  reached(Point::killed);
  bury(lines, index);
  reached(Point::buried);
  return true;
}

// The reply line of a flow that is dead stays this flow's until the forward line is free.
void FlowTable::bury(const FlowLines& lines, uint32_t index) {
  lb_flow* reply = lines.peer(lines.line(index));
  if (reply == nullptr) return;
  const auto word = shared(reply->word);
  const uint64_t now = word.load();
  if (lb_word_state(now) != LB_FLOW_DEAD_REPLY)
    word.store(lb_word_with_state(now, LB_FLOW_DEAD_REPLY));
}

size_t FlowTable::begin_grace() {
  waiting_.insert(waiting_.end(), ended_.begin(), ended_.end());
  ended_.clear();
  return waiting_.size();
}

size_t FlowTable::release(size_t flows) {
  for (; flows > 0 && !waiting_.empty(); flows--) {
    release_one(waiting_.back());
    waiting_.pop_back();
  }
  return waiting_.size();
}

// The forward line first: as long as it is dead its reply line is its own. Counted out last: an
// agent killed in between leaves a use that is too high, never one below zero.
void FlowTable::release_one(const Ended& ended) {
  lb_flow& reply = ended.lines->line(ended.reply);
  const auto free = [](lb_flow& line) {
    const auto word = shared(line.word);
    word.store(lb_word_next(word.load()));
  };
  if (ended.forward == kAlone) {
    free(reply);
    reached(Point::reply_freed);
    return;
  }
  tell_of(ended);
  lb_flow& forward = ended.lines->line(ended.forward);
  const uint16_t service = read(forward.owner), backend = read(reply.owner);
  const uint32_t state = lb_word_died_as(shared(forward.word).load());
  const lb_service_sum traffic = traffic_of(forward, reply, state);
  free(forward);
  reached(Point::forward_freed);
  free(reply);
  reached(Point::reply_freed);

  if (service < memory_.service_sum().size()) {
    lb_service_sum& sum = memory_.service_sum()[service];
    add(sum.bytes_in, traffic.bytes_in);
    add(sum.bytes_out, traffic.bytes_out);
  }
  count_out(memory_.service_use(), service, kServiceParts, state);
  count_out(memory_.backend_use(), backend, kBackendParts, state);
}

std::vector<EndedFlow> FlowTable::ending(size_t flows) const {
  std::vector<EndedFlow> all;
  const size_t first = waiting_.size() - std::min(flows, waiting_.size());
  for (size_t i = first; i < waiting_.size(); i++)
    if (waiting_[i].forward != kAlone) all.push_back(ended_flow(waiting_[i]));
  return all;
}

// Before its lines are somebody else's.
EndedFlow FlowTable::ended_flow(const Ended& ended) const {
  EndedFlow flow;
  flow.record = record_of(*ended.lines, ended.forward, ended.reply, read(memory_.clock().tick));
  flow.expiry = ended.expiry;
  flow.is_answered = ended.is_answered;
  flow.next_client = read(ended.lines->line(ended.forward).next);
  flow.next_member = read(ended.lines->line(ended.reply).next);
  return flow;
}

void FlowTable::tell_of(const Ended& ended) const {
  if (witness_ == nullptr) return;
  const uint64_t word = shared(ended.lines->line(ended.forward).word).load();
  witness_->ended(*ended.lines, ended.forward, word, ended_flow(ended));
}

void FlowTable::tell_of(const lb_ended& ended) const {
  const auto family = ended.family == LB_IPV6 ? base::Family::ipv6 : base::Family::ipv4;
  if (witness_ == nullptr || ended.index >= memory_.lines(family).count()) return;
  // The two lines as a table of their own, which is only read.
  auto* first = reinterpret_cast<std::byte*>(const_cast<lb_flow6*>(&ended.forward));
  const FlowLines lines(family, first, sizeof(lb_flow6), 2, {}, {});
  constexpr uint32_t kForward = 0, kReply = 1;
  EndedFlow flow;
  flow.record = record_of(lines, kForward, kReply, read(memory_.clock().tick));
  flow.expiry = expiry_of(flow.record.state);
  const uint32_t answer = lb_word_state(ended.reply.line.word);
  flow.is_answered = answer == LB_FLOW_REPLY_SEEN || answer == LB_FLOW_REPLY_RESET;
  // What no pass has met yet is met now.
  witness_->met(memory_.lines(family), ended.index, ended.forward.line.word);
  witness_->ended(memory_.lines(family), ended.index, ended.forward.line.word, flow);
}

uint64_t FlowTable::half_open_overwritten() const {
  uint64_t flows = 0;
  for (const lb_flow_cpu& cpu : memory_.cpus()) flows += read(cpu.overwritten);
  return flows;
}

}  // namespace datapath
