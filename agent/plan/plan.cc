#include "agent/plan/plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <limits>

#include "agent/datapath/abi.h"
#include "agent/model/datagrams.h"
#include "agent/model/limits.h"
#include "agent/model/relations.h"
#include "agent/model/words.h"
#include "agent/plan/ids.h"
#include "agent/plan/l7.h"
#include "agent/plan/layout.h"
#include "agent/plan/neighbours.h"
#include "agent/plan/persistence.h"
#include "agent/plan/pools.h"
#include "agent/plan/targets.h"
#include "agent/plan/wanted.h"

namespace plan {

static_assert(model::kMostServices < LB_MAX_SERVICES && model::kMostMembers < LB_MAX_BACKENDS);

namespace {

using CidrNumbers = Numbering<decltype(Ids::cidr_sets)>;
using ServiceNumbers = Numbering<decltype(Ids::services)>;

// Ever new numbers, so that entries of a set that is on its way out are never taken for another's.
uint32_t first_new_set(const Ids& ids) {
  uint32_t highest = 0;
  for (const auto& [content, number] : ids.cidr_sets) highest = std::max(highest, number);
  return highest + 1;
}

uint8_t ip_protocol(model::ListenerProtocol protocol) {
  if (protocol == model::ListenerProtocol::udp) return IPPROTO_UDP;
  return protocol == model::ListenerProtocol::sctp ? IPPROTO_SCTP : IPPROTO_TCP;
}

bool fits(model::ListenerProtocol listener, model::PoolProtocol pool) {
  using enum model::PoolProtocol;
  if (listener == model::ListenerProtocol::udp) return pool == udp;
  if (listener == model::ListenerProtocol::sctp) return pool == sctp;
  const bool is_l4 =
      listener == model::ListenerProtocol::tcp || listener == model::ListenerProtocol::https;
  return is_l4 && (pool == tcp || pool == https);
}

// Why the datapath cannot carry the listener; empty: it can.
std::string reason_against(const model::Listener& listener, const Placement& placement,
                           const model::Pool* pool) {
  const std::string protocol(model::word(listener.protocol));
  if (listener.protocol_port == 0) return "port 0 cannot be forwarded";
  if (placement.by == ServedBy::haproxy) return "";
  if (pool != nullptr && !fits(listener.protocol, pool->protocol))
    return "a listener of protocol " + protocol + " is not forwarded to a pool of protocol " +
           std::string(model::word(pool->protocol));
  return "";
}

lb_scheduler scheduler_of(model::Algorithm algorithm) {
  switch (algorithm) {
    case model::Algorithm::round_robin:
      return LB_SCHEDULE_RING;
    case model::Algorithm::least_connections:
      return LB_LEAST_CONNECTIONS;
    case model::Algorithm::source_ip:
      return LB_HASH_SOURCE;
    case model::Algorithm::source_ip_port:
      return LB_HASH_TUPLE;
  }
  __builtin_unreachable();
}

// Octavia allows a year; 49 days is all that fits.
uint32_t milliseconds(int64_t timeout) {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(std::clamp<int64_t>(timeout, 0, kMost));
}

lb_service_key key_of(const base::IpAddress& vip, const model::Listener& listener) {
  return {datapath::to_abi(vip), htons(listener.protocol_port), ip_protocol(listener.protocol),
          datapath::to_abi(vip.family())};
}

class ServicePlanner {
 public:
  ServicePlanner(const model::Relations& related, const Networks& networks,
                 const Observed& observed, const Before& before, Plan& plan)
      : model_(related.model()),
        plan_(plan),
        obstacle_(observed.obstacle),
        rates_(observed.rates),
        placing_(related, observed.obstacle),
        pools_(related, networks, observed, before, plan),
        service_numbers_(before.ids.services, before.resting.services, 1, LB_MAX_SERVICES),
        cidr_numbers_(before.ids.cidr_sets, {}, first_new_set(before.ids),
                      std::numeric_limits<uint32_t>::max()),
        l7_(related, observed.down, observed.certificates, plan.haproxy, plan.problems) {}

