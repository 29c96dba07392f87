// Clients: those that services with session persistence remember, as they lie in this process's
// memory. Programs remember and look for them all the time; the agent forgets.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "agent/datapath/map_memory.h"
#include "agent/datapath/tables.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

// Who is remembered as long as these tables are: of a service that remembers clients, and for so
// long, with a backend of its pool.
class ClientPolicy {
 public:
  static ClientPolicy of(const Tables& tables);
  bool keeps(const lb_client& client, uint32_t now) const;

 private:
  struct Service {
    lb_tag pool;
    uint32_t timeout;  // ms; 0: none
  };
  std::map<uint32_t, Service> services_;
  std::map<uint32_t, lb_tag> pools_;  // of backends
};

class Clients {
 public:
  static base::Result<Clients> map(int fd);
  explicit Clients(std::span<lb_client_bucket> buckets) : buckets_(buckets) {}  // tests

  // Forgets whom `keep` does not want; `now`: a tick.
  void forget(const std::function<bool(const lb_client&)>& keep) const;
  // As if a program had remembered it, unless a later one is known; false: its bucket is full.
  bool remember(const lb_client& client) const;
  std::vector<lb_client> all() const;

 private:
  MapMemory memory_;
  std::span<lb_client_bucket> buckets_;
};

}  // namespace datapath
