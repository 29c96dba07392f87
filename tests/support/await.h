// Coroutines awaited by a test.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>

namespace test {

// Runs `task` to its end on a loop of its own, and gives what it returned.
template <class T>
T await(boost::asio::awaitable<T> task) {
  boost::asio::io_context loop;
  std::optional<T> out;
  auto run = [&]() -> boost::asio::awaitable<void> { out = co_await std::move(task); };
  boost::asio::co_spawn(loop, run(), boost::asio::detached);
  loop.run();
  return *std::move(out);
}

}  // namespace test
