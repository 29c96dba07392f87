#include "tests/unit/tables/random_tables.h"

#include <arpa/inet.h>
#include <rapidcheck.h>

namespace datapath {
namespace {

template <class T>
std::string bytes(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint32_t below(uint32_t end) { return *rc::gen::inRange<uint32_t>(0, end); }

}  // namespace

std::set<std::string> contents(const Tables& t) {
  std::set<std::string> out;
  for (const auto& [key, value] : t.services) out.insert("service" + bytes(key) + bytes(value));
  for (const auto& [id, ring] : t.rings) {
    std::string slots;
    for (uint16_t slot : ring.slots) slots += std::to_string(slot) + ",";
    out.insert("ring" + std::to_string(id) + ring.pool.text() + slots);
  }
  for (const auto& [id, value] : t.backends)
    out.insert("backend" + std::to_string(id) + bytes(value));
  for (const auto& [key, value] : t.cidrs) out.insert("cidr" + bytes(key) + bytes(value));
  for (const auto& [address, hop] : t.destinations)
    out.insert("destination" + address.text() + bytes(hop));
  return out;
}

CidrSets cidr_sets(const Tables& t) {
  CidrSets sets;
  for (const auto& [key, value] : t.cidrs) sets[ntohl(key.set)].insert(bytes(key) + bytes(value));
  return sets;
}

std::optional<std::string> broken(const Tables& t, const CidrSets& complete) {
  const auto sets = cidr_sets(t);
  for (const auto& [key, service] : t.services) {
    if (service.ring != 0 && !t.rings.contains(service.ring)) return "service without its ring";
    if (service.cidr_set == 0) continue;
    const auto set = sets.find(service.cidr_set);
    if (set == sets.end() || set->second != complete.at(service.cidr_set))
      return "service with a part of its CIDR set";
  }
  for (const auto& [id, ring] : t.rings) {
    for (uint16_t slot : ring.slots) {
      if (!t.backends.contains(slot)) return "ring without its backend";
    }
  }
  for (const auto& [id, backend] : t.backends) {
    if (!t.destinations.contains(from_abi(base::Family::ipv4, backend.addr)))
      return "backend without its destination";
  }
  return std::nullopt;
}

base::IpAddress member(uint32_t host) { return base::IpAddress::v4(0xcb007100u + host); }

lb_backend backend_at(uint32_t host) {
  lb_backend backend{};
  backend.addr = to_abi(member(host));
  backend.family = LB_IPV4;
  backend.port = htons(8080);
  backend.flags = LB_BACKEND_PRESENT;
  return backend;
}

Ring ring_of(std::vector<uint16_t> slots) {
  Ring ring;
  ring.slots = std::move(slots);
  return ring;
}

lb_service_key service_key(uint16_t port) {
  return {to_abi(member(99)), htons(port), IPPROTO_TCP, LB_IPV4};
}

lb_service service_of(uint32_t id, uint32_t ring) {
  lb_service service{};
  service.id = id;
  service.ring = ring;
  return service;
}

Tables random_tables() {
  Tables t;
  for (uint16_t id = 1; id <= 5; ++id) {
    if (below(3) == 0) continue;
    const uint32_t host = 1 + below(4);
    t.backends[id] = backend_at(host);
    t.backends[id].weight = static_cast<uint16_t>(below(3));
    t.destinations[member(host)].ifindex = 2 + below(2);
  }
  std::vector<uint16_t> usable;
  for (const auto& [id, backend] : t.backends) usable.push_back(id);
  for (uint32_t id = 1; id <= 3 && !usable.empty(); ++id) {
    if (below(3) == 0) continue;
    Ring ring;
    for (uint32_t n = 1 + below(4); n > 0; --n)
      ring.slots.push_back(usable[below(static_cast<uint32_t>(usable.size()))]);
    t.rings[id] = ring;
  }
  for (uint32_t port = 80; port < 84; ++port) {
    if (below(3) == 0) continue;
    lb_service service{};
    service.id = 1 + below(9);
    service.connection_limit = service.id % 3;
    service.listener.uuid[0] = static_cast<uint8_t>(service.id % 3);
    service.ring = below(4);
    if (!t.rings.contains(service.ring)) service.ring = 0;
    service.cidr_set = below(4);
    for (uint32_t n = 0; service.cidr_set != 0 && n <= service.cidr_set; ++n) {
      const lb_cidr_key key{LB_CIDR_SET_BITS + 32, htonl(service.cidr_set), to_abi(member(n))};
      t.cidrs[key] = lb_cidr{service.cidr_set};
    }
    t.services[service_key(static_cast<uint16_t>(port))] = service;
  }
  return t;
}

}  // namespace datapath
