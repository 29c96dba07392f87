#include "agent/datapath/table_writer.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>

#include "agent/datapath/abi.h"

namespace datapath {
namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;

Status in_step(const Step& step, Status result) {
  if (result) return result;
  return Error{result.error().code, describe(step) + " (" + result.error().what + ")"};
}

// How many of this kind the steps begin with.
template <class Kind>
size_t count_of(std::span<const Step> steps) {
  const auto end = std::find_if_not(steps.begin(), steps.end(), [](const Step& step) {
    return std::holds_alternative<Kind>(step);
  });
  return static_cast<size_t>(end - steps.begin());
}

// The first that is not done; of a failure there is one.
template <class Kind>
const Step& first_left(std::span<const Step> steps, const std::set<uint32_t>& done) {
  const auto left = std::find_if(steps.begin(), steps.end(), [&done](const Step& step) {
    return !done.contains(std::get<Kind>(step).id);
  });
  return left == steps.end() ? steps.back() : *left;
}

lb_nexthop_key key_of(const base::IpAddress& address) {
  return {to_abi(address), 0, to_abi(address.family())};
}

}  // namespace

Status TableWriter::apply(std::span<const Step> steps) {
  if (auto done = link_limits(); !done) return done.error();
  while (!steps.empty()) {
    const size_t puts = count_of<PutRing>(steps), erasures = count_of<EraseRing>(steps);
    if (puts + erasures > 0) {
      auto done = puts > 0 ? put_rings(steps.first(puts)) : erase_rings(steps.first(erasures));
      if (!done) return done.error();
      steps = steps.subspan(puts + erasures);
      continue;
    }
    const Step& step = steps.front();
    auto done = std::visit([this](const auto& s) { return do_step(s); }, step);
    if (!done) return in_step(step, done);
    steps = steps.subspan(1);
  }
  return Unit{};
}

Status TableWriter::put_rings(std::span<const Step> steps) {
  std::vector<Maps::RingCells> rings;
  rings.reserve(steps.size());
  for (const Step& step : steps) {
    const auto& put = std::get<PutRing>(step);
    rings.push_back({put.id, to_abi(put.value)});
  }
  std::set<uint32_t> done;
  auto result = maps_.put_rings(rings, done);
  for (const Step& step : steps) {
    const auto& put = std::get<PutRing>(step);
    if (done.contains(put.id)) tables_.rings[put.id] = put.value;
  }
  return result ? result : in_step(first_left<PutRing>(steps, done), result);
}

Status TableWriter::do_step(const PutRing& step) {
  const Step one = step;
  return put_rings({&one, 1});
}

Status TableWriter::erase_rings(std::span<const Step> steps) {
  std::vector<uint32_t> ids;
  ids.reserve(steps.size());
  for (const Step& step : steps) ids.push_back(std::get<EraseRing>(step).id);
  std::set<uint32_t> done;
  auto result = maps_.erase_rings(ids, done);
  for (const uint32_t id : done) tables_.rings.erase(id);
  return result ? result : in_step(first_left<EraseRing>(steps, done), result);
}

Status TableWriter::do_step(const EraseRing& step) {
  const Step one = step;
  return erase_rings({&one, 1});
}

Status TableWriter::do_step(const PutCidr& step) {
  auto done = maps_.put(kCidrs, step.key, step.value);
  if (!done) return done.error();
  tables_.cidrs[step.key] = step.value;
  return Unit{};
}

Status TableWriter::do_step(const EraseCidr& step) {
  if (auto done = maps_.erase(kCidrs, step.key); !done) return done.error();
  tables_.cidrs.erase(step.key);
  return Unit{};
}

Status TableWriter::do_step(const PutService& step) {
  auto done = maps_.put(kServices, step.key, step.value);
  if (!done) return done.error();
  const auto old = tables_.services.find(step.key);
  if (old != tables_.services.end()) unlinked_.insert(from_abi(old->second.listener));
  unlinked_.insert(from_abi(step.value.listener));
  if (old != tables_.services.end() && old->second.id != step.value.id)
    resting_services_.emplace(old->second.id, 0);
  tables_.services[step.key] = step.value;
  resting_services_.erase(step.value.id);
  return link_limits();
}

Status TableWriter::do_step(const PutKernelPorts& step) {
  if (auto done = maps_.put(kKernelPorts, 0, step.value); !done) return done.error();
  tables_.kernel_ports = step.value;
  return Unit{};
}

Status TableWriter::do_step(const EraseService& step) {
  if (auto done = maps_.erase(kServices, step.key); !done) return done.error();
  const auto old = tables_.services.find(step.key);
  if (old == tables_.services.end()) return Unit{};
  const uint32_t id = old->second.id;
  unlinked_.insert(from_abi(old->second.listener));
  tables_.services.erase(old);
  const bool used = std::any_of(tables_.services.begin(), tables_.services.end(),
                                [id](const auto& entry) { return entry.second.id == id; });
  if (!used) resting_services_.emplace(id, 0);
  return link_limits();
}

// The services of a listener name each other in a circle, so that its limit is that of all of them.
// Listeners that this fails for are tried again, at the latest with the next census.
Status TableWriter::link_limits() {
  while (!unlinked_.empty()) {
    const lb_tag listener = to_abi(*unlinked_.begin());
    std::map<uint32_t, lb_limit> limits;
    for (const auto& [key, service] : tables_.services) {
      if (!bytes_equal(service.listener, listener)) continue;
      const bool proxied = (service.flags & LB_SERVICE_TO_KERNEL) != 0;
      limits[service.id] = {proxied ? 0 : service.connection_limit, 0};
    }
    for (auto it = limits.begin(); it != limits.end(); ++it) {
      const auto next = std::next(it);
      it->second.next = next == limits.end() ? limits.begin()->first : next->first;
    }
    for (const auto& [id, limit] : limits)
      if (auto done = maps_.put(kLimits, id, limit); !done) return done.error();
    unlinked_.erase(unlinked_.begin());
  }
  return Unit{};
}

