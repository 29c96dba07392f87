#include "agent/serve/network_keeper.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using base::Status;
using std::chrono::steady_clock;

namespace {

// A client that died is started again after this long at the latest.
constexpr auto kClientPatrol = std::chrono::seconds(10);

}  // namespace

NetworkKeeper::NetworkKeeper(const asio::any_io_executor& loop, reconcile::Workers& workers,
                             const netns::Namespace& space)
    : workers_(workers), space_(space), clients_(space), wake_(loop) {}

void NetworkKeeper::arranged(const netns::LayoutSpec& layout, const netns::Observed& observed) {
  announcer_.update(netns::announcements(layout, observed), steady_clock::now());
  auto dhcp = netns::dhcp_interfaces(layout, observed);
  dhcp_is_new_ |= dhcp != dhcp_;
  dhcp_ = std::move(dhcp);
  wake_.set();
}

void NetworkKeeper::announce_again() {
  announcer_.again(steady_clock::now());
  wake_.set();
}

asio::awaitable<void> NetworkKeeper::run() {
  while (!stopped_) {
    co_await announce();
    auto next = announcer_.next().value_or(steady_clock::time_point::max());
    if (dhcp_is_new_ || !dhcp_.empty()) {
      co_await keep_clients();
      if (!dhcp_.empty()) next = std::min(next, steady_clock::now() + kClientPatrol);
    }
    co_await wake_.wait_until(next);
  }
}

asio::awaitable<void> NetworkKeeper::announce() {
  auto due = announcer_.take_due(steady_clock::now());
  if (due.empty()) co_return;
  const std::function<Status()> say = [this, due = std::move(due)] {
    return netns::announce(space_.fd(), due);
  };
  auto said = co_await workers_.machine.run(say);
  // It is said again in a second, and a link that went away is told of elsewhere.
  if (!said) spdlog::debug("{}", said.error().message());
}

asio::awaitable<void> NetworkKeeper::keep_clients() {
  dhcp_is_new_ = false;
  const std::function<Status()> keep = [this, interfaces = dhcp_] {
    return clients_.run_for(interfaces);
  };
  auto kept = co_await workers_.machine.run(keep);
  const std::string error = kept ? "" : kept.error().message();
  if (!error.empty() && error != error_) spdlog::error("{}", error);
  error_ = error;
}

void NetworkKeeper::stop() {
  stopped_ = true;
  wake_.set();
}

}  // namespace serve
