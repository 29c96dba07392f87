// GET /metrics: Prometheus text format 0.0.4.
#pragma once

#include <string>

#include "agent/control/operator.h"
#include "agent/model/model.h"
#include "agent/model/show/status.h"

namespace control {

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// What is told of: all and the machine, or what belongs to load balancers.
enum class MetricsOf { machine, load_balancers };

// octavia_*: by load balancer, listener, pool and member, as Octavia's own endpoint names them, as
// far as both placements know it (docs/control-socket.md has the others).
// amphora_xdp_*: verdicts, flow tables, interfaces, reconcile.
std::string metrics(const Status& status, const Verdicts& verdicts, const Counters& counters,
                    const model::Model& m, const model::Statuses& statuses,
                    MetricsOf of = MetricsOf::machine);

}  // namespace control
