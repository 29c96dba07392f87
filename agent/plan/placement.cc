#include "agent/plan/placement.h"

#include <algorithm>

#include "agent/model/datagrams.h"
#include "agent/model/words.h"
#include "agent/plan/wanted.h"

namespace plan {

namespace {

using model::ListenerProtocol;
using model::PoolProtocol;

Placement by_haproxy(std::string reason) { return {ServedBy::haproxy, std::move(reason)}; }

Placement by_datapath(const model::Listener& listener) {
  return {ServedBy::xdp, std::string(model::word(listener.protocol)) +
                             (has_datagrams(listener.protocol) ? " is forwarded packet by packet"
                                                               : " without anything of layer 7")};
}

// Whoever read the uploads has decided.
Placement of_uploads(const model::Amphora& amphora, const model::Listener& listener) {
  const auto left = amphora.left_to_haproxy.find(listener.id);
  return left == amphora.left_to_haproxy.end() ? by_datapath(listener) : by_haproxy(left->second);
}

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

}  // namespace

std::string text(base::Family family) { return family == base::Family::ipv6 ? "IPv6" : "IPv4"; }

std::string_view word(ServedBy by) { return by == ServedBy::xdp ? "xdp" : "haproxy"; }

// NAT does not change the family: a member needs a VIP of its family, and a VIP a member of its
// own. Where both are there, each family is balanced among its own members.
std::string Placing::mixed_families(const model::LoadBalancer& lb, const model::Pool& pool) {
  Families vips;
  for (const base::IpAddress& vip : vips_of(lb)) vips.emplace(vip.family(), vip);
  const Families& members = member_families(pool);
  for (const auto& [family, member] : members)
    if (!vips.contains(family))
      return "member " + member.text() + " is " + text(family) + ", and no VIP is";
  for (const auto& [family, vip] : vips)
    if (!members.empty() && !members.contains(family))
      return "VIP " + vip.text() + " is " + text(family) + ", and no member is";
  return "";
}

const Placing::Families& Placing::member_families(const model::Pool& pool) {
  const auto [found, is_new] = families_.try_emplace(pool.id);
  if (!is_new) return found->second;
  for (const model::Member* member : related_.members_of(pool))
    if (is_on(*member)) found->second.emplace(member->address.family(), member->address);
  return found->second;
}

bool Placing::has_policies(const model::Listener& listener) const {
  const auto& policies = related_.policies_of(listener);
  return std::any_of(policies.begin(), policies.end(),
                     [](const model::L7Policy* policy) { return is_on(*policy); });
}

// HAProxy has no datagrams: they stay where they are.
Placement Placing::of(const model::Listener& listener) {
  Placement placement = wished(listener);
  if (obstacle_.empty() || placement.by == ServedBy::haproxy || has_datagrams(listener.protocol))
    return placement;
  return by_haproxy(obstacle_);
}

Placement Placing::wished(const model::Listener& listener) {
  if (related_.model().amphora) return of_uploads(*related_.model().amphora, listener);
  const std::string protocol(model::word(listener.protocol));
  if (has_datagrams(listener.protocol)) return by_datapath(listener);
  if (listener.protocol != ListenerProtocol::tcp && listener.protocol != ListenerProtocol::https)
    return by_haproxy("protocol " + protocol);
  if (has_policies(listener)) return by_haproxy("it has L7 policies");
  const model::Model& model = related_.model();
  if (const model::Pool* pool = serving_pool(model, listener)) {
    if (std::string reason = reason_of(*pool); !reason.empty()) return by_haproxy(reason);
    const model::LoadBalancer& lb = model.load_balancers.at(listener.load_balancer);
    if (std::string reason = mixed_families(lb, *pool); !reason.empty()) return by_haproxy(reason);
  }
  return by_datapath(listener);
}

}  // namespace plan
