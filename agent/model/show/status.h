// Operating status: what every resource is worth to clients now, rolled up as Octavia's health
// manager does from what an amphora reports. Pure.
#pragma once

#include <map>
#include <set>

#include "agent/model/model.h"

namespace model {

enum class CheckedState {
  up,
  down,
  unknown  // nothing has been learnt of it (yet): no fault of the member
};

// What the machine says of resources.
struct Findings {
  std::map<Uuid, CheckedState> members;  // by their health checks; not there: unknown
  std::set<Uuid> full_listeners;         // that are at their connection limit
  std::set<Uuid> lossy_listeners = {};   // of which the machine loses packets
};

using Statuses = std::map<Uuid, OperatingStatus>;

// Of every resource of the model. What is not on the machine (PENDING_CREATE, ERROR), is switched
// off or serves no listener that is on is OFFLINE. A disabled health monitor counts as none.
Statuses operating_statuses(const Model& m, const Findings& findings);

}  // namespace model
