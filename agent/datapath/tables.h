// The contents of the maps the agent owns, as a value; and the way from one value to another.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/uuid.h"
#include "bpf/lb_abi.h"

namespace datapath {

// Whether flows of another node come into the table. They have no next hop towards the client, and
// their first packet looks for one; else what has none is the kernel's.
enum class ForeignFlows : uint8_t { none, come };

// Orders ABI structs by their bytes, so that they can be map keys. Padding is zero by contract.
template <class T>
struct BytesLess {
  bool operator()(const T& a, const T& b) const { return __builtin_memcmp(&a, &b, sizeof(T)) < 0; }
};

struct Ring {
  base::Uuid pool;
  base::Family family = base::Family::ipv4;
  std::vector<uint16_t> slots;  // backend ids; never empty

  friend bool operator==(const Ring&, const Ring&) = default;
};

struct Tables {
  std::map<lb_service_key, lb_service, BytesLess<lb_service_key>> services;
  std::map<uint32_t, Ring> rings;           // by index in lb_rings
  std::map<uint16_t, lb_backend> backends;  // by index in lb_backends; `nexthop` is 0 here: apply()
                                            // fills in the id of the destination's next hop
  std::map<base::IpAddress, lb_nexthop> destinations;  // next hop towards each member's address
  std::map<lb_cidr_key, lb_cidr, BytesLess<lb_cidr_key>> cidrs;
  lb_kernel_ports kernel_ports{};  // of the kernel's own sockets
};

// One write of one map.
struct PutDestination {
  base::IpAddress address;
  lb_nexthop value;
};
struct PutBackend {
  uint16_t id;
  lb_backend value;
};
struct PutRing {
  uint32_t id;
  Ring value;
};
struct PutCidr {
  lb_cidr_key key;
  lb_cidr value;
};
struct PutService {
  lb_service_key key;
  lb_service value;
};
struct PutKernelPorts {
  lb_kernel_ports value;
};
struct EraseService {
  lb_service_key key;
};
struct EraseCidr {
  lb_cidr_key key;
};
struct EraseRing {
  uint32_t id;
};
struct EraseBackend {
  uint16_t id;
};
struct EraseDestination {
  base::IpAddress address;
};
using Step = std::variant<PutDestination, PutBackend, PutRing, PutCidr, PutService, PutKernelPorts,
                          EraseService, EraseCidr, EraseRing, EraseBackend, EraseDestination>;

// Leaves are put before roots and roots erased before leaves: after every prefix of the steps, no
// service names a ring that is not there and no ring a backend that is not there. A backend is
// marked as gone when no ring has it any more: who picks it until then is served.
std::vector<Step> diff(const Tables& have, const Tables& want);
std::string describe(const Step& step);
// Whether flows may have lost their listener or their member by it.
bool may_end_flows(const Step& step);

}  // namespace datapath
