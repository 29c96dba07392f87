// What the last agent left in the maps, read back.
#include <arpa/inet.h>

#include <set>

#include "agent/datapath/abi.h"
#include "agent/datapath/table_writer.h"

namespace datapath {
namespace {

using base::Error;
using base::Result;
using base::Unit;

}  // namespace

Result<Unit> TableWriter::adopt() {
  forgetting_ = kPassesToRelease;  // what the last agent owed is not known
  if (auto done = adopt_policy(); !done.ok()) return done;
  if (auto done = adopt_nexthops(); !done.ok()) return done;
  if (auto done = adopt_backends(); !done.ok()) return done;
  return adopt_resting_services();
}

Result<Unit> TableWriter::adopt_policy() {
  auto services = maps_.entries(kServices);
  if (!services.ok()) return services.error();
  tables_.services.insert(services->begin(), services->end());

  auto cidrs = maps_.entries(kCidrs);
  if (!cidrs.ok()) return cidrs.error();
  tables_.cidrs.insert(cidrs->begin(), cidrs->end());

  auto rings = maps_.rings();
  if (!rings.ok()) return rings.error();
  for (const auto& [id, cells] : *rings) {
    auto ring = from_abi(cells);
    if (!ring.ok())
      return Error{0, "read ring " + std::to_string(id) + ": " + ring.error().message()};
    tables_.rings[id] = std::move(*ring);
  }
  return Unit{};
}

Result<TableWriter::HopIds> TableWriter::nexthop_ids() {
  auto entries = maps_.entries(kNexthopIds);
  if (!entries.ok()) return entries.error();
  HopIds ids;
  ids.insert(entries->begin(), entries->end());
  return ids;
}

Result<Unit> TableWriter::adopt_nexthops() {
  // Emptied and filled again: a program that finds no id meanwhile leaves the packet to the kernel.
  std::set<uint32_t> free;
  for (;;) {
    auto id = maps_.pop(kFreeNexthops);
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
    } else if (auto done = maps_.push(kFreeNexthops, id); !done.ok()) {
      return done;
    }
  }
  for (const auto& [key, id] : *ids) {
    if (key.ifindex != 0) continue;
    const base::IpAddress address = from_abi(from_abi(key.family), key.addr);
    auto value = maps_.get(kNexthops, id);
    if (!value.ok()) return value.error();
    destination_ids_[address] = id;
    tables_.destinations[address] = value->value_or(lb_nexthop{});
  }
  return Unit{};
}

Result<Unit> TableWriter::adopt_backends() {
  auto entries = maps_.entries(kBackends);
  if (!entries.ok()) return entries.error();
  for (auto& [index, backend] : *entries) {
    const auto id = static_cast<uint16_t>(index);
    if ((backend.flags & LB_BACKEND_PRESENT) == 0) {
      resting_backends_[id] = 0;
      continue;
    }
    const uint16_t nexthop = std::exchange(backend.nexthop, uint16_t{0});
    tables_.backends[id] = backend;
    // The last agent may have ended between a destination and the backends that use it.
    const auto hop = destination_ids_.find(from_abi(from_abi(backend.family), backend.addr));
    if (nexthop == (hop == destination_ids_.end() ? 0 : hop->second)) continue;
    if (auto done = write_backend(id, backend); !done.ok()) return done;
  }
  return Unit{};
}

// A service that was erased has counters until its id is released.
Result<Unit> TableWriter::adopt_resting_services() {
  const auto used = {maps_.keys(kServiceUse), maps_.keys(kServiceSums),
                     maps_.keys(kServiceCounters)};
  for (const auto& ids : used) {
    if (!ids.ok()) return ids.error();
    for (const uint32_t id : *ids) resting_services_[id] = 0;
  }
  for (const auto& [key, service] : tables_.services) resting_services_.erase(service.id);
  return Unit{};
}

}  // namespace datapath
