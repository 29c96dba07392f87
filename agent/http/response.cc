#include "agent/http/response.h"

namespace http {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Response json_response(int status, const json& body) {
  Response response;
  response.status = status;
  response.body = dump(body);
  return response;
}

Response empty_response(int status) {
  Response response;
  response.status = status;
  return response;
}

Response fault_response(const model::Fault& fault) {
  return json_response(fault.status,
                       {{"faultcode", fault.status < 500 ? "Client" : "Server"},
                        {"faultstring", fault.text},
                        {"debuginfo", fault.detail.empty() ? json() : json(fault.detail)}});
}

}  // namespace http
