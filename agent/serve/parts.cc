#include "agent/serve/parts.h"

#include <utility>

#include "agent/reconcile/store.h"
#include "agent/serve/paths.h"

namespace serve {

using base::Result;

namespace {

bool shares_flows(const Config& config) {
  return config.is_of_two || (config.pair && !config.pair->key_file.empty());
}

datapath::Options datapath_options(const Config& config) {
  return {.pin_root = config.pin_root,
          .flows4 = config.ipv4_flows,
          .flows6 = config.ipv6_flows,
          .snat_port_min = config.snat_port_min,
          .snat_port_max = config.snat_port_max,
          .hooks = config.hooks,
          .foreign_flows =
              shares_flows(config) ? datapath::ForeignFlows::come : datapath::ForeignFlows::none};
}

// Of the namespace and, if there is one, of the outside, where interfaces appear.
Result<std::vector<netns::Watch>> open_watches(const netns::Network& network) {
  std::vector<netns::Watch> watches;
  auto inside = network.watch();
  if (!inside) return inside.error();
  watches.push_back(std::move(*inside));
  auto outside = network.watch_outside();
  if (!outside) return outside.error();
  if (outside->has_value()) watches.push_back(std::move(**outside));
  return watches;
}

}  // namespace

Result<Parts> open_parts(const Config& config, const netns::Namespace& space) {
  auto store = reconcile::Store::open(config.state_dir);
  if (!store) return store.error();
  auto certificates = certificates::Store::open(config.state_dir + "/certificates");
  if (!certificates) return certificates.error();
  auto datapath = datapath::Datapath::open(datapath_options(config));
  if (!datapath) return datapath.error();
  auto model = store->load();  // not before the datapath's lock is ours
  if (!model) return model.error();
  auto grace = datapath::Grace::open();
  if (!grace) return grace.error();
  auto network = netns::Network::open(space);
  if (!network) return network.error();
  auto watches = open_watches(*network);
  if (!watches) return watches.error();
  auto haproxy = haproxy::Instances::open(haproxy_paths(config));
  if (!haproxy) return haproxy.error();
  return Parts{.storage = std::make_unique<reconcile::Store>(std::move(*store)),
               .model = std::move(*model),
               .certificates = std::move(*certificates),
               .datapath = std::move(*datapath),
               .grace = std::move(*grace),
               .network = std::move(*network),
               .watches = std::move(*watches),
               .haproxy = std::move(*haproxy),
               .statistics = statistics::Statistics::open(config.state_dir)};
}

}  // namespace serve
