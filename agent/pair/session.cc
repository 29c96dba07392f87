#include "agent/pair/session.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace pair {

using base::Error;
using base::Status;
using base::Unit;

namespace {

// Who says nothing for much longer is gone (channel.h).
constexpr std::chrono::milliseconds kSayEvery{200};

}  // namespace

Session::Session(FlowSource& source, FlowSink& sink, const Hello& own)
    : sender_(source), receiver_(sink, {own.lines4, own.lines6}), own_(own) {}

std::string Session::begin() {
  is_greeted_ = false;
  asks_again_ = says_leaving_ = false;
  peer_.reset();
  said_ = {};
  said_at_ = {};
  waiting_.clear();
  return encode(own_);
}

void Session::finish(const std::string& why) {
  if (is_greeted_) sender_.finish();
  is_greeted_ = false;
  trouble_ = why;
  peer_.reset();
  waiting_.clear();
  receiver_.finish();
}

void Session::set_role(Role role) {
  if (role == role_) return;
  role_ = role;
  receiver_.set_role(role);
  // The other node may not have noticed that this one was active for a moment.
  if (role == Role::standby) asks_again_ = true;
}

void Session::leave() { is_leaving_ = says_leaving_ = true; }

void Session::ask_again() { asks_again_ |= receiver_.unknown() > 0; }

// Two active nodes that told each other would bring back what has ended, for ever.
Sender::Tells Session::tells() const {
  if (!peer_ || (role_ == Role::active && peer_->role == Role::active))
    return Sender::Tells::nothing;
  return role_ == Role::active ? Sender::Tells::all : Sender::Tells::changes;
}

std::string Session::produce(Time now) {
  std::string out;
  if (!is_greeted_) return out;
  if (std::exchange(says_leaving_, false)) out += encode(Leaving{});
  sender_.produce(now, tells(), out);
  if (!out.empty() && (waiting_.empty() || waiting_.back().records != sender_.records()))
    waiting_.push_back({sender_.records(), now});
  const Position position{receiver_.records(), receiver_.unknown(), role_};
  if (now - said_at_ >= (position != said_ ? tick() : kSayEvery)) {
    said_ = position;
    said_at_ = now;
    out += encode(position);
  }
  if (std::exchange(asks_again_, false)) out += encode(Again{});
  return out;
}

Status Session::take(uint8_t type, std::span<const uint8_t> body, Time now) {
  auto frame = decode(type, body);
  if (!frame) return frame.error();
  if (!*frame) return Unit{};
  const Frame& said = **frame;
  if (std::holds_alternative<Hello>(said) == is_greeted_)
    return Error{0, is_greeted_ ? "it greets again" : "it does not greet"};
  if (const auto* hello = std::get_if<Hello>(&said)) return take(*hello);
  if (const auto* flows = std::get_if<Flows>(&said)) return receiver_.take(*flows);
  if (const auto* ends = std::get_if<Ends>(&said)) return receiver_.take(*ends);
  if (const auto* begun = std::get_if<WalkBegin>(&said)) return receiver_.take(*begun);
  if (const auto* ended = std::get_if<WalkEnd>(&said)) {
    auto done = receiver_.take(*ended);
    if (is_in_sync()) synced_at_ = now;
    return done;
  }
  if (const auto* position = std::get_if<Position>(&said)) take(*position);
  if (std::holds_alternative<Again>(said)) sender_.walk_soon(now);
  if (const auto* leaving = std::get_if<Leaving>(&said)) return receiver_.take(*leaving);
  return Unit{};
}

Status Session::take(const Hello& hello) {
  if (auto begun = receiver_.begin(hello); !begun) return begun.error();
  sender_.begin();
  is_greeted_ = true;
  trouble_.clear();
  return Unit{};
}

void Session::take(const Position& position) {
  peer_ = position;
  while (!waiting_.empty() && waiting_.front().records <= position.records) waiting_.pop_front();
}

Report Session::report(Time now) const {
  Report report;
  report.connected = is_greeted_;
  report.trouble = trouble_;
  if (peer_) report.peer = peer_->role;
  report.in_sync = is_in_sync();
  report.follows = follows();
  if (synced_at_)
    report.synced = std::chrono::duration_cast<std::chrono::milliseconds>(now - *synced_at_);
  report.flows = receiver_.size();
  report.unknown = receiver_.unknown();
  if (peer_) report.unknown_there = peer_->unknown;
  report.walk_answered = peer_ && sender_.walked() && peer_->records >= *sender_.walked();
  report.told = sender_.records();
  if (!waiting_.empty()) {
    const uint64_t taken = peer_ ? peer_->records : 0;
    report.behind = sender_.records() - std::min(sender_.records(), taken);
    report.behind_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - waiting_.front().at);
  }
  report.walks = sender_.walks();
  report.changes_lost = sender_.lost();
  report.taken = receiver_.counts();
  return report;
}

}  // namespace pair
