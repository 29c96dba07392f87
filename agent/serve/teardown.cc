#include "agent/serve/teardown.h"

#include "agent/datapath/datapath.h"
#include "agent/serve/paths.h"
#include "netns/network.h"

namespace serve {

base::Status teardown(const Config& config) {
  auto space = netns::Namespace::find(config.netns);
  if (!space) return space.error();
  // First, for it is refused while an agent runs: that one keeps its HAProxy, too.
  if (auto gone = datapath::Datapath::teardown(config.pin_root); !gone) return gone.error();
  auto haproxy = haproxy::Process::open(haproxy_paths(config));
  if (!haproxy) return haproxy.error();
  haproxy->teardown();
  if (!space->has_value()) return base::Unit{};
  auto network = netns::Network::open(**space);
  if (!network) return network.error();
  if (auto withdrawn = network->withdraw(); !withdrawn) return withdrawn.error();
  return (*space)->remove();
}

}  // namespace serve
