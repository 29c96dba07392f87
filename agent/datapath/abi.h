// The agent's values as the ABI has them, and back. Nobody else copies their bytes.
#pragma once

#include <cstdint>

#include "agent/datapath/lb_maps.h"
#include "agent/datapath/tables.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"
#include "bpf/lb_abi.h"

namespace datapath {

lb_addr to_abi(const base::IpAddress& address);  // IPv4 in the first word, the rest zero
lb_tag to_abi(const base::Uuid& id);
uint8_t to_abi(base::Family family);  // LB_IPV4, LB_IPV6
// Head and slots, as the elements of one ring's map.
Cells to_abi(const Ring& ring);

base::Family from_abi(uint32_t family);  // whatever is not LB_IPV6 is IPv4
base::IpAddress from_abi(base::Family family, const lb_addr& address);
base::Uuid from_abi(const lb_tag& tag);
// An error says what is wrong with the head: maps that were adopted may hold anything.
base::Result<Ring> from_abi(const Cells& cells);

}  // namespace datapath