  void plan_listener(const model::LoadBalancer& lb, const model::Listener& listener);
  void finish();

 private:
  bool plan_service(const model::LoadBalancer& lb, const model::Listener& listener,
                    const Placement& placement, const base::IpAddress& vip);
  void limit_rates(const model::Listener& listener, const std::vector<base::IpAddress>& served);
  void plan_pool(const model::Listener& listener, const Placement& placement,
                 const model::Pool* pool, base::Family family, lb_service& service);
  void plan_persistence(const model::Pool& pool, base::Family family, lb_service& service);
  std::optional<uint32_t> cidr_set(const model::Listener& listener, base::Family family);
  void problem(const base::Uuid& id, std::string text) {
    plan_.problems.emplace(id, std::move(text));
  }
  // Says the problem, too.
  bool refused(const base::Uuid& id, std::string text) {
    problem(id, std::move(text));
    return false;
  }

  const model::Model& model_;
  Plan& plan_;
  const std::string& obstacle_;
  const FlowRates& rates_;
  Placing placing_;
  PoolPlanner pools_;
  ServiceNumbers service_numbers_;
  CidrNumbers cidr_numbers_;
  L7Planner l7_;
};

void ServicePlanner::plan_listener(const model::LoadBalancer& lb, const model::Listener& listener) {
  const Placement& placement = plan_.placements[listener.id] = placing_.of(listener);
  const model::Pool* pool = wanted_pool(model_, listener);
  // The text of a UDP listener that is off or has no pool does not say its port: there is nothing
  // to do.
  if (model_.amphora && listener.protocol_port == 0) return;
  const std::string reason = reason_against(listener, placement, pool);
  if (!reason.empty()) return problem(listener.id, reason);
  if (placement.by == ServedBy::xdp && !obstacle_.empty())
    problem(listener.id, "HAProxy serves no datagrams, and " + obstacle_);
  std::vector<base::IpAddress> served;
  for (const base::IpAddress& vip : vips_of(lb))
    if (plan_service(lb, listener, placement, vip)) served.push_back(vip);
  limit_rates(listener, served);
  if (placement.by == ServedBy::haproxy && !model_.amphora && is_on(lb) && is_on(listener) &&
      !served.empty())
    l7_.add(lb, listener, served);
}

// A service of HAProxy's goes to the kernel, but what came before is forwarded until it ends: the
// backends of its pool stay.
bool ServicePlanner::plan_service(const model::LoadBalancer& lb, const model::Listener& listener,
                                  const Placement& placement, const base::IpAddress& vip) {
  const lb_service_key key = key_of(vip, listener);
  const auto where = [&] { return base::Endpoint{vip, listener.protocol_port}.text(); };
  if (plan_.tables.services.contains(key))
    return refused(listener.id, where() + " is taken by another listener");
  const std::optional<uint32_t> number = service_numbers_.number(key);
  if (!number)
    return refused(listener.id, "no service number is free for " + where() + ": all " +
                                    std::to_string(LB_MAX_SERVICES - 1) +
                                    " are in use or named by flows that live");
  const std::optional<uint32_t> cidrs = cidr_set(listener, vip.family());
  if (!cidrs)
    return refused(listener.id,
                   "allowed_cidrs of all listeners are more than " + std::to_string(kMaxCidrs));
  lb_service service{};
  service.id = *number;
  service.cidr_set = *cidrs;
  plan_pool(listener, placement, wanted_pool(model_, listener), vip.family(), service);
  service.connection_limit = static_cast<uint32_t>(limit_of(listener).value_or(0));
  if (placement.by == ServedBy::haproxy) service.flags |= LB_SERVICE_TO_KERNEL;
  if (!is_on(lb) || !is_on(listener)) service.flags |= LB_SERVICE_DISABLED;
  const Timeouts timeouts = timeouts_of(listener);
  service.client_timeout = milliseconds(timeouts.client);
  service.member_timeout = milliseconds(timeouts.member);
  service.connect_timeout = milliseconds(timeouts.connect);
  service.listener = datapath::to_abi(listener.id);
  service.load_balancer = datapath::to_abi(lb.id);
  plan_.tables.services[key] = service;
  return true;
}

// All its addresses take from the buckets of the first one.
void ServicePlanner::limit_rates(const model::Listener& listener,
                                 const std::vector<base::IpAddress>& served) {
  const FlowRate& rate = rates_.of(listener.id);
  if (rate == FlowRate{} || served.empty()) return;
  const uint32_t bucket = plan_.tables.services.at(key_of(served.front(), listener)).id;
  for (const base::IpAddress& vip : served)
    plan_.tables.services.at(key_of(vip, listener)).rates = {rate.listener, rate.client,
                                                             rate.network, bucket};
}

void ServicePlanner::plan_pool(const model::Listener& listener, const Placement& placement,
                               const model::Pool* pool, base::Family family, lb_service& service) {
  if (pool == nullptr || !fits(listener.protocol, pool->protocol)) return;
  service.ring = pools_.ring(*pool, family);
  service.scheduler = scheduler_of(pool->algorithm);
  service.pool = datapath::to_abi(pool->id);
  if (placement.by == ServedBy::xdp) plan_persistence(*pool, family, service);
}

void ServicePlanner::plan_persistence(const model::Pool& pool, base::Family family,
                                      lb_service& service) {
  if (!pool.session_persistence) return;
  const model::SessionPersistence& persistence = *pool.session_persistence;
  const auto unapplied = [&](const std::string& why) {
    problem(pool.id, "session persistence " + std::string(model::word(persistence.type)) +
                         " is not applied: " + why);
  };
  if (persistence.type != model::PersistenceType::source_ip)
    return unapplied("flows have no cookies, and are balanced without it");
  const std::optional<lb_addr> mask = persistence_mask(persistence.persistence_granularity, family);
  if (!mask)
    return unapplied("its granularity " + persistence.persistence_granularity + " is no netmask");
  service.flags |= LB_SERVICE_PERSISTENT;
  service.persistence_timeout = persistence_timeout(persistence, pool.protocol);
  service.persistence_mask = *mask;
}

// A list that names nobody of this family lets nobody of it in: a set of its own, with no entries.
std::optional<uint32_t> ServicePlanner::cidr_set(const model::Listener& listener,
                                                 base::Family family) {
  if (listener.allowed_cidrs.empty()) return 0;
  std::set<base::IpPrefix> content;
  for (const base::IpPrefix& cidr : listener.allowed_cidrs)
    if (cidr.address.family() == family) content.insert(cidr.network());
  auto& cidrs = plan_.tables.cidrs;
  const std::optional<uint32_t> set = cidr_numbers_.number(content);
  if (!set) return std::nullopt;
  std::vector<lb_cidr_key> missing;
  for (const base::IpPrefix& cidr : content) {
    const lb_cidr_key key{LB_CIDR_SET_BITS + static_cast<uint32_t>(cidr.length), htonl(*set),
                          datapath::to_abi(cidr.address)};
    if (!cidrs.contains(key)) missing.push_back(key);
  }
  if (cidrs.size() + missing.size() > kMaxCidrs) return std::nullopt;
  for (const lb_cidr_key& key : missing) cidrs[key] = {*set};
  return set;
}

void ServicePlanner::finish() {
  pools_.finish();
  plan_.ids.services = std::move(service_numbers_).take();
  plan_.ids.cidr_sets = std::move(cidr_numbers_).take();
  std::erase_if(plan_.ids.services,
                [this](const auto& id) { return !plan_.tables.services.contains(id.first); });
}

// Flows to members that are planned no more go on, and follow routes and neighbours as all do.
void keep_ways(const std::set<base::IpAddress>& destinations, const netns::Observed& net,
               Plan& plan) {
  for (const base::IpAddress& address : destinations) {
    plan.layout.next_hop_targets.insert(address);
    if (plan.tables.destinations.contains(address)) continue;
    lb_nexthop& way = plan.tables.destinations[address];
    const auto hop = net.hops.find(address);
    const auto link = hop == net.hops.end() ? net.links.end() : net.links.find(hop->second.ifindex);
    if (link != net.links.end() && link->second.up && !link->second.loopback)
      way = next_hop(link->second, hop->second.neighbour);
  }
}

// Where HAProxy connects to, too: the kernel chooses the ports of its sockets and knows of no flow.
// It connects by TCP alone.
void mark_proxied(const model::Relations& related, Plan& plan) {
  std::set<base::Endpoint> proxied;
  for (const auto& [listener, placement] : plan.placements) {
    if (placement.by != ServedBy::haproxy) continue;
    for (const model::Pool* pool : related.pools_of(related.model().listeners.at(listener)))
      for (const model::Member* member : related.members_of(*pool)) {
        proxied.insert({member->address, member->protocol_port});
        proxied.insert({member->monitor_address.value_or(member->address),
                        member->monitor_port.value_or(member->protocol_port)});
      }
  }
  if (proxied.empty()) return;
  const auto is_other = [&related](const lb_backend& backend) {
    const auto pool = related.model().pools.find(datapath::from_abi(backend.pool));
    return pool != related.model().pools.end() && model::has_datagrams(pool->second.protocol);
  };
  for (auto& [number, backend] : plan.tables.backends) {
    if (is_other(backend)) continue;
    const base::Family family = datapath::from_abi(backend.family);
    if (proxied.contains({datapath::from_abi(family, backend.addr), ntohs(backend.port)}))
      backend.flags |= LB_BACKEND_PROXIED;
  }
}

// Of the kernel's own sockets.
void plan_kernel_ports(Plan& plan) {
  netns::LayoutSpec& layout = plan.layout;
  for (const auto& [listener, placement] : plan.placements)
    if (placement.by == ServedBy::haproxy)
      layout.local_port_min = std::min(layout.local_port_min, kProxyPortMin);
  plan.tables.kernel_ports = {layout.local_port_min, layout.local_port_max};
}

}  // namespace

health::SourcePorts probe_ports(const netns::LayoutSpec& configured) {
  const int low = configured.local_port_min, high = configured.local_port_max;
  const int first = std::max(low, high + 1 - LB_PROBE_PORTS);
  return {static_cast<uint16_t>(first), static_cast<uint16_t>(high + 1 - first)};
}

Plan make_plan(const model::Model& model, const Observed& observed, const Ids& ids,
               const Resting& resting, const netns::LayoutSpec& configured, const Memory& memory) {
  Plan plan;
  const model::Relations related(model);
  const Networks networks(observed.net, configured);
  plan.layout = make_layout(related, networks, configured);
  ServicePlanner planner(related, networks, observed, {ids, resting, memory}, plan);
  for (const auto& [id, lb] : model.load_balancers)
    if (is_wanted(lb) && vips_of(lb).empty())
      plan.problems.emplace(id, "VIP " + lb.vip_address.text() + " cannot be an address of a host");
  for (const auto& [id, listener] : model.listeners) {
    const model::LoadBalancer& lb = model.load_balancers.at(listener.load_balancer);
    if (is_wanted(lb) && is_wanted(listener)) planner.plan_listener(lb, listener);
  }
  planner.finish();
  // Backends of a listener that had to be left out.
  std::erase_if(plan.haproxy, [](const auto& one) { return one.second.frontends.empty(); });
  keep_ways(resting.destinations, observed.net, plan);
  mark_proxied(related, plan);
  plan_kernel_ports(plan);
  // An amphora has one load balancer.
  if (model.amphora && !model.load_balancers.empty())
    plan.haproxy[model.load_balancers.begin()->first].uploaded = {
        observed.obstacle.empty() ? model.amphora->haproxy_text : model.amphora->whole_text,
        model.amphora->peer_name};
  plan.targets = make_targets(related, plan.haproxy, plan.placements);
  return plan;
}

}  // namespace plan
