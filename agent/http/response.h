// Responses as the API words them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "agent/http/http.h"
#include "agent/model/fault.h"

namespace http {

// JSON text. Bytes that are no UTF-8 (they can come back out of a request) are replaced.
std::string dump(const nlohmann::json& value);

Response json_response(int status, const nlohmann::json& body);
Response empty_response(int status);
// {"faultcode": "Client" | "Server", "faultstring": ..., "debuginfo": null}
Response fault_response(const model::Fault& fault);

}  // namespace http