Status TableWriter::write_backend(uint16_t id, const lb_backend& value) {
  lb_backend full = value;
  full.nexthop = nexthop_to(from_abi(from_abi(value.family), value.addr));
  return maps_.put(kBackends, id, full);
}

Status TableWriter::do_step(const PutBackend& step) {
  if (auto done = write_backend(step.id, step.value); !done) return done.error();
  tables_.backends[step.id] = step.value;
  unwanted_destinations_.erase(from_abi(from_abi(step.value.family), step.value.addr));
  tables_.backends[step.id].nexthop = 0;
  resting_backends_.erase(step.id);
  return Unit{};
}

Status TableWriter::do_step(const EraseBackend& step) {
  const auto old = tables_.backends.find(step.id);
  if (old == tables_.backends.end()) return Unit{};
  // What is left names the member in dumps, for as long as flows name the backend.
  lb_backend gone = old->second;
  gone.flags = LB_BACKEND_GONE;
  if (auto done = write_backend(step.id, gone); !done) return done.error();
  tables_.backends.erase(old);
  resting_backends_.emplace(step.id, 0);
  return Unit{};
}

Result<uint32_t> TableWriter::take_nexthop(const base::IpAddress& address) {
  auto id = maps_.pop(kFreeNexthops);
  if (!id) return id.error();
  if (!*id)
    return Error{ENOSPC, "no free next hop for " + address.text() + " (" +
                             std::to_string(LB_MAX_NEXTHOPS) + " are in use)"};
  return **id;
}

Result<uint32_t> TableWriter::nexthop_of(const base::IpAddress& address) {
  if (const auto known = destination_ids_.find(address); known != destination_ids_.end())
    return known->second;
  // A member that comes back finds the id that its old flows name.
  const lb_nexthop_key key = key_of(address);
  for (const auto& [id, resting] : resting_hops_) {
    if (resting.key && bytes_equal(*resting.key, key)) return id;
  }
  auto taken = take_nexthop(address);
  // It rests until its key is written, so that no failure loses it.
  if (taken) resting_hops_[*taken] = RestingHop{key};
  return taken;
}

Status TableWriter::do_step(const PutDestination& step) {
  auto id = nexthop_of(step.address);
  if (!id) return id.error();
  if (auto done = maps_.put(kNexthops, *id, as_written(step.value)); !done) return done.error();
  if (!tables_.destinations.contains(step.address)) {
    const lb_nexthop_key key = key_of(step.address);
    if (auto done = maps_.put(kNexthopIds, key, *id); !done) return done.error();
    resting_hops_.erase(*id);
    destination_ids_[step.address] = *id;
    if (auto done = rewrite_backends_of(step.address); !done) return done.error();
  }
  tables_.destinations[step.address] = step.value;
  return Unit{};
}

uint16_t TableWriter::nexthop_to(const base::IpAddress& address) const {
  const auto hop = destination_ids_.find(address);
  return hop == destination_ids_.end() ? uint16_t{0} : static_cast<uint16_t>(hop->second);
}

lb_nexthop TableWriter::as_written(lb_nexthop hop) const {
  if (redirectable_ && hop.flags == LB_NEXTHOP_RESOLVED && !redirectable_->contains(hop.ifindex))
    hop.flags = LB_NEXTHOP_BACK_ONLY;
  return hop;
}

// Next hops of clients' sides follow with the next resolve().
Status TableWriter::set_redirectable(std::set<uint32_t> ifindexes) {
  if (redirectable_ == ifindexes) return Unit{};
  redirectable_ = std::move(ifindexes);
  for (const auto& [address, hop] : tables_.destinations) {
    const auto id = destination_ids_.find(address);
    if (id == destination_ids_.end()) continue;
    if (auto done = maps_.put(kNexthops, id->second, as_written(hop)); !done) return done.error();
  }
  return Unit{};
}

Status TableWriter::do_step(const EraseDestination& step) {
  auto known = destination_ids_.extract(step.address);
  if (known.empty()) return Unit{};
  const uint32_t id = known.mapped();
  auto erased = erase_destination(step.address, id);
  if (!erased) {
    destination_ids_.insert(std::move(known));
    return erased.error();
  }
  tables_.destinations.erase(step.address);
  resting_hops_[id] = RestingHop{key_of(step.address)};
  return Unit{};
}

Status TableWriter::erase_destination(const base::IpAddress& address, uint32_t id) {
  if (auto done = rewrite_backends_of(address); !done) return done.error();
  // Flows that still name it are forwarded by the kernel: nobody keeps its neighbour true now.
  if (auto done = maps_.put(kNexthops, id, lb_nexthop{}); !done) return done.error();
  return maps_.erase(kNexthopIds, key_of(address));
}

// An id must not be given back while a backend could still hand it to a new flow.
Status TableWriter::rewrite_backends_of(const base::IpAddress& address) {
  for (const auto& [id, backend] : tables_.backends) {
    if (to_abi(address.family()) != backend.family) continue;
    if (from_abi(address.family(), backend.addr) != address) continue;
    if (auto done = write_backend(id, backend); !done) return done.error();
  }
  return Unit{};
}

}  // namespace datapath
