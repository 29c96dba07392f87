#include "agent/pair/receiver.h"

#include <string>
#include <utility>

namespace pair {

using base::Error;
using base::Status;
using base::Unit;

namespace {

constexpr uint32_t kMostLines = 1u << 25;

Error wrong_name(const Name& name) {
  return Error{0, "a flow at line " + std::to_string(name.line) + ", which it does not have"};
}

// Places that end, by family.
struct Over {
  std::vector<Place> places[2];

  void add(base::Family family, const std::optional<Place>& place) {
    if (place) places[family == base::Family::ipv6 ? 1 : 0].push_back(*place);
  }
  size_t tell(FlowSink& sink) const {
    if (!places[0].empty()) sink.end(base::Family::ipv4, places[0]);
    if (!places[1].empty()) sink.end(base::Family::ipv6, places[1]);
    return places[0].size() + places[1].size();
  }
};

}  // namespace

Status Receiver::begin(const Hello& hello) {
  if (hello.oldest > kNewestVersion || hello.newest < kOldestVersion)
    return Error{0, "it speaks versions " + std::to_string(hello.oldest) + " to " +
                        std::to_string(hello.newest) + ", and this node " +
                        std::to_string(kOldestVersion) + " to " + std::to_string(kNewestVersion)};
  if (hello.lines4 > kMostLines || hello.lines6 > kMostLines)
    return Error{0, "its flow table is larger than any"};
  const bool same = peer_ && peer_->maps == hello.maps && peer_->lines4 == hello.lines4 &&
                    peer_->lines6 == hello.lines6;
  peer_ = hello;
  if (!same || !book_) open_book();
  records_ = 0;
  finish();
  return Unit{};
}

void Receiver::open_book() {
  book_.reset();
  if (peer_ && role_ == Role::standby)
    book_.emplace(TableSizes{peer_->lines4, peer_->lines6}, ours_);
}

void Receiver::finish() { is_walking_ = has_whole_walk_ = false; }

void Receiver::set_role(Role role) {
  if (role == role_) return;
  role_ = role;
  open_book();
  unknown_ = 0;
  finish();
  if (role == Role::active) sink_->await();
}

Status Receiver::take(const Flows& frame) {
  if (role_ == Role::active) {
    records_ += frame.flows.size();
    place(frame.flows);
    return Unit{};
  }
  std::vector<Flow> fresh;
  Over over;
  for (const Flow& flow : frame.flows) {
    if (!book_ || !book_->may_be(flow.name)) return wrong_name(flow.name);
    records_++;
    if (const auto known = book_->find(flow.name)) {
      const auto refreshed = sink_->refresh(*known, flow);
      if (refreshed == FlowSink::Refreshed::same) {
        book_->touch(flow.name);
        continue;
      }
      const auto last = book_->erase(flow.name);
      if (refreshed == FlowSink::Refreshed::changed) over.add(flow.name.family, last);
    } else {
      over.add(flow.name.family, book_->erase_former(flow.name));
    }
    fresh.push_back(flow);
  }
  counts_.ended += over.tell(*sink_);
  place(fresh);
  return Unit{};
}

void Receiver::place(std::span<const Flow> flows) {
  if (flows.empty()) return;
  const bool follows = role_ == Role::standby;
  const auto taken = sink_->take(
      flows, follows ? FlowSink::Conflict::theirs_stays : FlowSink::Conflict::ours_stays);
  for (size_t i = 0; i < flows.size() && i < taken.size(); i++) {
    if (taken[i].place) {
      counts_.taken++;
      if (follows && book_) book_->put(flows[i].name, *taken[i].place);
      continue;
    }
    counts_.refused[static_cast<size_t>(taken[i].why)]++;
    if (follows) unknown_++;
  }
}

Status Receiver::take(const Ends& frame) {
  records_ += frame.flows.size();
  if (role_ == Role::active) return Unit{};
  Over over;
  for (const Name& name : frame.flows) {
    if (!book_ || !book_->may_be(name)) return wrong_name(name);
    over.add(name.family, book_->erase(name));
  }
  counts_.ended += over.tell(*sink_);
  return Unit{};
}

Status Receiver::take(const WalkBegin&) {
  if (role_ == Role::active || !book_) return Unit{};
  unknown_before_ = unknown();
  unknown_ = 0;
  is_walking_ = true;
  book_->begin_walk();
  return Unit{};
}

// One that began while this node had another role, or over another channel, names not all.
Status Receiver::take(const WalkEnd&) {
  if (!is_walking_ || !book_) return Unit{};
  Over over;
  book_->end_walk([&](base::Family family, const Place& place) { over.add(family, place); });
  counts_.ended += over.tell(*sink_);
  is_walking_ = false;
  has_whole_walk_ = true;
  return Unit{};
}

Status Receiver::take(const Leaving&) {
  sink_->await();
  return Unit{};
}

}  // namespace pair
