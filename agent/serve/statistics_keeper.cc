#include "agent/serve/statistics_keeper.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace serve {

namespace {

// The datapath's counters are pinned and HAProxy's go on: what an agent that is killed had not
// stored is read again, but for workers that end meanwhile.
constexpr auto kStoreEvery = std::chrono::seconds(10);

}  // namespace

boost::asio::awaitable<void> StatisticsKeeper::run() {
  std::string stored;
  while (!stopped_) {
    co_await wake_.wait_for(kStoreEvery);
    std::string text = statistics_.text();
    if (text == stored) continue;
    auto store = [this, text] { return statistics::Statistics::store(state_dir_, text); };
    auto result = co_await workers_.storage.run(std::move(store));
    if (result) stored = std::move(text);
    if (!result) spdlog::error("{}", result.error().message());
  }
}

void StatisticsKeeper::stop() {
  stopped_ = true;
  wake_.set();
}

}  // namespace serve
