// Worker: one thread for calls that block (storage, netlink, bpf), awaited from the loop.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <type_traits>
#include <utility>

namespace reconcile {

class Worker {
 public:
  ~Worker() { finish(); }

  // Ends the thread; calls that were made are done when it returns. No calls after it.
  void finish() { pool_.join(); }

  // Calls run one at a time, in the order they came; the caller goes on in its own executor.
  template <class F>
  boost::asio::awaitable<std::invoke_result_t<F>> run(F work) {
    using R = std::invoke_result_t<F>;
    auto start = [this, work = std::move(work)](auto handler) mutable {
      auto back = boost::asio::get_associated_executor(handler);
      auto keep = boost::asio::prefer(back, boost::asio::execution::outstanding_work.tracked);
      boost::asio::post(
          pool_, [work = std::move(work), handler = std::move(handler), back, keep]() mutable {
            auto result = std::make_shared<R>(work());
            boost::asio::post(back, [handler = std::move(handler), result]() mutable {
              std::move(handler)(std::move(*result));
            });
          });
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(R)>(
        std::move(start), boost::asio::use_awaitable);
  }

 private:
  boost::asio::thread_pool pool_{1};
};

}  // namespace reconcile
