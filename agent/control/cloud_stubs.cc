#include "agent/control/cloud_stubs.h"

#include "agent/http/response.h"
#include "agent/model/fields/read.h"

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

http::Response empty_list(const Call& call) {
  json out = json::object();
  out[call.noun] = json::array();
  out[call.noun + "_links"] = json::array();
  return http::json_response(200, out);
}

http::Response absent(const Call& call) {
  return http::fault_response({404, call.noun + " " + call.name + " not found."});
}

// Of projects, too: a client that may not look one up takes the id that it was given.
http::Response refused(const Call&) {
  return http::fault_response({403, "Policy does not allow this request to be performed."});
}

}  // namespace control
