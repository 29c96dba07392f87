#include "agent/control/metrics_scope.h"

#include <vector>

#include "agent/control/metrics.h"
#include "agent/model/relations.h"

namespace control {

std::string metrics_of(const base::Uuid& load_balancer, Status status, Verdicts verdicts,
                       Counters counters, const model::Model& m, const model::Statuses& statuses) {
  const model::Model part = model::part_of(m, {load_balancer});
  std::erase_if(status.checks,
                [&](const MemberCheck& one) { return !part.members.contains(one.member); });
  std::erase_if(status.haproxy,
                [&](const HaproxyStatus& one) { return one.load_balancer != load_balancer; });
  std::erase_if(verdicts.listeners, [&](const ListenerVerdicts& one) {
    return !part.listeners.contains(one.listener);
  });
  std::erase_if(counters.services,
                [&](const ServiceCounters& one) { return !part.listeners.contains(one.listener); });
  std::erase_if(counters.members,
                [&](const MemberCounters& one) { return !part.members.contains(one.member); });
  return metrics(status, verdicts, counters, part, statuses, MetricsOf::load_balancers);
}

}  // namespace control
