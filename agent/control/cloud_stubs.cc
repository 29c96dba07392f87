#include "agent/control/cloud_stubs.h"

#include "agent/http/response.h"
#include "agent/model/fields/read.h"
#include "agent/model/limits.h"

namespace control {
namespace {

using nlohmann::json;

const std::string kProviderName(model::kProvider);

}  // namespace

http::Response providers(const Call&) {
  return http::json_response(
      200, {{"providers",
             {{{"name", kProviderName},
               {"description", "Load balancing in the kernel by XDP, L7 through HAProxy."}}}}});
}

http::Response capabilities(const Call& call) {
  if (call.name != kProviderName)
    return http::fault_response({501, "Provider '" + call.name + "' was not found."});
  return http::json_response(200, {{call.noun, json::array()}});
}

http::Response empty_list(const Call& call) {
  json out = json::object();
  out[call.noun] = json::array();
  out[call.noun + "_links"] = json::array();
  return http::json_response(200, out);
}

http::Response quota(const Call&) {
  const auto listeners = static_cast<int64_t>(model::kMostServices);
  const auto members = static_cast<int64_t>(model::kMostMembers);
  return http::json_response(200, {{"quota",
                                    {{"load_balancer", -1},
                                     {"loadbalancer", -1},
                                     {"listener", listeners},
                                     {"pool", -1},
                                     {"health_monitor", -1},
                                     {"healthmonitor", -1},
                                     {"member", members},
                                     {"l7policy", -1},
                                     {"l7rule", -1}}}});
}

http::Response absent(const Call& call) {
  return http::fault_response({404, call.noun + " " + call.name + " not found."});
}

// Of projects, too: a client that may not look one up takes the id that it was given.
http::Response refused(const Call&) {
  return http::fault_response({403, "Policy does not allow this request to be performed."});
}

}  // namespace control
