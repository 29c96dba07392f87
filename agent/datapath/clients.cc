#include "agent/datapath/clients.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "agent/datapath/flow_memory.h"
#include "agent/datapath/lb_maps.h"
#include "bpf/flow_layout.h"

namespace datapath {
namespace {

lb_client read(lb_client& place) { return {shared(place.who).load(), shared(place.has).load()}; }

bool is_client(__u64 who) { return who != LB_CLIENT_FREE && who != LB_CLIENT_BUSY; }

bool later(uint32_t tick, uint32_t other) { return static_cast<int32_t>(tick - other) > 0; }

}  // namespace

ClientPolicy ClientPolicy::of(const Tables& tables) {
  ClientPolicy policy;
  for (const auto& [key, service] : tables.services)
    if ((service.flags & LB_SERVICE_PERSISTENT) != 0)
      policy.services_[service.id] = {service.pool, service.persistence_timeout};
  for (const auto& [id, backend] : tables.backends) policy.pools_[id] = backend.pool;
  return policy;
}

bool ClientPolicy::keeps(const lb_client& client, uint32_t now) const {
  const auto service = services_.find(lb_client_service(client.who));
  const auto pool = pools_.find(lb_client_backend(client.has));
  if (service == services_.end() || pool == pools_.end()) return false;
  if (std::memcmp(&service->second.pool, &pool->second, sizeof(lb_tag)) != 0) return false;
  const uint32_t timeout = service->second.timeout, seen = lb_client_seen(client.has);
  return timeout == 0 || !later(now, seen) || uint64_t{now - seen} * LB_TICK_MS <= timeout;
}

base::Result<Clients> Clients::map(int fd) {
  auto memory = MapMemory::map(fd, kClients.name, sizeof(lb_client_bucket), LB_CLIENT_BUCKETS);
  if (!memory) return memory.error();
  Clients clients({reinterpret_cast<lb_client_bucket*>(memory->first()), LB_CLIENT_BUCKETS});
  clients.memory_ = std::move(*memory);
  return clients;
}

void Clients::forget(const std::function<bool(const lb_client&)>& keep) const {
  for (lb_client_bucket& bucket : buckets_)
    for (lb_client& place : bucket.clients) {
      const lb_client client = read(place);
      if (!is_client(client.who) || keep(client)) continue;
      __u64 expected = client.who;
      shared(place.who).compare_exchange_strong(expected, LB_CLIENT_FREE);
    }
}

// Without BUSY, which nobody would take back if the agent were killed: for a moment the client has
// what the place's last one had, and programs do not believe what they read here.
bool Clients::remember(const lb_client& client) const {
  lb_client_bucket& bucket = buckets_[lb_client_home(client.who) % buckets_.size()];
  const auto own = [&](lb_client& place) { return shared(place.who).load() == client.who; };
  const auto take = [&](lb_client& place) {
    __u64 expected = LB_CLIENT_FREE;
    return shared(place.who).compare_exchange_strong(expected, client.who);
  };
  const std::span<lb_client> places(bucket.clients);
  auto place = std::find_if(places.begin(), places.end(), own);
  const bool known = place != places.end();
  if (!known) place = std::find_if(places.begin(), places.end(), take);
  if (place == places.end()) return false;
  __u64 before = shared(place->has).load();
  if (known && later(lb_client_seen(before), lb_client_seen(client.has))) return true;
  shared(place->has).compare_exchange_strong(before, client.has);
  return true;
}

std::vector<lb_client> Clients::all() const {
  std::vector<lb_client> clients;
  for (lb_client_bucket& bucket : buckets_)
    for (lb_client& place : bucket.clients)
      if (const lb_client client = read(place); is_client(client.who)) clients.push_back(client);
  return clients;
}

}  // namespace datapath
