// Event: what one coroutine waits for and others set. It stays set until a wait has taken it, so
// that nothing is missed that was set before the wait began. Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

namespace reconcile {

class Event {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Event(const boost::asio::any_io_executor& loop) : timer_(loop) {}

  void set() {
    set_ = true;
    timer_.cancel();
  }
  bool is_set() const { return set_; }

  // Until it is set; takes it.
  boost::asio::awaitable<void> wait() {
    for (bool taken = false; !taken;) taken = co_await wait_until(Clock::time_point::max());
  }
  // The same, but not longer than this. false: the time is over.
  boost::asio::awaitable<bool> wait_for(Clock::duration time) {
    return wait_until(Clock::now() + time);
  }
  boost::asio::awaitable<bool> wait_until(Clock::time_point end) {
    if (!set_) {
      boost::system::error_code ignored;
      timer_.expires_at(end);
      co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    co_return std::exchange(set_, false);
  }

 private:
  boost::asio::steady_timer timer_;
  bool set_ = false;
};

}  // namespace reconcile
