// Draft: a model while one request changes it. Looks up, locks, stamps; knows no field.
#pragma once

#include "agent/model/edit/edit.h"
#include "agent/model/edit/rules.h"

namespace model {

class Draft {
 public:
  Draft(const Model& m, const Context& context) : model(m), context_(context) {}

  Model model;
  const Context& context() const { return context_; }

  LoadBalancer* load_balancer(const Uuid& id);
  Listener* listener(const Uuid& id);
  Pool* pool(const Uuid& id);
  Member* member(const Uuid& pool, const Uuid& id);
  HealthMonitor* health_monitor(const Uuid& id);
  L7Policy* l7policy(const Uuid& id);
  L7Rule* l7rule(const Uuid& policy, const Uuid& id);

  // Gives a new resource its id, time and status. Those of one request differ in time, so that
  // lists keep the order of the request.
  void stamp_new(Common& resource);
  void mark(Common& resource, ProvisioningStatus status);
  // The load balancer, and what uses the pool, while a child changes. The load balancer is not
  // PENDING.
  void lock(const Uuid& load_balancer);
  void lock_users(const Pool& pool);
  void lock_above(Pool& pool);  // what a member or the monitor of the pool locks, the pool too
  void lock_above(const L7Policy& policy);  // its listener and load balancer
  // A listener goes with its policies, a policy with its rules.
  void mark_gone(Listener& listener);
  void mark_gone(L7Policy& policy);

  // 403 where the load balancer's project has no room for so many more of a kind.
  Refusal check_room(const Uuid& load_balancer, Kind kind, size_t more = 1) const;
  // 404, or 409 while it is PENDING.
  Refusal check_mutable(const Uuid& load_balancer);
  // The same of a pool or a policy, and its load balancer.
  Refusal check_pool(const Uuid& pool);
  Refusal check_policy(const Uuid& policy);

 private:
  const Context& context_;
  int created_ = 0;
};

}  // namespace model
