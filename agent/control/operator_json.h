// What operators ask for, as JSON (docs/control-socket.md).
#pragma once

#include <nlohmann/json.hpp>

#include "agent/control/operator.h"
#include "agent/model/model.h"

namespace control {

// Live flows by capacity, 0 .. 1 and beyond: past 1 the table is fuller than it was sized for.
double pressure(const FlowTableStatus& table);
uint64_t live_flows(const FlowTableStatus& table);

// ISO 8601, UTC, to the second; null for the epoch, which stands for never.
nlohmann::json time_json(model::Time time);

nlohmann::json to_json(const Status& status, const Verdicts& verdicts, const model::Model& m);
nlohmann::json to_json(const Verdicts& verdicts, const model::Model& m);
nlohmann::json to_json(const MovedVips& moved);

// {"bytes_in", "bytes_out", "active_connections", "total_connections", "request_errors"}: sums over
// the listeners for which `wanted`, a predicate of base::Uuid, is true.
template <class Wanted>
nlohmann::json octavia_stats(const Counters& counters, Wanted wanted) {
  ServiceCounters sum;
  for (const ServiceCounters& service : counters.services) {
    if (!wanted(service.listener)) continue;
    sum.bytes_in += service.bytes_in;
    sum.bytes_out += service.bytes_out;
    sum.flows_now += service.flows_now;
    sum.flows_total += service.flows_total;
    sum.request_errors += service.request_errors;
  }
  return {{"bytes_in", sum.bytes_in},
          {"bytes_out", sum.bytes_out},
          {"active_connections", sum.flows_now},
          {"total_connections", sum.flows_total},
          {"request_errors", sum.request_errors}};
}

}  // namespace control
