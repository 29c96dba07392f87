// Pools as the datapath needs them: backends, next hops towards them, and rings.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/model/relations.h"
#include "agent/plan/ids.h"
#include "agent/plan/layout.h"
#include "agent/plan/plan.h"
#include "agent/plan/rings.h"
#include "agent/plan/wanted.h"

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
  // How packets get to an address, whoever the member at it is.
  struct Reach {
    std::string problem;  // why they do not, in words for people; empty: they do
    std::string interface;
    lb_nexthop hop{};
    std::optional<base::IpAddress> source;  // the link's own address towards it, or a floating one
    bool floats = false;                    // it is one: it goes where the VIPs go
    bool is_unicast = false;
    bool is_vip = false;                // of any load balancer
    lb_nexthop* destination = nullptr;  // its entry in the plan's tables; none yet
  };
  // A member that has a backend.
  struct Planned {
    const model::Member* member;
    uint16_t number;
    lb_backend* backend;  // in the plan's tables
    bool eligible;        // for new flows, when it is up and there is a way to it
    bool usable;          // for new flows
  };
  // The source of packets to a member.
  struct Way {
    uint8_t flags;  // LB_BACKEND_SNAT_VIP, LB_BACKEND_SNAT_FLOATS
    lb_addr source;
  };

  uint32_t plan_ring(const model::Pool& pool, base::Family family);
  std::vector<Planned> plan_backends(const model::Pool& pool, base::Family family);
  std::optional<Planned> plan_backend(const model::Member& member, const model::Pool& pool,
                                      const std::set<uint32_t>& vip_links);
  std::optional<Way> way_to(const model::Member& member, const Reach& reach,
                            const std::set<uint32_t>& vip_links);
  std::optional<uint16_t> number_of(const model::Member& member, const Reach& reach);
  Reach& reach(const base::IpAddress& address);
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
  Numbering<decltype(Ids::rings)> ring_numbers_;
  Numbering<decltype(Ids::backends)> backend_numbers_;
  Schedules schedules_;
  std::set<base::IpAddress> vips_;     // of all load balancers
  std::map<RingKey, uint32_t> rings_;  // planned already
  std::unordered_map<base::IpAddress, Reach, AddressHash> reaches_;
};

}  // namespace plan
