#include "agent/plan/pools.h"

#include <arpa/inet.h>

#include <algorithm>
#include <tuple>

#include "agent/plan/maglev.h"
#include "agent/plan/neighbours.h"
#include "agent/plan/schedule.h"

namespace plan {

namespace {

// By place, not by id: the nodes of a pair and a member made anew give the same ring.
bool by_place(const model::Member* a, const model::Member* b) {
  return std::tie(a->address, a->protocol_port, a->id) <
         std::tie(b->address, b->protocol_port, b->id);
}

std::vector<uint16_t> weighted_ring(const std::vector<const model::Member*>& members) {
  std::vector<uint32_t> weights;
  weights.reserve(members.size());
  for (const model::Member* member : members)
    weights.push_back(static_cast<uint32_t>(member->weight));
  return interleave(slot_counts(weights, LB_MAX_RING_SLOTS));
}

std::vector<uint16_t> hash_ring(const std::vector<const model::Member*>& members) {
  std::vector<MaglevBackend> backends;
  backends.reserve(members.size());
  for (const model::Member* member : members)
    backends.push_back(
        {{member->address, member->protocol_port}, static_cast<uint32_t>(member->weight)});
  return maglev_table(backends, LB_MAX_RING_SLOTS);
}

// Slot -> index in `members`.
std::vector<uint16_t> slots_of(model::Algorithm algorithm,
                               const std::vector<const model::Member*>& members) {
  switch (algorithm) {
    case model::Algorithm::round_robin:
      return weighted_ring(members);
    case model::Algorithm::source_ip:
    case model::Algorithm::source_ip_port:
      return hash_ring(members);
    case model::Algorithm::least_connections:
      break;
  }
  std::vector<uint16_t> each_once(members.size());
  for (size_t i = 0; i < members.size(); i++) each_once[i] = static_cast<uint16_t>(i);
  return each_once;
}

}  // namespace

lb_tag tag_of(const base::Uuid& id) {
  lb_tag tag{};
  std::copy(id.bytes.begin(), id.bytes.end(), tag.uuid);
  return tag;
}

uint8_t abi_family(base::Family family) { return family == base::Family::ipv6 ? LB_IPV6 : LB_IPV4; }

std::string text(base::Family family) { return family == base::Family::ipv6 ? "IPv6" : "IPv4"; }

PoolPlanner::PoolPlanner(const model::Model& model, const Observed& observed, const Ids& ids,
                         const Resting& resting, const netns::LayoutSpec& configured, Plan& plan)
    : model_(model),
      observed_(observed),
      configured_(configured),
      plan_(plan),
      ring_numbers_(ids.rings, {}, 1, LB_MAX_RINGS),
      backend_numbers_(ids.backends, resting.backends, 1, LB_MAX_BACKENDS) {
  for (const auto& [id, member] : model.members)
    if (is_wanted(member)) members_[member.pool].push_back(&member);
  for (auto& [pool, members] : members_) std::sort(members.begin(), members.end(), by_place);
  for (const auto& [id, lb] : model.load_balancers)
    if (is_wanted(lb)) vips_.merge(vips_of(lb));
}

void PoolPlanner::finish() {
  plan_.ids.rings = std::move(ring_numbers_).take();
  plan_.ids.backends = std::move(backend_numbers_).take();
}

uint32_t PoolPlanner::ring(const model::Pool& pool, base::Family family) {
  const RingKey key{pool.id, family};
  if (const auto known = rings_.find(key); known != rings_.end()) return known->second;
  return rings_[key] = plan_ring(pool, family);
}

uint32_t PoolPlanner::plan_ring(const model::Pool& pool, base::Family family) {
  const std::vector<Planned> members = usable(plan_backends(pool, family));
  if (members.empty() || !pool.admin_state_up) return 0;
  const std::optional<uint32_t> number = ring_numbers_.number({pool.id, family});
  if (!number) {
    problem(pool.id, "no ring number is free: " + std::to_string(LB_MAX_RINGS - 1) + " are in use");
    return 0;
  }
  std::vector<const model::Member*> in_ring;
  for (const Planned& planned : members) {
    in_ring.push_back(planned.member);
    plan_.tables.backends.at(planned.backend).weight =
        static_cast<decltype(lb_backend::weight)>(planned.member->weight);
  }
  datapath::Ring ring{pool.id, family, slots_of(pool.algorithm, in_ring)};
  for (uint16_t& slot : ring.slots) slot = members[slot].backend;
  plan_.tables.rings[*number] = std::move(ring);
  return *number;
}

// Members that may get new flows: the primaries, or all the backups when no primary can.
std::vector<PoolPlanner::Planned> PoolPlanner::usable(const std::vector<Planned>& backends) const {
  std::vector<Planned> primaries, backups;
  for (const Planned& planned : backends) {
    const model::Member& member = *planned.member;
    if (!planned.reachable || !member.admin_state_up || member.weight <= 0) continue;
    if (observed_.down.contains(member.id)) continue;
    (member.backup ? backups : primaries).push_back(planned);
  }
  return primaries.empty() ? backups : primaries;
}

std::vector<PoolPlanner::Planned> PoolPlanner::plan_backends(const model::Pool& pool,
                                                             base::Family family) {
  const std::set<base::IpAddress> vips = vips_of(model_.load_balancers.at(pool.load_balancer));
  const std::set<uint32_t> vip_links = links_of_vips(pool, family);
  std::vector<Planned> backends;
  for (const model::Member* member : members_[pool.id]) {
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
  backend.family = abi_family(member.address.family());
  backend.flags = LB_BACKEND_PRESENT;
  if (way && way->from_vip) backend.flags |= LB_BACKEND_SNAT_VIP;
  if (way) backend.snat = way->source;
  const bool down = observed_.down.contains(member.id);
  if (down) backend.flags |= LB_BACKEND_GONE;
  if (way && !down && member.admin_state_up && pool.admin_state_up)
    backend.flags |= LB_BACKEND_RETURNING;
  backend.member = tag_of(member.id);
  backend.pool = tag_of(pool.id);
  plan_.tables.backends[*number] = backend;
  plan_.tables.destinations[member.address] = way ? way->hop : lb_nexthop{};
  return Planned{&member, *number, way.has_value()};
}

std::optional<uint16_t> PoolPlanner::number_of(const model::Member& member) {
  const base::Endpoint place{member.address, member.protocol_port};
  if (!is_unicast(member.address) || member.protocol_port == 0) {
    problem(member.id, "nobody can listen at " + place.text());
    return std::nullopt;
  }
  if (vips_.contains(member.address)) {
    problem(member.id, "member " + place.text() + " is a VIP of this load balancer or of another");
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

std::set<uint32_t> PoolPlanner::links_of_vips(const model::Pool& pool, base::Family family) const {
  std::set<uint32_t> links;
  for (const base::IpAddress& vip : vips_of(model_.load_balancers.at(pool.load_balancer)))
    if (vip.family() == family) links.insert(place_of(vip, observed_.net, configured_).ifindex);
  return links;
}

}  // namespace plan
