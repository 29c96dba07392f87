// Declarative use of the API: from a file that describes a whole load balancer, and the load
// balancer that is there, to the requests that make one of the other. Pure; for clients.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace model {

// One request to the API. Where it needs the id of what an earlier one makes, path and body hold
// that one's `label` instead ("<pool web>").
struct ApiRequest {
  std::string method;                // "POST", "PUT", "DELETE"
  std::string path;                  // "/v2/lbaas/pools"
  nlohmann::json body;               // null: none
  std::string label;                 // stands for the id in the answer; empty: nobody needs it
  std::vector<std::string> changes;  // for people: "change weight of member ... from 1 to 5"
};

// `file` is the body of a single-call create, {"loadbalancer": {..., "listeners": [...], "pools":
// [...]}}; "id" beside the other attributes is allowed. `present` is a list of load balancers as
// the API shows them, with "listeners" and "pools" expanded, "l7policies" with their "rules" in
// each listener, and "members" in each pool (as show_tree).
//
// The load balancer is found by id, else by name; listeners by L4 protocol and port, pools by name,
// members by address and port, policies by name (those without one by their order). What the file
// does not say is at its default; what it does not name goes. Empty: nothing differs. Send the
// requests in order, each when the load balancer is ACTIVE again. Errors name the place in the
// file: "loadbalancer.listeners[0]: ...".
base::Result<std::vector<ApiRequest>> declare(const nlohmann::json& file,
                                              const nlohmann::json& present);

// The request with labels replaced by ids. A label without an id is an error.
base::Result<ApiRequest> resolve(const ApiRequest& request,
                                 const std::map<std::string, std::string>& ids);

}  // namespace model
