#include "agent/plan/ids.h"

#include <arpa/inet.h>

#include "agent/datapath/abi.h"
#include "agent/plan/plan.h"

namespace plan {

namespace {

base::IpPrefix prefix_of(const lb_cidr_key& key, base::Family family) {
  const int length = static_cast<int>(key.prefixlen) - LB_CIDR_SET_BITS;
  return {datapath::from_abi(family, key.addr), length};
}

// Entries of lb_cidrs do not say their family: the services that name the set do. A set that no
// service names was on its way in or out; what it is taken for does not matter, its number does.
std::map<std::set<base::IpPrefix>, uint32_t> cidr_sets_of(const datapath::Tables& applied) {
  std::map<uint32_t, base::Family> families;
  for (const auto& [key, service] : applied.services)
    if (service.cidr_set != 0) families[service.cidr_set] = datapath::from_abi(key.family);
  std::map<uint32_t, std::set<base::IpPrefix>> contents;
  for (const auto& [number, family] : families) contents[number];
  for (const auto& [key, cidr] : applied.cidrs) {
    const uint32_t number = ntohl(key.set);
    const auto family = families.find(number);
    contents[number].insert(
        prefix_of(key, family == families.end() ? base::Family::ipv6 : family->second));
  }
  // Of two sets alike the later number stays: new numbers begin above all that are known.
  std::map<std::set<base::IpPrefix>, uint32_t> sets;
  for (const auto& [number, content] : contents) sets[content] = number;
  return sets;
}

}  // namespace

Ids ids_of(const datapath::Tables& applied) {
  Ids ids;
  for (const auto& [key, service] : applied.services) ids.services[key] = service.id;
  for (const auto& [number, ring] : applied.rings) ids.rings[{ring.pool, ring.family}] = number;
  for (const auto& [number, backend] : applied.backends)
    ids.backends[datapath::from_abi(backend.member)] = number;
  ids.cidr_sets = cidr_sets_of(applied);
  return ids;
}

std::set<base::Uuid> down_in(const datapath::Tables& applied) {
  std::set<base::Uuid> down;
  for (const auto& [number, backend] : applied.backends)
    if ((backend.flags & LB_BACKEND_GONE) != 0) down.insert(datapath::from_abi(backend.member));
  return down;
}

}  // namespace plan
