#include "agent/datapath/tables.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "agent/datapath/abi.h"

namespace datapath {
namespace {

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (requires { a == b; }) {
    return a == b;
  } else {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
  }
}

template <class Put, class Map>
void put_changed(const Map& have, const Map& want, std::vector<Step>& steps) {
  for (const auto& [key, value] : want) {
    const auto it = have.find(key);
    if (it == have.end() || !same(it->second, value)) steps.push_back(Put{key, value});
  }
}

template <class Erase, class Map>
void erase_missing(const Map& have, const Map& want, std::vector<Step>& steps) {
  for (const auto& [key, value] : have) {
    if (!want.contains(key)) steps.push_back(Erase{key});
  }
}

std::string protocol_name(uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp ";
    case IPPROTO_UDP:
      return "udp ";
    case IPPROTO_SCTP:
      return "sctp ";
    default:
      return "";
  }
}

std::string text(const lb_service_key& key) {
  const base::Endpoint vip{from_abi(from_abi(key.family), key.vip), ntohs(key.port)};
  return protocol_name(key.proto) + vip.text();
}

std::string text(const lb_cidr_key& key) {
  // A CIDR does not say its family; an IPv4 one has nothing behind its first word.
  const int length = static_cast<int>(key.prefixlen) - LB_CIDR_SET_BITS;
  const bool long_one = length > 32 || key.addr.ip[1] != 0 || key.addr.ip[2] != 0;
  const base::Family family = long_one ? base::Family::ipv6 : base::Family::ipv4;
  return "cidr " + base::IpPrefix{from_abi(family, key.addr), length}.text() + " of set " +
         std::to_string(ntohl(key.set));
}

struct Describe {
  std::string operator()(const PutDestination& s) const {
    return "put next hop towards " + s.address.text();
  }
  std::string operator()(const PutBackend& s) const {
    const base::Endpoint member{from_abi(from_abi(s.value.family), s.value.addr),
                                ntohs(s.value.port)};
    return "put backend " + std::to_string(s.id) + " " + member.text();
  }
  std::string operator()(const PutRing& s) const {
    return "put ring " + std::to_string(s.id) + " of " + std::to_string(s.value.slots.size()) +
           " slots";
  }
  std::string operator()(const PutCidr& s) const { return "put " + text(s.key); }
  std::string operator()(const PutService& s) const {
    return "put service " + std::to_string(s.value.id) + " " + text(s.key);
  }
  std::string operator()(const PutKernelPorts& s) const {
    return "put the kernel's ports " + std::to_string(s.value.min) + "-" +
           std::to_string(s.value.max);
  }
  std::string operator()(const EraseService& s) const { return "erase service " + text(s.key); }
  std::string operator()(const EraseCidr& s) const { return "erase " + text(s.key); }
  std::string operator()(const EraseRing& s) const { return "erase ring " + std::to_string(s.id); }
  std::string operator()(const EraseBackend& s) const {
    return "erase backend " + std::to_string(s.id);
  }
  std::string operator()(const EraseDestination& s) const {
    return "erase next hop towards " + s.address.text();
  }
};

}  // namespace

std::vector<Step> diff(const Tables& have, const Tables& want) {
  std::vector<Step> steps;
  put_changed<PutDestination>(have.destinations, want.destinations, steps);
  if (!same(have.kernel_ports, want.kernel_ports))
    steps.push_back(PutKernelPorts{want.kernel_ports});
  std::vector<Step> backends, gone;
  put_changed<PutBackend>(have.backends, want.backends, backends);
  for (Step& step : backends) {
    const auto& put = std::get<PutBackend>(step);
    const bool is_late = (put.value.flags & LB_BACKEND_GONE) != 0 && have.backends.contains(put.id);
    (is_late ? gone : steps).push_back(std::move(step));
  }
  put_changed<PutRing>(have.rings, want.rings, steps);
  put_changed<PutCidr>(have.cidrs, want.cidrs, steps);
  put_changed<PutService>(have.services, want.services, steps);
  std::move(gone.begin(), gone.end(), std::back_inserter(steps));
  erase_missing<EraseService>(have.services, want.services, steps);
  erase_missing<EraseCidr>(have.cidrs, want.cidrs, steps);
  erase_missing<EraseRing>(have.rings, want.rings, steps);
  erase_missing<EraseBackend>(have.backends, want.backends, steps);
  erase_missing<EraseDestination>(have.destinations, want.destinations, steps);
  return steps;
}

std::string describe(const Step& step) { return std::visit(Describe{}, step); }

bool may_end_flows(const Step& step) {
  if (const auto* put = std::get_if<PutBackend>(&step))
    return (put->value.flags & LB_BACKEND_GONE) != 0 ||
           (put->value.flags & LB_BACKEND_RETURNING) == 0;
  return std::holds_alternative<EraseService>(step) || std::holds_alternative<EraseBackend>(step);
}

}  // namespace datapath
