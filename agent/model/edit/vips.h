// Where a new load balancer is: its VIPs, said or allocated, and the ids that clients know them by.
#pragma once

#include "agent/model/edit/draft.h"

namespace model {

enum class Vip { said, to_allocate };

// Completes a load balancer that is as the request says. What is allocated is nobody's in the
// draft, and the load balancer's from when the draft is stored.
Refusal place_vips(const Draft& draft, LoadBalancer& lb, Vip primary);

}  // namespace model
