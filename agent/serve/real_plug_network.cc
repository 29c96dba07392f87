#include "agent/serve/real_plug_network.h"

#include <utility>

#include "netns/nics.h"

namespace serve {

using base::Result;
using base::Status;
using octavia::Awaited;

Awaited<Result<octavia::PlugNetwork::Nics>> RealPlugNetwork::nics() {
  auto read = [this]() -> Result<Nics> {
    auto inside = netns::read_nics(space_.fd());
    if (!inside) return inside.error();
    if (space_.is_original()) return Nics{std::move(*inside), {}};
    auto outside = netns::read_nics(space_.original_fd());
    if (!outside) return outside.error();
    return Nics{std::move(*inside), std::move(*outside)};
  };
  co_return co_await worker_.run(std::move(read));
}

Awaited<Status> RealPlugNetwork::rescan() {
  co_return co_await worker_.run([] { return netns::rescan_pci(); });
}

Awaited<Status> RealPlugNetwork::configure(netns::LayoutSpec layout) {
  auto done = co_await delivery_.configure(std::move(layout));
  announce_();
  co_return done;
}

Awaited<Status> RealPlugNetwork::enforce(std::vector<octavia::VipRule>) {
  co_return co_await enforce_();
}

}  // namespace serve
