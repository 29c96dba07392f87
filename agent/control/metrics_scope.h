// What a load balancer's own PROMETHEUS listener may show: nothing of others, nor of the machine.
#pragma once

#include <string>

#include "agent/control/operator.h"
#include "agent/model/model.h"
#include "agent/model/show/status.h"

namespace control {

// As metrics(). Of nobody, if there is no such load balancer.
std::string metrics_of(const base::Uuid& load_balancer, Status status, Verdicts verdicts,
                       Counters counters, const model::Model& m, const model::Statuses& statuses);

}  // namespace control
