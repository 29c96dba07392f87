// Event: nothing that is set is missed, and a wait with an end ends.
#include "agent/reconcile/event.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

namespace reconcile {
namespace {

using namespace std::chrono_literals;

class Events : public testing::Test {
 protected:
  void spawn(std::function<boost::asio::awaitable<void>()> work) {
    boost::asio::co_spawn(loop_, std::move(work), boost::asio::detached);
  }
  // Until nothing is left that could run: a wait that is not ended keeps it.
  void run() { loop_.run_for(60s); }

  boost::asio::io_context loop_;
  Event event_{loop_.get_executor()};
  std::string seen_;
};

TEST_F(Events, WhatWasSetBeforeIsThereForTheNextWait) {
  event_.set();
  event_.set();
  spawn([this]() -> boost::asio::awaitable<void> {
    co_await event_.wait();
    seen_ += "waited ";
    const bool again = co_await event_.wait_for(1ms);
    seen_ += again ? "again" : "once";
  });
  run();
  EXPECT_EQ(seen_, "waited once");
}

TEST_F(Events, SettingEndsAWait) {
  spawn([this]() -> boost::asio::awaitable<void> {
    const bool taken = co_await event_.wait_for(1h);
    seen_ = taken ? "set" : "over";
  });
  spawn([this]() -> boost::asio::awaitable<void> {
    event_.set();
    co_return;
  });
  run();
  EXPECT_EQ(seen_, "set");
}

TEST_F(Events, AWaitEndsWithItsTime) {
  spawn([this]() -> boost::asio::awaitable<void> {
    const bool taken = co_await event_.wait_for(1ms);
    seen_ = taken ? "set" : "over";
  });
  run();
  EXPECT_EQ(seen_, "over");
  EXPECT_FALSE(event_.is_set());
}

}  // namespace
}  // namespace reconcile
