// Parts: what the agent finds or makes on the machine when it starts, before anything runs.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agent/certificates/store.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/grace.h"
#include "agent/http/server.h"
#include "agent/reconcile/storage.h"
#include "agent/serve/config.h"
#include "agent/statistics/statistics.h"
#include "haproxy/instances.h"
#include "netns/network.h"

namespace serve {

struct Parts {
  std::unique_ptr<reconcile::Storage> storage;
  model::Model model;  // as stored
  std::unique_ptr<certificates::Store> certificates;
  std::unique_ptr<datapath::Datapath> datapath;
  datapath::Grace grace;
  netns::Network network;
  std::vector<netns::Watch> watches;  // of the namespace, and of where its links come from
  haproxy::Instances haproxy;
  statistics::Statistics statistics;
};

// This thread is inside `space`, which outlives the parts. Errors say what is missing.
base::Result<Parts> open_parts(const Config& config, const netns::Namespace& space);

}  // namespace serve
