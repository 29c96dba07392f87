#include "agent/serve/program_watch.h"

#include <net/if.h>

#include <chrono>
#include <set>
#include <vector>

#include "agent/datapath/links.h"
#include "base/log.h"

namespace serve {

namespace asio = boost::asio;

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(500);

// Whether the interface is there, and runs no program of ours.
bool is_bare(const datapath::Links& links, uint32_t ifindex) {
  char name[IF_NAMESIZE];
  // Twice: between the two hooks it may be on the one when the other is looked at.
  return ::if_indextoname(ifindex, name) != nullptr && !links.runs_on(ifindex) &&
         !links.runs_on(ifindex);
}

}  // namespace

ProgramWatch::ProgramWatch(const asio::any_io_executor& loop, const netns::Namespace& space,
                           std::string pins, reconcile::Reconciler& reconciler)
    : space_(space), pins_(std::move(pins)), reconciler_(reconciler), wake_(loop) {}

asio::awaitable<void> ProgramWatch::run() {
  while (!stopped_) {
    std::vector<uint32_t> attached;
    for (const datapath::Attachment& attachment : reconciler_.attachments())
      attached.push_back(attachment.ifindex);
    auto look = [this, attached = std::move(attached)] {
      return netns::run_in(space_.fd(), [&]() -> base::Result<std::set<uint32_t>> {
        const datapath::Links links(pins_);
        std::set<uint32_t> bare;
        for (const uint32_t ifindex : attached)
          if (is_bare(links, ifindex)) bare.insert(ifindex);
        return bare;
      });
    };
    const auto bare = co_await worker_.run(std::move(look));
    std::string lost;
    if (bare)
      for (const datapath::Attachment& attachment : reconciler_.attachments())
        if (bare->contains(attachment.ifindex)) lost = attachment.interface;
    if (!lost.empty()) reconciler_.request_run(reconcile::Reconciler::Look::everything);
    if (!lost.empty() && lost != lost_)
      spdlog::error("somebody took the program off {}: it is attached again", lost);
    lost_ = std::move(lost);
    co_await wake_.wait_for(kLookEvery);
  }
}

void ProgramWatch::stop() {
  stopped_ = true;
  wake_.set();
}

}  // namespace serve
