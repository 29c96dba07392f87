#include "agent/serve/link_watch.h"

#include <fcntl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace serve {

namespace asio = boost::asio;

namespace {

// Routes and links change in bursts; one observation is enough for a burst.
constexpr auto kBurst = std::chrono::milliseconds(20);
constexpr auto kAgain = std::chrono::seconds(1);

}  // namespace

// A descriptor of its own: both close theirs.
LinkWatch::LinkWatch(asio::any_io_executor loop, netns::Watch watch,
                     reconcile::Reconciler& reconciler)
    : watch_(std::move(watch)),
      reconciler_(reconciler),
      readable_(loop, ::fcntl(watch_.fd(), F_DUPFD_CLOEXEC, 0)),
      wake_(loop) {}

asio::awaitable<void> LinkWatch::run() {
  boost::system::error_code failed;
  while (!stopped_) {
    co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::redirect_error(asio::use_awaitable, failed));
    if (stopped_) break;
    auto heard = watch_.read_events();
    if (failed || !heard) {
      spdlog::error("{}", failed ? failed.message() : heard.error().message());
      co_await watch_again();
      continue;
    }
    if (!heard->any()) continue;
    reconciler_.note(*heard);
    co_await wake_.wait_for(kBurst);
  }
}

asio::awaitable<void> LinkWatch::watch_again() {
  for (bool watches = false; !watches && !stopped_;) {
    co_await wake_.wait_for(kAgain);
    auto again = watch_.watch_again();
    watches = again.ok();
    if (!watches) spdlog::error("{}", again.error().message());
  }
  if (stopped_) co_return;
  readable_.close();
  readable_.assign(::fcntl(watch_.fd(), F_DUPFD_CLOEXEC, 0));
  reconciler_.request_run(reconcile::Reconciler::Look::everything);
}

void LinkWatch::stop() {
  stopped_ = true;
  readable_.cancel();
  wake_.set();
}

}  // namespace serve
