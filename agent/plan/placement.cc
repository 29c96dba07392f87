#include "agent/plan/placement.h"

#include <algorithm>
#include <map>

#include "agent/model/words.h"
#include "agent/plan/layout.h"
#include "agent/plan/pools.h"

namespace plan {

namespace {

using model::ListenerProtocol;
using model::PoolProtocol;

Placement by_haproxy(std::string reason) { return {Place::haproxy, std::move(reason)}; }

std::string name_of(const model::Pool& pool) {
  return "pool " + (pool.name.empty() ? pool.id.text() : pool.name);
}

// Why a pool needs HAProxy whatever its members are; empty: it does not.
std::string reason_of(const model::Pool& pool) {
  const std::string protocol(model::word(pool.protocol));
  if (pool.protocol == PoolProtocol::proxy || pool.protocol == PoolProtocol::proxyv2)
    return name_of(pool) + " speaks " + protocol;
  if (pool.protocol == PoolProtocol::http)
    return name_of(pool) + " is HTTP: its requests are parsed";
  if (pool.tls_enabled) return name_of(pool) + " is encrypted towards its members";
  if (pool.session_persistence &&
      pool.session_persistence->type != model::PersistenceType::source_ip)
    return name_of(pool) + " keeps sessions by " +
           std::string(model::word(pool.session_persistence->type));
  return "";
}

// NAT does not change the family: a member needs a VIP of its family, and a VIP a member of its
// own. Where both are there, each family is balanced among its own members.
std::string mixed_families(const model::Model& model, const model::LoadBalancer& lb,
                           const model::Pool& pool) {
  std::map<base::Family, base::IpAddress> vips, members;  // one of each family
  for (const base::IpAddress& vip : vips_of(lb)) vips.emplace(vip.family(), vip);
  for (const auto& [id, member] : model.members)
    if (member.pool == pool.id && is_wanted(member) && member.admin_state_up)
      members.emplace(member.address.family(), member.address);
  for (const auto& [family, member] : members)
    if (!vips.contains(family))
      return "member " + member.text() + " is " + text(family) + ", and no VIP is";
  for (const auto& [family, vip] : vips)
    if (!members.empty() && !members.contains(family))
      return "VIP " + vip.text() + " is " + text(family) + ", and no member is";
  return "";
}

bool has_policies(const model::Model& model, const model::Listener& listener) {
  return std::any_of(model.l7policies.begin(), model.l7policies.end(), [&](const auto& entry) {
    const model::L7Policy& policy = entry.second;
    return policy.listener == listener.id && is_wanted(policy) && policy.admin_state_up;
  });
}

}  // namespace

std::string_view word(Place place) { return place == Place::xdp ? "xdp" : "haproxy"; }

const model::Pool* serving_pool(const model::Model& model, const model::Listener& listener) {
  if (!listener.default_pool) return nullptr;
  const model::Pool& pool = model.pools.at(*listener.default_pool);
  return is_wanted(pool) && pool.admin_state_up ? &pool : nullptr;
}

Placement placement_of(const model::Model& model, const model::Listener& listener) {
  const std::string protocol(model::word(listener.protocol));
  if (listener.protocol == ListenerProtocol::udp || listener.protocol == ListenerProtocol::sctp)
    return {Place::xdp, protocol + " is forwarded packet by packet"};
  if (listener.protocol != ListenerProtocol::tcp && listener.protocol != ListenerProtocol::https)
    return by_haproxy("protocol " + protocol);
  if (has_policies(model, listener)) return by_haproxy("it has L7 policies");
  if (const model::Pool* pool = serving_pool(model, listener)) {
    if (std::string reason = reason_of(*pool); !reason.empty()) return by_haproxy(reason);
    const model::LoadBalancer& lb = model.load_balancers.at(listener.load_balancer);
    if (std::string reason = mixed_families(model, lb, *pool); !reason.empty())
      return by_haproxy(reason);
  }
  return {Place::xdp, protocol + " without anything of layer 7"};
}

}  // namespace plan
