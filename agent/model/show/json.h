// Resources to and from JSON: as the API shows them, and as the state file keeps them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/model/show/status.h"
#include "base/result.h"

namespace model {

// As GET answers, without the envelope. `m` resolves references ("pools": [{"id": ...}]). What has
// no status in `statuses` is OFFLINE.
nlohmann::json show(const Model& m, const LoadBalancer& lb, const Statuses& statuses = {});
nlohmann::json show(const Model& m, const Listener& listener, const Statuses& statuses = {});
nlohmann::json show(const Model& m, const Pool& pool, const Statuses& statuses = {});
nlohmann::json show(const Model& m, const Member& member, const Statuses& statuses = {});
nlohmann::json show(const Model& m, const HealthMonitor& monitor, const Statuses& statuses = {});
nlohmann::json show(const Model& m, const L7Policy& policy, const Statuses& statuses = {});
nlohmann::json show(const Model& m, const L7Rule& rule, const Statuses& statuses = {});
// nullopt: there is none of this id.
std::optional<nlohmann::json> show(const Model& m, Kind kind, const Uuid& id,
                                   const Statuses& statuses);
// All of a kind; of the pool or policy `parent` if they are members or rules. Much cheaper than one
// by one.
std::vector<nlohmann::json> show_all(const Model& m, Kind kind, const Uuid& parent,
                                     const Statuses& statuses = {});
// The answer to a nested create: children expanded.
nlohmann::json show_tree(const Model& m, const LoadBalancer& lb, const Statuses& statuses = {});
// GET /loadbalancers/{id}/status, without "statuses": {"loadbalancer": {...}}.
nlohmann::json status_tree(const Model& m, const LoadBalancer& lb, const Statuses& statuses = {});

// The state file: {"version": 1, "load_balancers": [...], ...}, every field of every resource.
nlohmann::json save(const Model& m);
base::Result<Model> load(const nlohmann::json& state);

}  // namespace model
