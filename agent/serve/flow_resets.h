// What both ends of a flow have to be told when the agent ends it. Pure.
#pragma once

#include <vector>

#include "agent/datapath/flow_witness.h"
#include "netns/reset.h"

namespace serve {

// To the client as the VIP, to the member as the flow's source towards it. Nothing for what both
// have ended themselves, never had, or would not understand: closed, reset, half-open, datagrams.
std::vector<netns::Reset> resets_of(const std::vector<datapath::EndedFlow>& flows);

}  // namespace serve
