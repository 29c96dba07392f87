// What follows the neighbours and the flows: next hops of clients, and ids that nothing names.
#include "agent/datapath/abi.h"
#include "agent/datapath/table_writer.h"

namespace datapath {
namespace {

using base::Status;
using base::Unit;

bool named(const std::vector<bool>& ids, uint32_t id) { return id < ids.size() && ids[id]; }

}  // namespace

// Counts one more census; true when the id may go.
bool TableWriter::released(Passes& unused, bool is_named) {
  unused = is_named ? 0 : unused + 1;
  return unused >= kPassesToRelease;
}

Status TableWriter::resolve(const Neighbours& neighbours) {
  auto ids = nexthop_ids();
  if (!ids) return ids.error();
  std::map<uint32_t, lb_nexthop_key> hops;
  for (const auto& [key, id] : *ids) hops[id] = key;
  for (const auto& [id, resting] : resting_hops_) {
    if (resting.key) hops.emplace(id, *resting.key);
  }
  for (const auto& [id, key] : hops) {
    if (key.ifindex == 0) continue;
    const auto neighbour = neighbours.find(key);
    lb_nexthop want = neighbour == neighbours.end() ? lb_nexthop{} : as_written(neighbour->second);
    if (const auto resting = resting_hops_.find(id);
        resting != resting_hops_.end() && resting->second.asks)
      want.flags |= LB_NEXTHOP_ASK;
    auto have = maps_.get(kNexthops, id);
    if (!have) return have.error();
    if (*have && bytes_equal(**have, want)) continue;
    if (auto done = maps_.put(kNexthops, id, want); !done) return done.error();
  }
  return Unit{};
}

// No hop has the id 0: lines name it that have none.
Status TableWriter::expect(ForeignFlows flows) {
  lb_nexthop want{};
  if (flows == ForeignFlows::come) want.flags = LB_NEXTHOP_ASK;
  auto have = maps_.get(kNexthops, 0);
  if (!have) return have.error();
  if (bytes_equal(have->value_or(lb_nexthop{}), want)) return Unit{};
  return maps_.put(kNexthops, 0, want);
}

// New flows are to find new ids, and those that exist, which name the old ones, look once more.
Status TableWriter::ask_again() {
  auto ids = nexthop_ids();
  if (!ids) return ids.error();
  for (const auto& [key, id] : *ids) {
    if (key.ifindex == 0) continue;
    if (auto done = maps_.erase(kNexthopIds, key); !done) return done.error();
    resting_hops_[id] = RestingHop{key, 0, true};
    auto hop = maps_.get(kNexthops, id);
    if (!hop) return hop.error();
    lb_nexthop asking = hop->value_or(lb_nexthop{});
    asking.flags |= LB_NEXTHOP_ASK;
    if (auto done = maps_.put(kNexthops, id, asking); !done) return done.error();
  }
  return Unit{};
}

// A destination that no backend leads to stays for as long as flows name it.
void TableWriter::count_destinations(const Census& census) {
  std::set<base::IpAddress> wanted;
  for (const auto& [id, backend] : tables_.backends)
    wanted.insert(from_abi(from_abi(backend.family), backend.addr));
  std::erase_if(unwanted_destinations_, [&](const auto& entry) {
    return wanted.contains(entry.first) || !destination_ids_.contains(entry.first);
  });
  for (const auto& [address, id] : destination_ids_)
    if (!wanted.contains(address))
      released(unwanted_destinations_[address], named(census.nexthops, id));
}

std::set<base::IpAddress> TableWriter::resting_destinations() const {
  std::set<base::IpAddress> addresses;
  for (const auto& [address, id] : destination_ids_) {
    const auto unwanted = unwanted_destinations_.find(address);
    if (unwanted == unwanted_destinations_.end() || unwanted->second < kPassesToRelease)
      addresses.insert(address);
  }
  return addresses;
}

Status TableWriter::release_unused(const Census& census) {
  if (auto done = link_limits(); !done) return done.error();
  count_destinations(census);
  if (auto done = release_hops(census); !done) return done.error();
  if (auto done = retire_client_hops(census); !done) return done.error();
  if (auto done = release_backends(census); !done) return done.error();
  return release_services(census);
}

// Takes the keys of clients' next hops that no flow uses, so that no new flow finds them; the ids
// rest from then on.
Status TableWriter::retire_client_hops(const Census& census) {
  auto ids = nexthop_ids();
  if (!ids) return ids.error();
  std::map<uint32_t, int> idle;
  for (const auto& [key, id] : *ids) {
    if (key.ifindex == 0 || named(census.nexthops, id)) continue;
    const auto before = idle_client_hops_.find(id);
    int unused = before == idle_client_hops_.end() ? 0 : before->second;
    if (!released(unused, false)) {
      idle[id] = unused;
      continue;
    }
    if (auto done = maps_.erase(kNexthopIds, key); !done) return done.error();
    resting_hops_[id] = RestingHop{key};
  }
  idle_client_hops_ = std::move(idle);
  return Unit{};
}

Status TableWriter::release_hops(const Census& census) {
  if (resting_hops_.empty()) return Unit{};
  auto ids = nexthop_ids();
  if (!ids) return ids.error();
  // An id that a program took while the queue was being emptied has its key by now.
  for (const auto& [key, id] : *ids) resting_hops_.erase(id);
  for (auto it = resting_hops_.begin(); it != resting_hops_.end();) {
    auto& [id, resting] = *it;
    if (!released(resting.unused, named(census.nexthops, id))) {
      ++it;
      continue;
    }
    if (auto done = maps_.clear(kNexthops, id); !done) return done.error();
    if (auto done = maps_.push(kFreeNexthops, id); !done) return done.error();
    it = resting_hops_.erase(it);
  }
  return Unit{};
}

Status TableWriter::release_backends(const Census& census) {
  for (auto it = resting_backends_.begin(); it != resting_backends_.end();) {
    auto& [id, unused] = *it;
    if (!released(unused, named(census.backends, id))) {
      ++it;
      continue;
    }
    if (auto done = maps_.clear(kBackends, id); !done) return done.error();
    if (auto done = maps_.clear(kBackendUse, id); !done) return done.error();
    it = resting_backends_.erase(it);
  }
  return Unit{};
}

Status TableWriter::release_services(const Census& census) {
  for (auto it = resting_services_.begin(); it != resting_services_.end();) {
    auto& [id, unused] = *it;
    if (!released(unused, named(census.services, id))) {
      ++it;
      continue;
    }
    if (auto done = maps_.clear(kServiceCounters, id); !done) return done.error();
    if (auto done = maps_.clear(kServiceSums, id); !done) return done.error();
    if (auto done = maps_.clear(kServiceUse, id); !done) return done.error();
    if (auto done = maps_.clear(kLimits, id); !done) return done.error();
    it = resting_services_.erase(it);
  }
  return Unit{};
}

std::set<uint32_t> TableWriter::resting_services() const {
  std::set<uint32_t> ids;
  for (const auto& [id, unused] : resting_services_) ids.insert(id);
  return ids;
}

std::set<uint16_t> TableWriter::resting_backends() const {
  std::set<uint16_t> ids;
  for (const auto& [id, unused] : resting_backends_) ids.insert(id);
  return ids;
}

}  // namespace datapath
