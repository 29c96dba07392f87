// Health monitors as the prober needs them.
#pragma once

#include <map>
#include <vector>

#include "agent/model/relations.h"
#include "agent/plan/placement.h"
#include "haproxy/haproxy_spec.h"
#include "health/health_spec.h"

namespace plan {

// By pool. A member is probed if it, its pool, the pool's monitor and load balancer are switched
// on and not PENDING_DELETE.
//
// What HAProxy checks itself is left to it, unless a listener of the datapath uses the pool, too.
std::vector<health::Target> make_targets(const model::Relations& related,
                                         const haproxy::Specs& served,
                                         const std::map<base::Uuid, Placement>& placements);

}  // namespace plan
