// Draft: a model while one request changes it. Looks up, locks, stamps; knows no field.
#pragma once

#include "agent/model/edit.h"
#include "agent/model/rules.h"

namespace model {

class Draft {
 public:
  Draft(const Model& m, const Context& context) : model(m), now_(context.now) {}

  Model model;

  LoadBalancer* load_balancer(const Uuid& id);
  Listener* listener(const Uuid& id);
  Pool* pool(const Uuid& id);
  Member* member(const Uuid& pool, const Uuid& id);
  HealthMonitor* health_monitor(const Uuid& id);

  // Gives a new resource its id, time and status. Those of one request differ in time, so that
  // lists keep the order of the request.
  void stamp_new(Common& resource);
  void mark(Common& resource, ProvisioningStatus status);
  // The load balancer, and what uses the pool, while a child changes. The load balancer is ACTIVE.
  void lock(const Uuid& load_balancer);
  void lock_users(const Pool& pool);
  void lock_above(Pool& pool);  // what a member or the monitor of the pool locks, the pool too

  // 404, or 409 unless it is ACTIVE.
  Refusal check_mutable(const Uuid& load_balancer);
  // The same of a pool and its load balancer.
  Refusal check_pool(const Uuid& pool);

 private:
  Time now_;
  int created_ = 0;
};

}  // namespace model
