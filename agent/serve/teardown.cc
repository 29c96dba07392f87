#include "agent/serve/teardown.h"

#include <utility>

#include "agent/datapath/datapath.h"
#include "agent/serve/amphora.h"
#include "agent/serve/paths.h"
#include "netns/network.h"

namespace serve {
namespace {

// While the namespace is there still, so that the VIPs come off its interfaces.
base::Status stop_keepalived(const keepalived::Paths& paths, const netns::Namespace& space) {
  auto drop = drop_in(space);
  if (!drop) return drop.error();
  auto keepalived = keepalived::Process::open(paths, std::move(*drop));
  if (!keepalived) return keepalived.error();
  return keepalived->stop();
}

}  // namespace

base::Status teardown(const Config& config, const std::optional<keepalived::Paths>& vrrp) {
  auto space = netns::Namespace::find(config.netns);
  if (!space) return space.error();
  // First, for it is refused while an agent runs: that one keeps its HAProxy, too.
  // In the namespace, for filters of tc are found only there.
  const auto take_off = [&] { return datapath::Datapath::teardown(config.pin_root); };
  auto gone = space->has_value() ? netns::run_in((*space)->fd(), take_off) : take_off();
  if (!gone) return gone.error();
  auto haproxy = haproxy::Instances::open(haproxy_paths(config));
  if (!haproxy) return haproxy.error();
  haproxy->teardown();
  if (!space->has_value()) return base::Unit{};
  if (vrrp)
    if (auto stopped = stop_keepalived(*vrrp, **space); !stopped) return stopped.error();
  auto network = netns::Network::open(**space);
  if (!network) return network.error();
  if (auto withdrawn = network->withdraw(); !withdrawn) return withdrawn.error();
  return (*space)->remove();
}

}  // namespace serve
