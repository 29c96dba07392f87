#include "agent/plan/pools.h"

#include <arpa/inet.h>
#include <endian.h>

#include <algorithm>
#include <cstring>

#include "agent/datapath/abi.h"
#include "agent/model/datagrams.h"
#include "agent/plan/neighbours.h"

namespace plan {

namespace {

// By endpoint, not by id: the nodes of a pair and a member made anew give the same ring. Addresses
// (of one family) as numbers, beside each other: thousands of members are sorted in every plan.
struct ByEndpoint {
  explicit ByEndpoint(const model::Member& m) : port(m.protocol_port), member(&m) {
    uint64_t words[2] = {};
    std::memcpy(words, m.address.bytes(), m.address.size());
    high = be64toh(words[0]);
    low = be64toh(words[1]);
  }
  bool operator<(const ByEndpoint& other) const {
    if (high != other.high) return high < other.high;
    if (low != other.low) return low < other.low;
    return port != other.port ? port < other.port : member->id < other.member->id;
  }

  uint64_t high, low;
  uint16_t port;
  const model::Member* member;
};

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
      planned.backend->weight = static_cast<decltype(lb_backend::weight)>(planned.member->weight);
  plan_.tables.rings[*number] = {pool.id, family, ring_slots(pool, family, members)};
  return *number;
}

// Members that new flows go to in turn, and those that would take part but cannot now: the
// primaries, or all the backups when no primary is usable. Empty: nobody is.
std::vector<PoolPlanner::Planned> PoolPlanner::on_turn(const std::vector<Planned>& backends) {
  for (const bool backup : {false, true}) {
    std::vector<Planned> members;
    members.reserve(backends.size());
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
      if (planned.usable) ring.push_back(planned.number);
    return ring;
  }
  std::vector<const Planned*> scheduled;
  std::vector<MaglevBackend> backends;
  backends.reserve(members.size());
  scheduled.reserve(members.size());
  for (const Planned& planned : members) {
    if (!planned.usable && pool.algorithm != model::Algorithm::round_robin) continue;
    const model::Member& member = *planned.member;
    scheduled.push_back(&planned);
    backends.push_back(
        {{member.address, member.protocol_port}, static_cast<uint32_t>(member.weight)});
  }
  const auto& slots = schedules_.slots({pool.id, family}, pool.algorithm, std::move(backends));
  ring.reserve(slots.size());
  for (uint16_t slot : slots)
    if (scheduled[slot]->usable) ring.push_back(scheduled[slot]->number);
  return ring;
}

std::vector<PoolPlanner::Planned> PoolPlanner::plan_backends(const model::Pool& pool,
                                                             base::Family family) {
  const std::set<base::IpAddress> vips =
      vips_of(related_.model().load_balancers.at(pool.load_balancer));
  const std::set<uint32_t> vip_links = links_of(vips, family);
  std::vector<ByEndpoint> members;
  members.reserve(related_.members_of(pool).size());
  for (const model::Member* member : related_.members_of(pool)) {
    const base::Family own = member->address.family();
    if (!is_wanted(*member)) continue;
    if (own == family) {
      members.emplace_back(*member);
    } else if (model::has_datagrams(pool.protocol) &&
               std::none_of(vips.begin(), vips.end(),
                            [own](const auto& vip) { return vip.family() == own; })) {
      problem(member->id, "no VIP of the load balancer is " + text(own) + " as member " +
                              member->address.text() + " is");
    }
  }
  std::sort(members.begin(), members.end());
  std::vector<Planned> backends;
  backends.reserve(members.size());
  for (const ByEndpoint& entry : members)
    if (auto planned = plan_backend(*entry.member, pool, vip_links)) backends.push_back(*planned);
  return backends;
}

std::optional<PoolPlanner::Planned> PoolPlanner::plan_backend(const model::Member& member,
                                                              const model::Pool& pool,
                                                              const std::set<uint32_t>& vip_links) {
  Reach& to = reach(member.address);
  const std::optional<uint16_t> number = number_of(member, to);
  if (!number) return std::nullopt;
  const std::optional<Way> way = way_to(member, to, vip_links);
  lb_backend backend{};
  backend.addr = datapath::to_abi(member.address);
  backend.port = htons(member.protocol_port);
  backend.family = datapath::to_abi(member.address.family());
  backend.flags = LB_BACKEND_PRESENT;
  if (way) {
    backend.flags |= way->flags;
    backend.snat = way->source;
  }
  const bool down = observed_.down.contains(member.id);
  if (down) backend.flags |= LB_BACKEND_GONE;
  if (way && !down && member.admin_state_up && pool.admin_state_up)
    backend.flags |= LB_BACKEND_RETURNING;
  backend.member = datapath::to_abi(member.id);
  backend.pool = datapath::to_abi(pool.id);
  if (to.destination == nullptr) to.destination = &plan_.tables.destinations[member.address];
  if (way) *to.destination = to.hop;
  // Numbers mostly come in their order, and then the end is the place.
  auto& backends = plan_.tables.backends;
  const auto entry = backends.emplace_hint(backends.end(), *number, backend);
  const bool eligible = member.admin_state_up && member.weight > 0;
  return Planned{&member, *number, &entry->second, eligible, eligible && way && !down};
}

std::optional<uint16_t> PoolPlanner::number_of(const model::Member& member, const Reach& reach) {
  if (!reach.is_unicast || member.protocol_port == 0) {
    // Octavia's text of a UDP pool does not say where a member is that is off.
    if (!related_.model().amphora || member.admin_state_up)
      problem(member.id, reason_against(member));
    return std::nullopt;
  }
  if (reach.is_vip) {
    problem(member.id, "member address " + member.address.text() +
                           " is a VIP of this load balancer or of another");
    return std::nullopt;
  }
  if (reach.destination == nullptr && plan_.tables.destinations.size() >= kMaxDestinations) {
    problem(member.id, "members have more than " + std::to_string(kMaxDestinations) + " addresses");
    return std::nullopt;
  }
  std::optional<uint16_t> number = backend_numbers_.number(member.id);
  if (!number)
    problem(member.id, "no backend number is free: all " + std::to_string(LB_MAX_BACKENDS - 1) +
                           " are in use or named by flows that live");
  return number;
}

// Looked up once for all members at the address.
PoolPlanner::Reach& PoolPlanner::reach(const base::IpAddress& address) {
  const auto [found, is_new] = reaches_.try_emplace(address);
  Reach& reach = found->second;
  if (!is_new) return reach;
  reach.is_unicast = is_unicast(address);
  reach.is_vip = vips_.contains(address);
  const auto& links = observed_.net.links;
  const auto hop = observed_.net.hops.find(address);
  const auto link = hop == observed_.net.hops.end() ? links.end() : links.find(hop->second.ifindex);
  if (link == links.end() || !link->second.up) {
    reach.problem = "no route to member " + address.text();
  } else if (link->second.loopback) {
    reach.problem = "member " + address.text() + " is an address of this machine";
  } else {
    reach.interface = link->second.name;
    reach.hop = next_hop(link->second, hop->second.neighbour);
    const auto floating = networks_.floating_on(link->first, address.family());
    reach.source = floating ? floating : hop->second.source;
    reach.floats = floating.has_value();
  }
  return reach;
}

// The VIP is the source where every VIP of the family is at home on the link that leads to the
// member: an answer to it then comes back here. Elsewhere it is an address of the link.
std::optional<PoolPlanner::Way> PoolPlanner::way_to(const model::Member& member, const Reach& reach,
                                                    const std::set<uint32_t>& vip_links) {
  if (!reach.problem.empty()) {
    problem(member.id, reach.problem);
    return std::nullopt;
  }
  if (vip_links.size() == 1 && *vip_links.begin() == reach.hop.ifindex)
    return Way{LB_BACKEND_SNAT_VIP, {}};
  if (!reach.source || reach.source->family() != member.address.family()) {
    problem(member.id, "interface " + reach.interface + " has no address to reach member " +
                           member.address.text() + " from");
    return std::nullopt;
  }
  return Way{static_cast<uint8_t>(reach.floats ? LB_BACKEND_SNAT_FLOATS : 0),
             datapath::to_abi(*reach.source)};
}

std::set<uint32_t> PoolPlanner::links_of(const std::set<base::IpAddress>& vips,
                                         base::Family family) const {
  std::set<uint32_t> links;
  for (const base::IpAddress& vip : vips)
    if (vip.family() == family) links.insert(networks_.link_of(vip).ifindex);
  return links;
}

}  // namespace plan
