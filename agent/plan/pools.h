// Pools as the datapath needs them: backends, next hops towards them, and rings.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "agent/model/relations.h"
#include "agent/plan/ids.h"
#include "agent/plan/layout.h"
#include "agent/plan/plan.h"
#include "agent/plan/rings.h"

namespace plan {

// What earlier plans left, and flows still name.
struct Before {
  const Ids& ids;
  const Resting& resting;
  const Memory& memory;
};

class PoolPlanner {
 public:
  // Writes tables and problems of `plan`. All arguments outlive the planner.
  PoolPlanner(const model::Relations& related, const Networks& networks, const Observed& observed,
              const Before& before, Plan& plan);

  // Plans the part of the pool that has this family, once, and returns the number of its ring; 0:
  // no member is usable.
  uint32_t ring(const model::Pool& pool, base::Family family);

  // Moves the numbers that were given and the schedules into the plan, when all is planned.
  void finish();

 private:
  // A member that has a backend.
  struct Planned {
    const model::Member* member;
    uint16_t backend;
    bool eligible;  // for new flows, when it is up and there is a way to it
    bool usable;    // for new flows
  };
  // Where packets to a member leave, and their source there.
  struct Way {
    lb_nexthop hop;
    bool from_vip;  // the source is the VIP
    lb_addr source;
  };

  uint32_t plan_ring(const model::Pool& pool, base::Family family);
  std::vector<Planned> plan_backends(const model::Pool& pool, base::Family family);
  std::optional<Planned> plan_backend(const model::Member& member, const model::Pool& pool,
                                      const std::set<uint32_t>& vip_links);
  std::optional<Way> way_to(const model::Member& member, const std::set<uint32_t>& vip_links);
  std::optional<uint16_t> number_of(const model::Member& member);
  static std::vector<Planned> on_turn(const std::vector<Planned>& backends);
  std::vector<uint16_t> ring_slots(const model::Pool& pool, base::Family family,
                                   const std::vector<Planned>& members);
  std::set<uint32_t> links_of(const std::set<base::IpAddress>& vips, base::Family family) const;
  void problem(const base::Uuid& id, std::string text) {
    plan_.problems.emplace(id, std::move(text));
  }

  const model::Relations& related_;
  const Networks& networks_;
  const Observed& observed_;
  Plan& plan_;
  Numbering<RingKey, uint32_t> ring_numbers_;
  Numbering<base::Uuid, uint16_t> backend_numbers_;
  Schedules schedules_;
  std::set<base::IpAddress> vips_;     // of all load balancers
  std::map<RingKey, uint32_t> rings_;  // planned already
};

}  // namespace plan
