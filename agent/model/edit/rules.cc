#include "agent/model/edit/rules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/model/edit/listener_rules.h"
#include "agent/model/edit/pool_rules.h"
#include "agent/model/fields/read.h"
#include "agent/model/relations.h"
#include "agent/model/words.h"

namespace model {

namespace {

using base::Family;
using base::IpAddress;

struct Compatible {
  ListenerProtocol listener;
  std::vector<PoolProtocol> pools;
};

const std::vector<Compatible>& compatible() {
  using L = ListenerProtocol;
  using P = PoolProtocol;
  static const std::vector<Compatible> list{
      {L::tcp, {P::http, P::https, P::proxy, P::proxyv2, P::tcp}},
      {L::http, {P::http, P::proxy, P::proxyv2}},
      {L::https, {P::https, P::proxy, P::proxyv2, P::tcp}},
      {L::terminated_https, {P::http, P::proxy, P::proxyv2}},
      {L::udp, {P::udp}},
      {L::sctp, {P::sctp}},
  };
  return list;
}

// IPv6 spelling of an IPv4 address (::ffff:192.0.2.1): never on a wire.
bool is_mapped(const IpAddress& a) {
  static const IpAddress kMapped = *IpAddress::parse("::ffff:0:0");
  return a.family() == Family::ipv6 && std::equal(a.bytes(), a.bytes() + 12, kMapped.bytes());
}

// An address that packets can be sent to and come from. 240.0.0.0/4 holds the broadcast address.
bool is_unicast(const IpAddress& a) {
  bool reserved = a.family() == Family::ipv4 && (a.bytes()[0] >= 240 || a.bytes()[0] == 0);
  return !a.is_unspecified() && !a.is_loopback() && !a.is_multicast() && !reserved && !is_mapped(a);
}

bool is_member_address(const IpAddress& a) {
  static const IpAddress kMetadata =
      *IpAddress::parse("169.254.169.254");  // Octavia's reserved_ips
  bool needs_scope = a.family() == Family::ipv6 && a.is_link_local();
  return is_unicast(a) && !needs_scope && a != kMetadata;
}

bool has_vip_of(const LoadBalancer& lb, Family family) {
  auto vips = vips_of(lb);
  return std::any_of(vips.begin(), vips.end(),
                     [&](const IpAddress& vip) { return vip.family() == family; });
}

Refusal check_cidrs(const LoadBalancer& lb, const Listener& listener) {
  for (const base::IpPrefix& cidr : listener.allowed_cidrs)
    if (!has_vip_of(lb, cidr.address.family()))
      return validation_failure("CIDR " + cidr.text() + " IP version incompatible with VIP " +
                                lb.vip_address.text() + " IP version.");
  return std::nullopt;
}

Refusal check_port(const Model& m, const Listener& listener) {
  for (const auto& [id, other] : m.listeners)
    if (id != listener.id && other.load_balancer == listener.load_balancer &&
        other.protocol_port == listener.protocol_port &&
        l4_of(other.protocol) == l4_of(listener.protocol))
      return Fault{409, "Another Listener on this Load Balancer is already using protocol " +
                            text(other.protocol) + " and protocol_port " +
                            std::to_string(other.protocol_port)};
  return std::nullopt;
}

// What a machine sends to its own addresses does not come in by an interface.
Fault is_of_this_machine(const std::string& what, const IpAddress& address, const std::string& of) {
  return validation_failure(what + " " + address.text() + " is " + of +
                            ": no packet of a load balancer reaches another one of its machine.");
}

Refusal check_member_address(const Model& m, const Pool& pool, const IpAddress& address) {
  if (!is_member_address(address))
    return Fault{400, address.text() + " is not a valid option for member address"};
  const LoadBalancer& lb = m.load_balancers.at(pool.load_balancer);
  if (has_vip(lb, address))
    return validation_failure("Member address " + address.text() +
                              " is a VIP of its own load balancer.");
  for (const auto& [id, other] : m.load_balancers)
    if (has_vip(other, address))
      return is_of_this_machine("Member address", address, "a VIP of load balancer " + id.text());
  // Where a proxy ends connections, members may be of either family.
  if (has_datagrams(pool.protocol) && !has_vip_of(lb, address.family()))
    return unsupported(
        "This provider doesn't support mixing IPv4 and IPv6 addresses for its VIP "
        "and members in " +
        text(pool.protocol) + " load balancers (member address " + address.text() + ").");
  return std::nullopt;
}

}  // namespace

L4 l4_of(ListenerProtocol protocol) {
  if (protocol == ListenerProtocol::udp) return L4::udp;
  return protocol == ListenerProtocol::sctp ? L4::sctp : L4::tcp;
}

std::vector<IpAddress> vips_of(const LoadBalancer& lb) {
  std::vector<IpAddress> vips{lb.vip_address};
  for (const AdditionalVip& vip : lb.additional_vips) vips.push_back(vip.ip_address);
  return vips;
}

Fault immutable(Kind kind, const Uuid& id) {
  const char* what = kind == Kind::pool       ? "Pool "
                     : kind == Kind::l7policy ? "L7Policy "
                                              : "Load Balancer ";
  return {409, what + id.text() + " is immutable and cannot be updated."};
}

Refusal check_vips(const Model& m, const LoadBalancer& lb) {
  std::set<IpAddress> mine;
  for (const IpAddress& vip : vips_of(lb)) {
    if (!is_unicast(vip) || vip.is_link_local())
      return Fault{400, "The IP Address " + vip.text() + " is invalid."};
    if (!mine.insert(vip).second)
      return validation_failure("Duplicate VIP " + vip.text() + " specified.");
  }
  std::set<std::string> subnets{lb.vip_subnet_id};
  for (const AdditionalVip& vip : lb.additional_vips)
    if (!vip.subnet_id.empty() && !subnets.insert(vip.subnet_id).second)
      return validation_failure(
          "Duplicate VIP subnet(s) specified. Only one IP can be bound per subnet.");
  for (const auto& [id, other] : m.load_balancers)
    for (const IpAddress& vip : vips_of(other))
      if (id != lb.id && mine.contains(vip))
        return Fault{
            409, "IP address " + vip.text() + " is already the VIP of Load Balancer " + id.text()};
  for (const auto& [id, member] : m.members)
    if (mine.contains(member.address))
      return is_of_this_machine(
          member.address == lb.vip_address ? "vip_address" : "additional_vips' ip_address",
          member.address, "the address of member " + id.text());
  return std::nullopt;
}

Refusal check_provider(const std::string& provider) {
  // What clients written for an Octavia send.
  if (provider == kProvider || provider == "amphora" || provider == "octavia") return std::nullopt;
  return Fault{400, "Provider '" + provider + "' is not enabled."};
}

Refusal check_protocols(ListenerProtocol listener, PoolProtocol pool) {
  if (listener == ListenerProtocol::prometheus) return no_children(listener);
  for (const Compatible& entry : compatible())
    if (entry.listener == listener &&
        std::find(entry.pools.begin(), entry.pools.end(), pool) != entry.pools.end())
      return std::nullopt;
  return validation_failure("The pool protocol '" + text(pool) +
                            "' is invalid while the listener protocol is '" + text(listener) +
                            "'.");
}

Refusal check_default_pool(const Model& m, const LoadBalancer& lb, const Listener& listener) {
  if (!listener.default_pool) return std::nullopt;
  if (listener.protocol == ListenerProtocol::prometheus) return no_children(listener.protocol);
  auto pool = m.pools.find(*listener.default_pool);
  if (pool == m.pools.end() || pool->second.load_balancer != lb.id)
    return not_found(Kind::pool, listener.default_pool->text());
  if (auto refusal = check_protocols(listener.protocol, pool->second.protocol)) return refusal;
  if (pool->second.provisioning_status == ProvisioningStatus::pending_delete)
    return immutable(Kind::pool, pool->first);
  return std::nullopt;
}

Refusal check_listener(const Model& m, const LoadBalancer& lb, const Listener& listener) {
  if (auto refusal = check_port(m, listener)) return refusal;
  return check_cidrs(lb, listener);
}

MemberKeys member_keys(const Model& m, const Uuid& pool) {
  MemberKeys keys;
  for (const auto& [id, member] : m.members)
    if (member.pool == pool) keys.emplace(member.address, member.protocol_port);
  return keys;
}

Refusal check_member(const Model& m, const Pool& pool, const Member& member, MemberKeys& taken) {
  if (auto refusal = check_member_address(m, pool, member.address)) return refusal;
  if (!taken.emplace(member.address, member.protocol_port).second)
    return Fault{409, "Another member on this pool is already using ip " + member.address.text() +
                          " on protocol_port " + std::to_string(member.protocol_port)};
  return std::nullopt;
}

}  // namespace model
