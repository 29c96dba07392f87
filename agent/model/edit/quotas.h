// Quotas of projects: set, shown, and held against what a project has. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/model/fault.h"
#include "agent/model/fields/listable.h"
#include "agent/model/kinds.h"
#include "agent/model/model.h"

namespace model {

// 403 "Quota has been met for resources: <kind>", if the project has no room for so many more.
Refusal check_quota(const Model& m, const std::string& project, Kind kind, size_t more);

// PUT /quotas/{project}: what the body does not name stays; null is the default.
Outcome<Model> set_quota(const Model& m, const std::string& project, const nlohmann::json& body);
// 404 if the project has none of its own.
Outcome<Model> reset_quota(const Model& m, const std::string& project);

// What holds for the project, defaults filled in: what this machine carries out; -1: no limit.
nlohmann::json quota_of(const Model& m, const std::string& project);
nlohmann::json default_quota();
// Those that were set: a null is the default.
std::vector<nlohmann::json> show_quotas(const Model& m);
const Listable& listable_quotas();

}  // namespace model
