// Rules between resources, as Octavia has them; each returns what is wrong, or nothing. The
// resource that is checked is not in the model yet, or is there in its former shape under the same
// id.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/fault.h"
#include "agent/model/kinds.h"
#include "agent/model/model.h"

namespace model {

enum class Request { create, update };  // Octavia words some of its errors by it

enum class L4 { tcp, udp, sctp };
L4 l4_of(ListenerProtocol protocol);

std::vector<base::IpAddress> vips_of(const LoadBalancer& lb);  // the primary one first

Fault immutable(Kind kind, const Uuid& id);  // 409

// VIPs are unicast, of a scope that can be routed, of nobody else, and no member's address.
Refusal check_vips(const Model& m, const LoadBalancer& lb);
Refusal check_provider(const std::string& provider);
// The default pool, if there is one, exists on the load balancer and can serve the protocol.
Refusal check_default_pool(const Model& m, const LoadBalancer& lb, const Listener& listener);
// The port is free on its load balancer, the CIDRs fit a VIP.
Refusal check_listener(const Model& m, const LoadBalancer& lb, const Listener& listener);
Refusal check_protocols(ListenerProtocol listener, PoolProtocol pool);
// Members are where packets can go to, not at a VIP of this machine, and each (address, port) is in
// a pool once.
using MemberKeys = std::set<std::pair<base::IpAddress, uint16_t>>;
MemberKeys member_keys(const Model& m, const Uuid& pool);
// A new member; its key becomes one of those `taken`.
Refusal check_member(const Model& m, const Pool& pool, const Member& member, MemberKeys& taken);

}  // namespace model
