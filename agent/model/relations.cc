#include "agent/model/relations.h"

namespace model {

namespace {

void sort_by_position(std::vector<const L7Policy*>& policies) {
  std::stable_sort(policies.begin(), policies.end(),
                   [](const L7Policy* a, const L7Policy* b) { return a->position < b->position; });
}

bool wants_to_redirect(const L7Policy& policy) {
  return policy.admin_state_up && policy.redirect_pool.has_value();
}

template <class R>
void add_once(std::vector<const R*>& to, const R* resource) {
  if (std::find(to.begin(), to.end(), resource) == to.end()) to.push_back(resource);
}

template <class Children>
const typename Children::mapped_type& children(const Children& of, const Uuid& id) {
  static const typename Children::mapped_type kNone;
  auto found = of.find(id);
  return found == of.end() ? kNone : found->second;
}

template <class R, class Belongs>
void copy(const std::map<Uuid, R>& all, std::map<Uuid, R>& into, Belongs belongs) {
  for (const auto& [id, resource] : all)
    if (belongs(resource)) into.emplace_hint(into.end(), id, resource);
}

}  // namespace

// Parents first: whose children are, is looked up in them.
Model part_of(const Model& m, const std::set<Uuid>& load_balancers) {
  Model part;
  const auto is_theirs = [&](const auto& one) {
    return load_balancers.contains(one.load_balancer);
  };
  copy(m.load_balancers, part.load_balancers,
       [&](const LoadBalancer& one) { return load_balancers.contains(one.id); });
  copy(m.listeners, part.listeners, is_theirs);
  copy(m.pools, part.pools, is_theirs);
  copy(m.members, part.members, [&](const Member& one) { return part.pools.contains(one.pool); });
  copy(m.health_monitors, part.health_monitors,
       [&](const HealthMonitor& one) { return part.pools.contains(one.pool); });
  copy(m.l7policies, part.l7policies,
       [&](const L7Policy& one) { return part.listeners.contains(one.listener); });
  copy(m.l7rules, part.l7rules,
       [&](const L7Rule& one) { return part.l7policies.contains(one.policy); });
  part.amphora = m.amphora;
  return part;
}

bool redirects(const Model& m, const L7Policy& policy) {
  return wants_to_redirect(policy) &&
         std::any_of(m.l7rules.begin(), m.l7rules.end(),
                     [&](const auto& entry) { return entry.second.policy == policy.id; });
}

std::vector<const Listener*> listeners_of(const Model& m, const Pool& pool) {
  std::vector<const Listener*> found;
  for (const auto& [id, listener] : m.listeners)
    if (listener.default_pool == pool.id) found.push_back(&listener);
  for (const auto& [id, policy] : m.l7policies)
    if (policy.redirect_pool == pool.id && redirects(m, policy))
      add_once(found, &m.listeners.at(policy.listener));
  sort_by_age(found);
  return found;
}

std::vector<const L7Policy*> policies_of(const Model& m, const Listener& listener) {
  auto found =
      select(m.l7policies, [&](const L7Policy& policy) { return policy.listener == listener.id; });
  sort_by_position(found);
  return found;
}

std::vector<const Pool*> pools_of(const Model& m, const Listener& listener) {
  std::vector<const Pool*> found;
  if (listener.default_pool) found.push_back(&m.pools.at(*listener.default_pool));
  for (const L7Policy* policy : policies_of(m, listener))
    if (redirects(m, *policy)) add_once(found, &m.pools.at(*policy->redirect_pool));
  return found;
}

Relations::Relations(const Model& m) : m_(m) {
  for (const auto& [id, listener] : m.listeners)
    listeners_of_lb_[listener.load_balancer].push_back(&listener);
  for (const auto& [id, pool] : m.pools) pools_of_lb_[pool.load_balancer].push_back(&pool);
  for (const auto& [id, member] : m.members) members_[member.pool].push_back(&member);
  for (const auto& [id, monitor] : m.health_monitors) monitors_[monitor.pool] = &monitor;
  for (const auto& [id, policy] : m.l7policies) policies_[policy.listener].push_back(&policy);
  for (const auto& [id, rule] : m.l7rules) rules_[rule.policy].push_back(&rule);
  for (auto& [id, listeners] : listeners_of_lb_) sort_by_age(listeners);
  for (auto& [id, pools] : pools_of_lb_) sort_by_age(pools);
  for (auto& [id, members] : members_) sort_by_age(members);
  for (auto& [id, policies] : policies_) sort_by_age(policies), sort_by_position(policies);
  for (auto& [id, rules] : rules_) sort_by_age(rules);
  connect_pools();
}

void Relations::connect_pools() {
  for (const auto& [id, listener] : m_.listeners) {
    std::vector<const Pool*>& used = pools_of_listener_[id];
    if (listener.default_pool) used.push_back(&m_.pools.at(*listener.default_pool));
    for (const L7Policy* policy : policies_of(listener))
      if (wants_to_redirect(*policy) && !rules_of(*policy).empty())
        add_once(used, &m_.pools.at(*policy->redirect_pool));
    for (const Pool* pool : used) listeners_of_pool_[pool->id].push_back(&listener);
  }
  for (auto& [id, listeners] : listeners_of_pool_) sort_by_age(listeners);
}

const std::vector<const Listener*>& Relations::listeners_of(const LoadBalancer& lb) const {
  return children(listeners_of_lb_, lb.id);
}
const std::vector<const Listener*>& Relations::listeners_of(const Pool& pool) const {
  return children(listeners_of_pool_, pool.id);
}
const std::vector<const Pool*>& Relations::pools_of(const LoadBalancer& lb) const {
  return children(pools_of_lb_, lb.id);
}
const std::vector<const Pool*>& Relations::pools_of(const Listener& listener) const {
  return children(pools_of_listener_, listener.id);
}
const std::vector<const Member*>& Relations::members_of(const Pool& pool) const {
  return children(members_, pool.id);
}
const std::vector<const L7Policy*>& Relations::policies_of(const Listener& listener) const {
  return children(policies_, listener.id);
}
const std::vector<const L7Rule*>& Relations::rules_of(const L7Policy& policy) const {
  return children(rules_, policy.id);
}
const HealthMonitor* Relations::monitor_of(const Pool& pool) const {
  auto found = monitors_.find(pool.id);
  return found == monitors_.end() ? nullptr : found->second;
}

}  // namespace model
