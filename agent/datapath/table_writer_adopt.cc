// What the last agent left in the maps, read back.
#include <arpa/inet.h>

#include <set>

#include "agent/datapath/abi.h"
#include "agent/datapath/table_writer.h"

namespace datapath {
namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;

}  // namespace

Status TableWriter::adopt() {
  if (auto done = adopt_policy(); !done) return done.error();
  if (auto done = adopt_nexthops(); !done) return done.error();
  if (auto done = adopt_backends(); !done) return done.error();
  return adopt_resting_services();
}

Status TableWriter::adopt_policy() {
  auto services = maps_.entries(kServices);
  if (!services) return services.error();
  tables_.services.insert(services->begin(), services->end());

  // The last agent may have ended between a service and the limits of its listener.
  for (const auto& [key, service] : tables_.services) unlinked_.insert(from_abi(service.listener));
  if (auto done = link_limits(); !done) return done.error();

  auto cidrs = maps_.entries(kCidrs);
  if (!cidrs) return cidrs.error();
  tables_.cidrs.insert(cidrs->begin(), cidrs->end());

  auto ports = maps_.get(kKernelPorts, 0);
  if (!ports) return ports.error();
  tables_.kernel_ports = ports->value_or(lb_kernel_ports{});

  auto rings = maps_.rings();
  if (!rings) return rings.error();
  for (const auto& [id, cells] : *rings) {
    auto ring = from_abi(cells);
    if (!ring) return Error{0, "read ring " + std::to_string(id) + ": " + ring.error().message()};
    tables_.rings[id] = std::move(*ring);
  }
  return Unit{};
}

Result<TableWriter::HopIds> TableWriter::nexthop_ids() {
  auto entries = maps_.entries(kNexthopIds);
  if (!entries) return entries.error();
  HopIds ids;
  ids.insert(entries->begin(), entries->end());
  return ids;
}

Status TableWriter::adopt_nexthops() {
  // Emptied and filled again: a program that finds no id meanwhile leaves the packet to the kernel.
  std::set<uint32_t> free;
  for (;;) {
    auto id = maps_.pop(kFreeNexthops);
    if (!id) return id.error();
    if (!*id) break;
    free.insert(**id);
  }
  auto ids = nexthop_ids();
  if (!ids) return ids.error();
  std::set<uint32_t> named;
  for (const auto& [key, id] : *ids) named.insert(id);
  for (uint32_t id = 1; id < LB_MAX_NEXTHOPS; ++id) {
    if (named.contains(id)) continue;
    if (!free.contains(id)) {
      resting_hops_[id] = RestingHop{};
    } else if (auto done = maps_.push(kFreeNexthops, id); !done) {
      return done.error();
    }
  }
  for (const auto& [key, id] : *ids) {
    if (key.ifindex != 0) continue;
    const base::IpAddress address = from_abi(from_abi(key.family), key.addr);
    auto value = maps_.get(kNexthops, id);
    if (!value) return value.error();
    destination_ids_[address] = id;
    lb_nexthop& hop = tables_.destinations[address] = value->value_or(lb_nexthop{});
    if (hop.flags == LB_NEXTHOP_BACK_ONLY) hop.flags = LB_NEXTHOP_RESOLVED;
  }
  return Unit{};
}

Status TableWriter::adopt_backends() {
  auto entries = maps_.entries(kBackends);
  if (!entries) return entries.error();
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
    if (auto done = write_backend(id, backend); !done) return done.error();
  }
  return Unit{};
}

// A service that was erased has counters until its id is released.
Status TableWriter::adopt_resting_services() {
  const auto used = {maps_.keys(kServiceUse), maps_.keys(kServiceSums),
                     maps_.keys(kServiceCounters)};
  for (const auto& ids : used) {
    if (!ids) return ids.error();
    for (const uint32_t id : *ids) resting_services_[id] = 0;
  }
  for (const auto& [key, service] : tables_.services) resting_services_.erase(service.id);
  return Unit{};
}

}  // namespace datapath
