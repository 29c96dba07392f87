// The connected networks, as a networking service would show them: clients look names up there
// before they come to us. Read-only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/control/operator.h"
#include "agent/http/url.h"
#include "agent/model/fault.h"

namespace control {

// `noun`: "networks" (one for each interface, of its name), "subnets" (one for each of its
// prefixes, named "198.51.100.0/24"), "ports" (its own); of every other noun ("floatingips") there
// is none. Ids stay the same as long as the names and prefixes do. Each parameter but `fields` is a
// filter; a repeated one means any of them.
nlohmann::json networks_json(const std::vector<ConnectedNetwork>& all, const std::string& noun,
                             const http::Parameters& query);
// One, by its id; null: there is none. Under its singular.
nlohmann::json network_json(const std::vector<ConnectedNetwork>& all, const std::string& noun,
                            const std::string& id);

}  // namespace control
