// Who belongs to whom: walks over a model in the order in which things were made. Relations answers
// the same from an index, for who asks of many.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "agent/model/model.h"

namespace model {

template <class R>
void sort_by_age(std::vector<const R*>& resources) {
  const auto older = [](const R* a, const R* b) { return a->created_at < b->created_at; };
  if (!std::is_sorted(resources.begin(), resources.end(), older))
    std::stable_sort(resources.begin(), resources.end(), older);
}

// Those that match, oldest first.
template <class R, class Match>
std::vector<const R*> select(const std::map<Uuid, R>& all, Match match) {
  std::vector<const R*> found;
  for (const auto& [id, resource] : all)
    if (match(resource)) found.push_back(&resource);
  sort_by_age(found);
  return found;
}

inline std::vector<const Listener*> listeners_of(const Model& m, const LoadBalancer& lb) {
  return select(m.listeners, [&](const Listener& l) { return l.load_balancer == lb.id; });
}
// Whose default pool it is, or who have a policy that sends requests to it.
std::vector<const Listener*> listeners_of(const Model& m, const Pool& pool);
inline std::vector<const Pool*> pools_of(const Model& m, const LoadBalancer& lb) {
  return select(m.pools, [&](const Pool& p) { return p.load_balancer == lb.id; });
}
// That requests can go to: the default pool first, then those of policies in their order.
std::vector<const Pool*> pools_of(const Model& m, const Listener& listener);
inline std::vector<const Member*> members_of(const Model& m, const Pool& pool) {
  return select(m.members, [&](const Member& member) { return member.pool == pool.id; });
}
// By position.
std::vector<const L7Policy*> policies_of(const Model& m, const Listener& listener);
inline std::vector<const L7Rule*> rules_of(const Model& m, const L7Policy& policy) {
  return select(m.l7rules, [&](const L7Rule& rule) { return rule.policy == policy.id; });
}

// The pool's monitor; null: it has none.
inline const HealthMonitor* monitor_of(const Model& m, const Pool& pool) {
  for (const auto& [id, monitor] : m.health_monitors)
    if (monitor.pool == pool.id) return &monitor;
  return nullptr;
}

// Its first one or one of the others.
inline bool has_vip(const LoadBalancer& lb, const base::IpAddress& address) {
  return lb.vip_address == address ||
         std::ranges::find(lb.additional_vips, address, &AdditionalVip::ip_address) !=
             lb.additional_vips.end();
}

// What is there of these load balancers and of all that is theirs, without the catalog.
Model part_of(const Model& m, const std::set<Uuid>& load_balancers);

// Whether requests can come to a pool through the policy, as far as it says itself: without rules
// it matches nothing.
bool redirects(const Model& m, const L7Policy& policy);

// Of ids in unordered containers. Ids are random, most of them: some of their bits will do.
struct UuidHash {
  size_t operator()(const Uuid& id) const noexcept {
    uint64_t words[2];
    std::memcpy(words, id.bytes.data(), sizeof(words));
    return words[0] ^ words[1] * 0x9e3779b97f4a7c15;
  }
};

// All of that, looked up once. The model must outlive it and stay as it is.
class Relations {
 public:
  explicit Relations(const Model& m);

  const Model& model() const { return m_; }
  const std::vector<const Listener*>& listeners_of(const LoadBalancer& lb) const;
  const std::vector<const Listener*>& listeners_of(const Pool& pool) const;
  const std::vector<const Pool*>& pools_of(const LoadBalancer& lb) const;
  const std::vector<const Pool*>& pools_of(const Listener& listener) const;
  const std::vector<const Member*>& members_of(const Pool& pool) const;
  const std::vector<const L7Policy*>& policies_of(const Listener& listener) const;
  const std::vector<const L7Rule*>& rules_of(const L7Policy& policy) const;
  const HealthMonitor* monitor_of(const Pool& pool) const;

 private:
  template <class R>
  using Children = std::unordered_map<Uuid, std::vector<const R*>, UuidHash>;

  void connect_pools();

  const Model& m_;
  Children<Listener> listeners_of_lb_, listeners_of_pool_;
  Children<Pool> pools_of_lb_, pools_of_listener_;
  Children<Member> members_;
  Children<L7Policy> policies_;
  Children<L7Rule> rules_;
  std::unordered_map<Uuid, const HealthMonitor*, UuidHash> monitors_;
};

}  // namespace model
