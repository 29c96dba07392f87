// Load balancers as the agent shows them, with all that belongs to them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "agent/cli/client.h"

namespace cli {

// A list of load balancers; "listeners" and "pools" expanded, "members" in each pool. `which`: only
// those with this id or name; "": all.
OrFailure<nlohmann::json> fetch_present(const Client& client, const std::string& which);

// The same, from a state file of the agent.
OrFailure<nlohmann::json> read_present(const std::string& state_file);

}  // namespace cli
