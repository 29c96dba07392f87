#include "agent/serve/fragment_keeper.h"

#include <fcntl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "agent/datapath/lb_maps.h"
#include "base/log.h"

namespace serve {

namespace asio = boost::asio;

namespace {

// The first one is behind by microseconds, mostly.
constexpr auto kLookEvery = std::chrono::milliseconds(2);
// Who sends more than are kept has no hurry: what the ring has no room for is the kernel's.
constexpr auto kWhenTooMany = std::chrono::milliseconds(20);

datapath::HeldFragment fragment_of(const lb_held& held) {
  const size_t bytes = std::min<size_t>(held.bytes, sizeof(held.frame));
  return {held.key, std::chrono::nanoseconds(held.at), held.ifindex,
          std::vector<uint8_t>(held.frame, held.frame + bytes)};
}

std::chrono::nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace

FragmentKeeper::FragmentKeeper(const asio::any_io_executor& loop, const netns::Namespace& space,
                               datapath::Datapath& datapath,
                               const reconcile::Reconciler& reconciler)
    : space_(space), datapath_(datapath), reconciler_(reconciler), readable_(loop), wake_(loop) {}

base::Status FragmentKeeper::open() {
  const int ring = datapath_.map_fd(datapath::kHeld.name);
  auto mapped = datapath::HeldRing::map(ring, datapath::kHeld.name);
  if (!mapped) return mapped.error();
  auto again =
      datapath::Again::open(datapath_.program_fd(), datapath_.map_fd(datapath::kTraces.name),
                            datapath_.map_fd(datapath::kPassed.name));
  if (!again) return again.error();
  ring_ = std::move(*mapped);
  again_.emplace(std::move(*again));
  readable_.assign(::fcntl(ring, F_DUPFD_CLOEXEC, 0));
  return base::Unit{};
}

asio::awaitable<void> FragmentKeeper::run() {
  if (auto opened = open(); !opened) {
    spdlog::error("fragments that come before the first one are lost: {}",
                  opened.error().message());
    co_return;
  }
  Load load = Load::usual;
  boost::system::error_code failed;
  while (!stopped_) {
    if (load == Load::too_much)
      co_await wake_.wait_for(kWhenTooMany);
    else if (!held_.empty())
      co_await wake_.wait_for(kLookEvery);
    else
      co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, failed));
    if (stopped_) break;
    Modes modes;
    for (const datapath::Attachment& one : reconciler_.attachments()) modes[one.ifindex] = one.mode;
    auto work = [this, modes = std::move(modes)] {
      return netns::run_in(space_.fd(), [&]() -> base::Result<Load> { return look(modes); });
    };
    const auto looked = co_await worker_.run(std::move(work));
    load = looked ? *looked : Load::too_much;
  }
}

// On the worker, inside the namespace.
FragmentKeeper::Load FragmentKeeper::look(const Modes& modes) {
  std::vector<datapath::HeldFragment> no_room;
  ring_.read([&](const lb_held& held) {
    datapath::HeldFragment fragment = fragment_of(held);
    if (held_.keep(fragment) == datapath::HeldFragments::Room::none)
      no_room.push_back(std::move(fragment));
  });
  auto due = held_.take_due(
      now(), [this](const lb_trace_key& packet) { return again_->first_has_come(packet); });
  for (const datapath::HeldFragment& fragment : due.go) {
    const auto mode = modes.find(fragment.ifindex);
    const auto sent = mode == modes.end() ? base::Status(base::Error{ENODEV, "find an interface"})
                                          : again_->run(fragment, mode->second);
    if (!sent) due.lost.push_back(fragment);
  }
  for (const datapath::HeldFragment& fragment : due.lost) again_->lose(fragment, 1);
  if (no_room.empty()) return Load::usual;
  again_->lose(no_room.front(), no_room.size());
  return Load::too_much;
}

void FragmentKeeper::stop() {
  stopped_ = true;
  if (readable_.is_open()) readable_.cancel();
  wake_.set();
}

}  // namespace serve
