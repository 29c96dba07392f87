#include "agent/plan/pools.h"

#include <arpa/inet.h>

#include <algorithm>
#include <tuple>

#include "agent/datapath/abi.h"
#include "agent/plan/neighbours.h"
#include "agent/plan/wanted.h"

namespace plan {

namespace {

// By place, not by id: the nodes of a pair and a member made anew give the same ring.
bool by_place(const model::Member* a, const model::Member* b) {
  return std::tie(a->address, a->protocol_port, a->id) <
         std::tie(b->address, b->protocol_port, b->id);
}

}  // namespace

PoolPlanner::PoolPlanner(const model::Relations& related, const Networks& networks,
                         const Observed& observed, const Before& before, Plan& plan)
    : related_(related),
      networks_(networks),
      observed_(observed),
      plan_(plan),
      ring_numbers_(before.ids.rings, {}, 1, LB_MAX_RINGS),
      backend_numbers_(before.ids.backends, before.resting.backends, 1, LB_MAX_BACKENDS),
      schedules_(before.memory) {
  for (const auto& [id, lb] : related.model().load_balancers)
    if (is_wanted(lb)) vips_.merge(vips_of(lb));
}

void PoolPlanner::finish() {
  plan_.ids.rings = std::move(ring_numbers_).take();
  plan_.ids.backends = std::move(backend_numbers_).take();
  plan_.memory = std::move(schedules_).take();
}

uint32_t PoolPlanner::ring(const model::Pool& pool, base::Family family) {
  const RingKey key{pool.id, family};
  if (const auto known = rings_.find(key); known != rings_.end()) return known->second;
  return rings_[key] = plan_ring(pool, family);
}

uint32_t PoolPlanner::plan_ring(const model::Pool& pool, base::Family family) {
  const std::vector<Planned> members = on_turn(plan_backends(pool, family));
  if (members.empty() || !pool.admin_state_up) return 0;
  const std::optional<uint32_t> number = ring_numbers_.number({pool.id, family});
  if (!number) {
    problem(pool.id, "no ring number is free: " + std::to_string(LB_MAX_RINGS - 1) + " are in use");
    return 0;
  }
  for (const Planned& planned : members)
    if (planned.usable)
      plan_.tables.backends.at(planned.backend).weight =
          static_cast<decltype(lb_backend::weight)>(planned.member->weight);
  plan_.tables.rings[*number] = {pool.id, family, ring_slots(pool, family, members)};
  return *number;
}

// Members that new flows go to in turn, and those that would take part but cannot now: the
// primaries, or all the backups when no primary is usable. Empty: nobody is.
std::vector<PoolPlanner::Planned> PoolPlanner::on_turn(const std::vector<Planned>& backends) {
  for (const bool backup : {false, true}) {
    std::vector<Planned> members;
    bool serves = false;
    for (const Planned& planned : backends) {
      if (planned.member->backup != backup || !planned.eligible) continue;
      members.push_back(planned);
      serves = serves || planned.usable;
    }
    if (serves) return members;
  }
  return {};
}

// Turns by weight are given to all, and who is not usable is left out when they are taken: a member
// that goes down or comes back costs no new schedule. A hash has to know who is there, as it hands
// a missing one's slots to the others.
std::vector<uint16_t> PoolPlanner::ring_slots(const model::Pool& pool, base::Family family,
                                              const std::vector<Planned>& members) {
  std::vector<uint16_t> ring;
  if (pool.algorithm == model::Algorithm::least_connections) {
    for (const Planned& planned : members)
      if (planned.usable) ring.push_back(planned.backend);
    return ring;
  }
  std::vector<const Planned*> scheduled;
  std::vector<MaglevBackend> places;
  for (const Planned& planned : members) {
    if (!planned.usable && pool.algorithm != model::Algorithm::round_robin) continue;
    const model::Member& member = *planned.member;
    scheduled.push_back(&planned);
    places.push_back(
        {{member.address, member.protocol_port}, static_cast<uint32_t>(member.weight)});
  }
  const auto& slots = schedules_.slots({pool.id, family}, pool.algorithm, std::move(places));
  ring.reserve(slots.size());
  for (uint16_t slot : slots)
    if (scheduled[slot]->usable) ring.push_back(scheduled[slot]->backend);
  return ring;
}

std::vector<PoolPlanner::Planned> PoolPlanner::plan_backends(const model::Pool& pool,
                                                             base::Family family) {
  const std::set<base::IpAddress> vips =
      vips_of(related_.model().load_balancers.at(pool.load_balancer));
  const std::set<uint32_t> vip_links = links_of(vips, family);
  std::vector<const model::Member*> members;
  for (const model::Member* member : related_.members_of(pool))
    if (is_wanted(*member)) members.push_back(member);
  std::sort(members.begin(), members.end(), by_place);
  std::vector<Planned> backends;
  for (const model::Member* member : members) {
    const base::Family own = member->address.family();
    if (own == family) {
      if (auto planned = plan_backend(*member, pool, vip_links)) backends.push_back(*planned);
    } else if (pool.protocol == model::PoolProtocol::udp &&
               std::none_of(vips.begin(), vips.end(),
                            [own](const auto& vip) { return vip.family() == own; })) {
      problem(member->id, "no VIP of the load balancer is " + text(own) + " as member " +
                              member->address.text() + " is");
    }
  }
  return backends;
}

std::optional<PoolPlanner::Planned> PoolPlanner::plan_backend(const model::Member& member,
                                                              const model::Pool& pool,
                                                              const std::set<uint32_t>& vip_links) {
  const std::optional<uint16_t> number = number_of(member);
  if (!number) return std::nullopt;
  const std::optional<Way> way = way_to(member, vip_links);
  lb_backend backend{};
  backend.addr = datapath::to_abi(member.address);
  backend.port = htons(member.protocol_port);
  backend.family = datapath::to_abi(member.address.family());
  backend.flags = LB_BACKEND_PRESENT;
  if (way && way->from_vip) backend.flags |= LB_BACKEND_SNAT_VIP;
  if (way) backend.snat = way->source;
  const bool down = observed_.down.contains(member.id);
  if (down) backend.flags |= LB_BACKEND_GONE;
  if (way && !down && member.admin_state_up && pool.admin_state_up)
    backend.flags |= LB_BACKEND_RETURNING;
  backend.member = datapath::to_abi(member.id);
  backend.pool = datapath::to_abi(pool.id);
  plan_.tables.backends[*number] = backend;
  plan_.tables.destinations[member.address] = way ? way->hop : lb_nexthop{};
  const bool eligible = member.admin_state_up && member.weight > 0;
  return Planned{&member, *number, eligible, eligible && way && !down};
}

std::optional<uint16_t> PoolPlanner::number_of(const model::Member& member) {
  if (std::string reason = reason_against(member); !reason.empty()) {
    problem(member.id, std::move(reason));
    return std::nullopt;
  }
  if (vips_.contains(member.address)) {
    problem(member.id, "member address " + member.address.text() +
                           " is a VIP of this load balancer or of another");
    return std::nullopt;
  }
  const auto& destinations = plan_.tables.destinations;
  if (destinations.size() >= kMaxDestinations && !destinations.contains(member.address)) {
    problem(member.id, "members have more than " + std::to_string(kMaxDestinations) + " addresses");
    return std::nullopt;
  }
  std::optional<uint16_t> number = backend_numbers_.number(member.id);
  if (!number)
    problem(member.id, "no backend number is free: all " + std::to_string(LB_MAX_BACKENDS - 1) +
                           " are in use or named by flows that live");
  return number;
}

// The VIP is the source where every VIP of the family is at home on the link that leads to the
// member: an answer to it then comes back here. Elsewhere it is the address of the link.
std::optional<PoolPlanner::Way> PoolPlanner::way_to(const model::Member& member,
                                                    const std::set<uint32_t>& vip_links) {
  const auto hop = observed_.net.hops.find(member.address);
  const auto link = hop == observed_.net.hops.end() ? observed_.net.links.end()
                                                    : observed_.net.links.find(hop->second.ifindex);
  if (link == observed_.net.links.end() || !link->second.up) {
    problem(member.id, "no route to member " + member.address.text());
    return std::nullopt;
  }
  if (link->second.loopback) {
    problem(member.id, "member " + member.address.text() + " is an address of this machine");
    return std::nullopt;
  }
  Way way{next_hop(link->second, hop->second.neighbour), vip_links == std::set{link->first}, {}};
  if (way.from_vip) return way;
  const std::optional<base::IpAddress>& source = hop->second.source;
  if (!source || source->family() != member.address.family()) {
    problem(member.id, "interface " + link->second.name + " has no address to reach member " +
                           member.address.text() + " from");
    return std::nullopt;
  }
  way.source = datapath::to_abi(*source);
  return way;
}

std::set<uint32_t> PoolPlanner::links_of(const std::set<base::IpAddress>& vips,
                                         base::Family family) const {
  std::set<uint32_t> links;
  for (const base::IpAddress& vip : vips)
    if (vip.family() == family) links.insert(networks_.link_of(vip).ifindex);
  return links;
}

}  // namespace plan
