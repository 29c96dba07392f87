#include "agent/serve/program_watch.h"

#include <chrono>

#include "base/log.h"
#include "netns/xdp_features.h"

namespace serve {

namespace asio = boost::asio;

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(500);

}  // namespace

ProgramWatch::ProgramWatch(const asio::any_io_executor& loop, const netns::Namespace& space,
                           reconcile::Reconciler& reconciler)
    : space_(space), reconciler_(reconciler), wake_(loop) {}

asio::awaitable<void> ProgramWatch::run() {
  while (!stopped_) {
    auto look = [this] { return netns::links_without_xdp(space_.fd()); };
    const auto without = co_await worker_.run(std::move(look));
    std::string lost;
    if (without)
      for (const datapath::Attachment& attachment : reconciler_.attachments())
        if (attachment.mode != datapath::AttachMode::tc && without->contains(attachment.ifindex))
          lost = attachment.interface;
    if (!lost.empty()) reconciler_.request_run(reconcile::Reconciler::Look::everything);
    if (!lost.empty() && lost != lost_)
      spdlog::error("somebody took the XDP program off {}: it is attached again", lost);
    lost_ = std::move(lost);
    co_await wake_.wait_for(kLookEvery);
  }
}

void ProgramWatch::stop() {
  stopped_ = true;
  wake_.set();
}

}  // namespace serve
