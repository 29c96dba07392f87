// Session: what passes over one channel after the other between two nodes: the sender of one and
// the receiver of the other, who greet first and say how far they are. Pure: bytes in, bytes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "agent/pair/flows.h"
#include "agent/pair/frames.h"
#include "agent/pair/receiver.h"
#include "agent/pair/sender.h"
#include "base/result.h"

namespace pair {

// What is to be known of the other node, and of what it was told.
struct Report {
  bool connected = false;
  std::string trouble;       // why not, or why the last channel ended; empty: nothing was wrong
  std::optional<Role> peer;  // as it said last; nullopt: not yet
  bool in_sync = false;      // the other node is active, and all of its flows are here
  bool follows = false;      // or all that have a place here
  std::optional<std::chrono::milliseconds> synced;  // since the last whole walk came in
  size_t flows = 0;                                 // of the other node that are here
  uint32_t unknown = 0;                             // of the other node that have no place here
  uint32_t unknown_there = 0;                       // of this node that have none there
  bool walk_answered = false;              // the other node has taken a whole walk of this one
  uint64_t behind = 0;                     // records that the other node has not answered yet
  std::chrono::milliseconds behind_ms{0};  // since the oldest of them was told
  uint64_t told = 0;                       // records over this channel
  uint64_t walks = 0, changes_lost = 0;
  Receiver::Counts taken;
};

class Session {
 public:
  // How often a channel asks what is to be sent, unless there is more. So late is a change told at
  // most, when nothing holds it up.
  static constexpr std::chrono::milliseconds kTick{10};
  // The same while the VIPs are about to go to the other node.
  static constexpr std::chrono::milliseconds kQuickTick{1};

  // Both outlive it.
  Session(FlowSource& source, FlowSink& sink, const Hello& own);

  // A channel is there: the first bytes for it.
  std::string begin();
  // It is gone. `why`: empty, if it was ended in good order.
  void finish(const std::string& why);
  // None comes about. `why`: shown as long as there is none.
  void fail(const std::string& why) {
    if (!is_greeted_) trouble_ = why;
  }

  // What is to be sent now. Never while the last of it has not gone out. How far this node is, it
  // says once a tick at most, however much comes.
  std::string produce(Time now);
  bool has_more() const { return sender_.has_more(); }
  std::chrono::milliseconds tick() const { return is_leaving_ ? kQuickTick : kTick; }
  // One frame. An error ends the channel.
  base::Status take(uint8_t type, std::span<const uint8_t> body, Time now);

  void set_role(Role role);
  // The VIPs are about to go to the other node, which is told so, until stop_leaving().
  void leave();
  void stop_leaving() { is_leaving_ = false; }
  // They have gone: connections that are about to open may do so at either node.
  void tell_answered() { sender_.tell_answered(); }
  // What was unknown may be known now.
  void ask_again();
  Report report(Time now) const;
  bool has(base::Family family, uint32_t line) const { return receiver_.has(family, line); }
  bool is_connected() const { return is_greeted_; }
  // The other node is active, and has told of all that it has; `is_in_sync`: and all of it is here.
  bool follows() const {
    return peer_ && peer_->role == Role::active && receiver_.has_whole_walk();
  }
  bool is_in_sync() const { return follows() && receiver_.unknown() == 0; }

 private:
  base::Status take(const Hello& hello);
  void take(const Position& position);
  Sender::Tells tells() const;

  Sender sender_;
  Receiver receiver_;
  Hello own_;
  Role role_ = Role::standby;
  bool is_greeted_ = false;  // by the other node, over this channel
  bool asks_again_ = false;
  bool is_leaving_ = false, says_leaving_ = false;
  std::string trouble_;
  std::optional<Position> peer_;  // as it said last, over this channel
  Position said_;
  Time said_at_{};
  std::optional<Time> synced_at_;
  struct Told {
    uint64_t records;
    Time at;
  };
  std::deque<Told> waiting_;  // for an answer
};

}  // namespace pair
