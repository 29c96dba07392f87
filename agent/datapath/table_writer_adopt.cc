// What the last agent left in the maps, read back.
#include <arpa/inet.h>

#include <set>

#include "agent/datapath/table_writer.h"

namespace datapath {
namespace {

using base::Error;
using base::Result;
using base::Unit;

base::Family family_of(uint32_t abi_family) {
  return abi_family == LB_IPV6 ? base::Family::ipv6 : base::Family::ipv4;
}

Result<Ring> ring_of(uint32_t id, const Cells& cells) {
  const std::string name = "read ring " + std::to_string(id);
  if (cells.size() < LB_RING_HEAD) return Error{0, name + ": it has no head"};
  const size_t slots = cells[0].head.slots;
  if (slots == 0 || slots > (cells.size() - LB_RING_HEAD) * LB_RING_CELL_SLOTS)
    return Error{0, name + ": its head says " + std::to_string(slots) + " slots"};
  Ring ring;
  ring.family = family_of(cells[0].head.family);
  std::memcpy(ring.pool.bytes.data(), cells[1].pool, 8);
  std::memcpy(ring.pool.bytes.data() + 8, cells[2].pool, 8);
  for (size_t slot = 0; slot < slots; ++slot) {
    const lb_ring_cell& cell = cells[LB_RING_HEAD + slot / LB_RING_CELL_SLOTS];
    ring.slots.push_back(cell.backend[slot % LB_RING_CELL_SLOTS]);
  }
  return ring;
}

}  // namespace

Result<Unit> TableWriter::adopt() {
  forgetting_ = kPassesToRelease;  // what the last agent owed is not known
  if (auto done = adopt_policy(); !done.ok()) return done;
  if (auto done = adopt_nexthops(); !done.ok()) return done;
  if (auto done = adopt_backends(); !done.ok()) return done;
  return adopt_resting_services();
}

Result<Unit> TableWriter::adopt_policy() {
  auto services = maps_.entries("lb_services");
  if (!services.ok()) return services.error();
  for (const Maps::Entry& entry : *services)
    tables_.services[from_bytes<lb_service_key>(entry.key)] = from_bytes<lb_service>(entry.value);

  auto cidrs = maps_.entries("lb_cidrs");
  if (!cidrs.ok()) return cidrs.error();
  for (const Maps::Entry& entry : *cidrs)
    tables_.cidrs[from_bytes<lb_cidr_key>(entry.key)] = from_bytes<lb_cidr>(entry.value);

  auto rings = maps_.rings();
  if (!rings.ok()) return rings.error();
  for (const auto& [id, cells] : *rings) {
    auto ring = ring_of(id, cells);
    if (!ring.ok()) return ring.error();
    tables_.rings[id] = std::move(*ring);
  }
  return Unit{};
}

Result<TableWriter::HopIds> TableWriter::nexthop_ids() {
  auto entries = maps_.entries("lb_nexthop_ids");
  if (!entries.ok()) return entries.error();
  HopIds ids;
  for (const Maps::Entry& entry : *entries)
    ids[from_bytes<lb_nexthop_key>(entry.key)] = from_bytes<uint32_t>(entry.value);
  return ids;
}

Result<Unit> TableWriter::adopt_nexthops() {
  // Emptied and filled again: a program that finds no id meanwhile leaves the packet to the kernel.
  std::set<uint32_t> free;
  for (;;) {
    auto id = maps_.pop("lb_nexthop_free");
    if (!id.ok()) return id.error();
    if (!*id) break;
    free.insert(**id);
  }
  auto ids = nexthop_ids();
  if (!ids.ok()) return ids.error();
  std::set<uint32_t> named;
  for (const auto& [key, id] : *ids) named.insert(id);
  for (uint32_t id = 1; id < LB_MAX_NEXTHOPS; ++id) {
    if (named.contains(id)) continue;
    if (!free.contains(id)) {
      resting_hops_[id] = RestingHop{};
    } else if (auto done = maps_.push("lb_nexthop_free", id); !done.ok()) {
      return done;
    }
  }
  for (const auto& [key, id] : *ids) {
    if (key.ifindex != 0) continue;
    const base::IpAddress address = from_abi(family_of(key.family), key.addr);
    auto value = maps_.get("lb_nexthops", bytes_of(id));
    if (!value.ok()) return value.error();
    destination_ids_[address] = id;
    tables_.destinations[address] = *value ? from_bytes<lb_nexthop>(**value) : lb_nexthop{};
  }
  return Unit{};
}

Result<Unit> TableWriter::adopt_backends() {
  auto entries = maps_.entries("lb_backends");
  if (!entries.ok()) return entries.error();
  for (const Maps::Entry& entry : *entries) {
    const auto id = static_cast<uint16_t>(from_bytes<uint32_t>(entry.key));
    lb_backend backend = from_bytes<lb_backend>(entry.value);
    if ((backend.flags & LB_BACKEND_PRESENT) == 0) {
      resting_backends_[id] = 0;
      continue;
    }
    const uint16_t nexthop = std::exchange(backend.nexthop, uint16_t{0});
    tables_.backends[id] = backend;
    // The last agent may have ended between a destination and the backends that use it.
    const auto hop = destination_ids_.find(from_abi(family_of(backend.family), backend.addr));
    if (nexthop == (hop == destination_ids_.end() ? 0 : hop->second)) continue;
    if (auto done = write_backend(id, backend); !done.ok()) return done;
  }
  return Unit{};
}

// A service that was erased has counters until its id is released.
Result<Unit> TableWriter::adopt_resting_services() {
  for (const char* map : {"lb_service_use", "lb_service_sum", "lb_service_cnt"}) {
    auto entries = maps_.entries(map);
    if (!entries.ok()) return entries.error();
    for (const Maps::Entry& entry : *entries)
      resting_services_[from_bytes<uint32_t>(entry.key)] = 0;
  }
  for (const auto& [key, service] : tables_.services) resting_services_.erase(service.id);
  return Unit{};
}

}  // namespace datapath
