#include "agent/serve/clock.h"

#include <chrono>

#include "bpf/lb_abi.h"

namespace serve {

namespace {

constexpr auto kTick = std::chrono::milliseconds(LB_TICK_MS);

}  // namespace

boost::asio::awaitable<void> Clock::run() {
  auto last = std::chrono::steady_clock::now();
  while (!stopped_) {
    co_await wake_.wait_for(kTick);
    const auto now = std::chrono::steady_clock::now();
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last);
    flows_.advance_clock(elapsed);
    last += elapsed;
  }
}

void Clock::stop() {
  stopped_ = true;
  wake_.set();
}

}  // namespace serve
