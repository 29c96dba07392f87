// Turns: whoever asks gets in alone, in the order of asking. On one thread, for coroutines.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <utility>

namespace octavia {

class Turns {
 public:
  // As long as it lives, nobody else has one. Does not outlive the Turns.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->pass_on();
    }

   private:
    Turns* turns_;
  };

  explicit Turns(boost::asio::any_io_executor loop) : loop_(std::move(loop)) {}

  boost::asio::awaitable<Turn> take() {
    if (!std::exchange(taken_, true)) co_return Turn(*this);
    auto mine = std::make_shared<boost::asio::steady_timer>(
        loop_, boost::asio::steady_timer::time_point::max());
    waiting_.push_back(mine);
    boost::system::error_code cancelled;
    co_await mine->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
    co_return Turn(*this);
  }

 private:
  void pass_on() {
    taken_ = !waiting_.empty();
    if (!taken_) return;
    const auto next = waiting_.front();
    waiting_.pop_front();
    next->cancel();
  }

  boost::asio::any_io_executor loop_;
  std::deque<std::shared_ptr<boost::asio::steady_timer>> waiting_;
  bool taken_ = false;
};

}  // namespace octavia
