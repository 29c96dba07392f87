// The LVS text of one listener as resources (contract, section 6).
#pragma once

#include <vector>

#include "agent/model/model.h"
#include "base/result.h"
#include "keepalived/lvs_document.h"

namespace octavia {

// Adds the listener, its pool and what that has to the load balancer, which is there. A pool that
// the model has by another listener stays as it is: its texts follow each other when it changes.
// Error: what the datapath does not carry out, with the line.
base::Status add_lvs(const keepalived::LvsDocument& text, const model::LoadBalancer& lb,
                     model::Model& model);

}  // namespace octavia
