// Session persistence by source address, as a service has it. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "agent/model/model.h"
#include "base/ip.h"
#include "bpf/lb_abi.h"

namespace plan {

// The mask that persistence_granularity means for clients of this family: a netmask (255.255.255.0,
// ffff:ffff::), or, for IPv6, also the length of a prefix. One of the other family says nothing
// about this one: the whole address. nullopt: it is neither.
std::optional<lb_addr> persistence_mask(std::string_view granularity, base::Family family);

// Since the client's last new flow, in ms; 0: none. Without one UDP and SCTP have the 360 s of
// Octavia's LVS; TCP none, as its HAProxy: there the size of the table is the limit.
uint32_t persistence_timeout(const model::SessionPersistence& persistence,
                             model::PoolProtocol protocol);

}  // namespace plan
