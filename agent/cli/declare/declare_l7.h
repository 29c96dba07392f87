// Declarative use of the API, for the L7 policies of one listener (declare.h).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/cli/declare/declare.h"

namespace model {

struct PolicyComparison {
  std::string listener;          // its id, or the label of the request that makes it
  std::string title;             // for people: "listener HTTP 80"
  const nlohmann::json& wanted;  // its policies as in show_tree
  const nlohmann::json& present;
  // What a wanted pool's id is to be in a request, and for people.
  std::function<std::string(const nlohmann::json&id)> pool_reference, pool_name;
};

// Policies are found by name, those without one by their order; what is in another order is moved.
std::vector<ApiRequest> policy_requests(const PolicyComparison& comparison);

}  // namespace model
