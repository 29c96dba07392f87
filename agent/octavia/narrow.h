// The rules of an SR-IOV VIP as what the datapath enforces: narrower allowed CIDRs of its listeners
// (vip_rules.h). Pure.
#pragma once

#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/vip_rules.h"

namespace octavia {

// Listeners that HAProxy serves stay as they are: their packets go through the kernel's firewall.
void narrow(model::Model& model, const std::vector<VipRule>& rules);

}  // namespace octavia
