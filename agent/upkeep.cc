#include "agent/upkeep.h"

#include <fcntl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace agent {

namespace asio = boost::asio;
using datapath::FlowTable;
using std::chrono::steady_clock;

namespace {

// A pass reads the whole table; this often, idle flows end within a few per cent of their timeout
// and an idle agent stays idle.
constexpr auto kPassEvery = std::chrono::seconds(2);
constexpr auto kTick = std::chrono::milliseconds(LB_TICK_MS);
// Routes and links change in bursts; one observation is enough for a burst.
constexpr auto kSettle = std::chrono::milliseconds(20);

asio::awaitable<void> wait(asio::steady_timer& timer, steady_clock::duration time) {
  boost::system::error_code ignored;
  timer.expires_after(time);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

Upkeep::Upkeep(asio::any_io_executor loop, datapath::Datapath& datapath, datapath::Grace grace,
               LiveReconciler& reconciler)
    : loop_(loop),
      datapath_(datapath),
      grace_(std::move(grace)),
      reconciler_(reconciler),
      tick_(loop),
      pause_(loop) {}

void Upkeep::hurry() {
  hurried_ = true;
  pause_.cancel();
}

void Upkeep::stop() {
  stopped_ = true;
  tick_.cancel();
  pause_.cancel();
}

asio::awaitable<void> Upkeep::keep_time() {
  auto last = steady_clock::now();
  while (!stopped_) {
    co_await wait(tick_, kTick);
    auto now = steady_clock::now();
    auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last);
    datapath_.flows().advance_clock(elapsed);
    last += elapsed;
  }
}

asio::awaitable<void> Upkeep::sweep() {
  while (!stopped_) {
    co_await pass();
    if (!hurried_ && !stopped_) co_await wait(pause_, kPassEvery);
  }
}

asio::awaitable<void> Upkeep::pass() {
  hurried_ = false;
  auto read = [this] { return datapath::FlowPolicy::of(datapath_.tables()); };
  auto policy = co_await reconciler_.machine_worker().run(read);
  auto judge = [&policy](const datapath::FlowLife& flow) { return policy.expiry(flow); };
  FlowTable& flows = datapath_.flows();
  for (auto progress = FlowTable::Progress::more; progress != FlowTable::Progress::pass_done;) {
    progress = flows.sweep(judge, datapath::kSweepSlice);
    if (progress == FlowTable::Progress::release_first) co_await release_ended();
    co_await asio::post(loop_, asio::use_awaitable);  // let others run
    if (stopped_) co_return;
  }
  co_await release_ended();
  auto release = [this] { return datapath_.release_unused(datapath_.flows().census().used); };
  auto released = co_await reconciler_.machine_worker().run(release);
  if (!released) spdlog::error("{}", released.error().message());
}

asio::awaitable<void> Upkeep::release_ended() {
  FlowTable& flows = datapath_.flows();
  if (flows.begin_grace() == 0) co_return;
  auto wait_for_programs = [this] { return grace_.wait(); };
  auto waited = co_await grace_worker_.run(wait_for_programs);
  // Without it counters may miss a packet; nothing else depends on it.
  if (!waited) spdlog::error("{}", waited.error().message());
  while (flows.release(datapath::kReleaseSlice) > 0)
    co_await asio::post(loop_, asio::use_awaitable);
}

asio::awaitable<void> Upkeep::follow(netns::Watch watch) {
  // Its own descriptor: both close theirs.
  asio::posix::stream_descriptor descriptor(loop_, ::fcntl(watch.fd(), F_DUPFD_CLOEXEC, 0));
  asio::steady_timer settle(loop_);
  boost::system::error_code failed;
  while (!stopped_) {
    co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                   asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
    auto changes = watch.read_events();
    if (!changes) {
      spdlog::error("{}", changes.error().message());
      break;
    }
    if (!changes->any()) continue;
    reconciler_.poke();
    co_await wait(settle, kSettle);
  }
}

}  // namespace agent
