// Pools as the datapath needs them: backends, next hops towards them, and rings.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "agent/plan/ids.h"
#include "agent/plan/layout.h"
#include "agent/plan/plan.h"

namespace plan {

class PoolPlanner {
 public:
  // Writes tables and problems of `plan`. All arguments outlive the planner.
  PoolPlanner(const model::Model& model, const Observed& observed, const Ids& ids,
              const Resting& resting, const netns::LayoutSpec& configured, Plan& plan);

  // Plans the part of the pool that has this family, once, and returns the number of its ring; 0:
  // no member is usable.
  uint32_t ring(const model::Pool& pool, base::Family family);

  // Moves the numbers that were given into the plan, when all is planned.
  void finish();

 private:
  // A member that has a backend.
  struct Planned {
    const model::Member* member;
    uint16_t backend;
    bool reachable;
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
  std::vector<Planned> usable(const std::vector<Planned>& backends) const;
  std::set<uint32_t> links_of_vips(const model::Pool& pool, base::Family family) const;
  void problem(const base::Uuid& id, std::string text) {
    plan_.problems.emplace(id, std::move(text));
  }

  const model::Model& model_;
  const Observed& observed_;
  const netns::LayoutSpec& configured_;
  Plan& plan_;
  Numbering<RingKey, uint32_t> ring_numbers_;
  Numbering<base::Uuid, uint16_t> backend_numbers_;
  std::map<base::Uuid, std::vector<const model::Member*>> members_;  // by pool; by place in it
  std::set<base::IpAddress> vips_;                                   // of all load balancers
  std::map<RingKey, uint32_t> rings_;                                // planned already
};

lb_tag tag_of(const base::Uuid& id);
uint8_t abi_family(base::Family family);
std::string text(base::Family family);  // "IPv4"

}  // namespace plan
