// The rules of an SR-IOV VIP as what the datapath enforces: narrower allowed CIDRs of its listeners
// (vip_rules.h). Pure.
#pragma once

#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/vip_rules.h"

namespace octavia {

// Listeners that HAProxy serves, too: no firewall of the kernel is between it and the wire.
void narrow(model::Model& model, const std::vector<VipRule>& rules);

}  // namespace octavia
