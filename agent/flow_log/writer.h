// Writer: sends lines to a syslog target, as HAProxy does, and never holds anybody up: what comes
// faster than the limit, or than the target takes, is left out, and a line says how many were.
// Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "agent/flow_log/allowance.h"
#include "agent/flow_log/target.h"

namespace flow_log {

struct Limits {
  uint32_t lines_per_second = 5000;

  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Counts {
  uint64_t written = 0, left_out = 0;

  friend bool operator==(const Counts&, const Counts&) = default;
};

class Writer : public std::enable_shared_from_this<Writer> {
 public:
  // Runs on `loop` from start() until stop().
  static std::shared_ptr<Writer> start(boost::asio::any_io_executor loop, Target target,
                                       Limits limits);
  void stop();

  // Whether there is room for one more line; if not, it counts as left out, and need not be made.
  bool admits();
  // One that was admitted.
  void write(const std::string& line);
  Counts counts() const { return counts_; }

 private:
  Writer(boost::asio::any_io_executor loop, Target target, Limits limits);
  static boost::asio::awaitable<void> run(std::shared_ptr<Writer> self);
  boost::asio::awaitable<void> drain();
  using Time = std::chrono::steady_clock::time_point;
  boost::asio::awaitable<void> wait_until(Time time);
  void say_what_is_left_out();
  std::string head(int level) const;
  bool open();
  void leave_out();

  enum class Sent : uint8_t { yes, later, lost, never };
  Sent send(const std::string& line);

  Target target_;
  Allowance allowance_;
  size_t most_waiting_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer wake_;
  std::deque<std::string> waiting_;
  Counts counts_;
  uint64_t not_said_ = 0;  // of those that were left out
  Time say_at_{};          // how many these are, when there are any
  std::string trouble_;    // of the socket, so that it is said once
  bool stopped_ = false;
};

}  // namespace flow_log
