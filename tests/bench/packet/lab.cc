#include "tests/bench/packet/lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/fd.h"
#include "bpf/lb_abi.h"

namespace packet_bench {
namespace {

constexpr uint32_t kMembers = 64, kMemberHop = 2, kFirstFreeHop = 10;

constexpr const char* kNetwork =
    "set -e; ip link add bench0 type veth peer name bench1; ip link set lo up;"
    "ip addr add 192.0.2.80/24 dev bench0; ip addr add 2001:db8::80/64 dev bench0 nodad;"
    "ip link set bench0 up; ip link set bench1 up;"
    "ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:11 dev bench0 nud permanent;"
    "ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:11 dev bench0 nud permanent;"
    "ip route add 198.18.0.0/15 via 192.0.2.1; ip route add 2001:db8:100::/40 via 2001:db8::1;"
    "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";

lb_addr address(const std::string& text) {
  lb_addr abi{};
  const auto parsed = base::IpAddress::parse(text);
  std::memcpy(abi.ip, parsed->bytes(), parsed->size());
  return abi;
}

template <class Key, class Value>
bool put(const flow_test::FlowObject& object, const char* map, const Key& key, const Value& value) {
  return bpf_map_update_elem(object.map(map), &key, &value, BPF_ANY) == 0;
}

bool put_ring(const flow_test::FlowObject& object, base::Family family, uint32_t ring,
              uint16_t first) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
  const uint32_t entries = LB_RING_HEAD + kMembers / LB_RING_CELL_SLOTS;
  const base::Fd inner(bpf_map_create(BPF_MAP_TYPE_ARRAY, "ring", sizeof(uint32_t),
                                      sizeof(lb_ring_cell), entries, &options));
  std::vector<lb_ring_cell> cells(entries);
  cells[0].head = {kMembers, static_cast<uint16_t>(family), kMembers};
  for (uint32_t i = 0; i < kMembers; i++)
    cells[LB_RING_HEAD + i / LB_RING_CELL_SLOTS].backend[i % LB_RING_CELL_SLOTS] =
        static_cast<uint16_t>(first + i);
  for (uint32_t i = 0; i < entries; i++)
    if (bpf_map_update_elem(inner.get(), &i, &cells[i], BPF_ANY) != 0) return false;
  return put(object, "lb_rings", ring, inner.get());
}

bool put_members(const flow_test::FlowObject& object, base::Family family) {
  const bool six = family == base::Family::ipv6;
  const uint16_t first = six ? 1 + kMembers : 1;
  for (uint32_t i = 0; i < kMembers; i++) {
    lb_backend backend{};
    const std::string host = std::to_string(100 + i);
    backend.addr = address(six ? "2001:db8:200::" + host : "203.0.113." + host);
    backend.snat = address(six ? "2001:db8:200::1" : "203.0.113.1");
    backend.port = htons(8080);
    backend.nexthop = kMemberHop;
    backend.weight = 1;
    backend.family = static_cast<uint8_t>(family);
    backend.flags = LB_BACKEND_PRESENT | LB_BACKEND_RETURNING;
    if (!put(object, "lb_backends", first + i, backend)) return false;
  }
  return put_ring(object, family, six ? 2 : 1, first);
}

bool put_service(const flow_test::FlowObject& object, base::Family family, uint32_t flags) {
  const bool six = family == base::Family::ipv6;
  const uint32_t id = six ? 2 : 1;
  lb_service_key key{};
  key.vip = address(six ? "2001:db8::80" : "192.0.2.80");
  key.port = htons(80);
  key.proto = IPPROTO_TCP;
  key.family = static_cast<uint8_t>(family);
  lb_service service{};
  service.id = id;
  service.ring = id;
  service.scheduler = LB_SCHEDULE_RING;
  service.flags = flags;
  std::memset(&service.persistence_mask, 0xff, sizeof(service.persistence_mask));
  return put(object, "lb_services", key, service);
}

}  // namespace

base::Result<uint32_t> make_network() {
  if (::unshare(CLONE_NEWNET) != 0) return base::Error{errno, "make a network namespace"};
  if (std::system(kNetwork) != 0) return base::Error{0, "set up the network of the benchmark"};
  return ::if_nametoindex("bench0");
}

base::Result<base::Unit> attach(uint32_t ifindex, int program) {
  if (bpf_xdp_attach(static_cast<int>(ifindex), program, XDP_FLAGS_DRV_MODE, nullptr) != 0)
    return base::Error{errno, "attach to the interface of the benchmark"};
  return base::Unit{};
}

base::Result<base::Unit> write_policy(const flow_test::FlowObject& object, uint32_t ifindex) {
  lb_nexthop hop{};
  hop.dst_mac[0] = hop.src_mac[0] = 2;
  hop.ifindex = ifindex;
  hop.mtu = 1500;
  hop.flags = LB_NEXTHOP_RESOLVED;
  bool done =
      put(object, "lb_nexthops", kMemberHop, hop) && put(object, "lb_devs", ifindex, ifindex);
  for (uint32_t id = kFirstFreeHop; id < kFirstFreeHop + 4; id++)
    done = done && bpf_map_update_elem(object.map("lb_nexthop_free"), nullptr, &id, 0) == 0;
  for (base::Family family : {base::Family::ipv4, base::Family::ipv6})
    done = done && put_members(object, family) && put_service(object, family, 0);
  if (!done) return base::Error{errno, "write the policy of the benchmark"};
  return base::Unit{};
}

base::Result<base::Unit> make_persistent(const flow_test::FlowObject& object, base::Family family) {
  if (!put_service(object, family, LB_SERVICE_PERSISTENT))
    return base::Error{errno, "make a service of the benchmark persistent"};
  return base::Unit{};
}

}  // namespace packet_bench
