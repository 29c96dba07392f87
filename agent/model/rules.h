// Rules between resources, as Octavia has them; each returns what is wrong, or nothing. The
// resource that is checked is not in the model yet, or is there in its former shape under the same
// id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/model/edit.h"
#include "agent/model/model.h"

namespace model {

using Refusal = std::optional<Fault>;

enum class L4 { tcp, udp, sctp };
L4 l4_of(ListenerProtocol protocol);

std::vector<base::IpAddress> vips_of(const LoadBalancer& lb);  // the primary one first

Fault not_found(Kind kind, const std::string& id);  // 404
Fault immutable(Kind kind, const Uuid& id);         // 409

// VIPs are unicast, of a scope that can be routed, and of nobody else.
Refusal check_vips(const Model& m, const LoadBalancer& lb);
Refusal check_provider(const std::string& provider);
// The port is free on its load balancer, the CIDRs fit a VIP, the default pool exists there and can
// serve the protocol.
Refusal check_listener(const Model& m, const LoadBalancer& lb, const Listener& listener);
Refusal check_protocols(ListenerProtocol listener, PoolProtocol pool);
// New members of one pool: reachable from a VIP, and each (address, port) once.
struct NewMembers {
  const LoadBalancer& lb;
  const Pool& pool;
  const std::vector<Member>& members;
};
Refusal check_members(const Model& m, const NewMembers& added);

}  // namespace model
