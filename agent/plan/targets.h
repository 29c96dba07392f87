// Health monitors as the prober needs them.
#pragma once

#include <vector>

#include "agent/model/model.h"
#include "health/health_spec.h"

namespace plan {

// By member. A member is probed if it, its pool, the pool's monitor and load balancer are switched
// on and not PENDING_DELETE.
std::vector<health::Target> make_targets(const model::Model& model);

}  // namespace plan
