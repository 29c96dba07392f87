// Whether a node of a pair may have the VIPs, from what is wanted and what the reconciler knows.
// Pure.
#pragma once

#include <vector>

#include "agent/datapath/links.h"
#include "agent/model/model.h"
#include "agent/reconcile/reconciler.h"
#include "keepalived/check_scripts.h"
#include "netns/netns_spec.h"

namespace serve {

struct FitnessFacts {
  const model::Model& model;
  const reconcile::Progress& progress;
  const netns::Observed& observed;
  const std::vector<datapath::Attachment>& attachments;
  bool haproxy_answers = false;
  bool program_is_lost = false;    // from an interface that had it
  bool flows_are_missing = false;  // of the other node, which has the VIPs
  bool is_leaving = false;         // a failover is under way (failover.h)
};

// Only what the other node may do better counts: what a route, HAProxy or a table refuses here,
// it refuses there, and two unfit nodes serve nobody.
keepalived::Fitness fitness_of(const FitnessFacts& facts);

}  // namespace serve
