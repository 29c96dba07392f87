// Answers as the agent of Octavia words them (contract, 1.2).
#pragma once

#include <string>
#include <string_view>

#include "agent/http/http.h"
#include "agent/octavia/parts.h"

namespace octavia {

// {"message": ..., "details": ...}; empty ones are left out.
http::Response answer(int status, std::string_view message, std::string_view details = {});
http::Response answer(const Answer& given);
// {"message": "OK", "interface": name}
http::Response with_interface(std::string_view name);
// {"error": "<status> <text>", "http_code": status}
http::Response generic_error(int status, std::string_view text);
// {"error": text, "http_code": 500}
http::Response failure(std::string_view text);

// How the server words what it refuses by itself. To a controller any status but 400, 401, 403,
// 404, 405, 409, 500 and 503 is success (section 0, rule 4): another error becomes 400 or 500.
http::Response refusal(int status, std::string_view text);

// Lower-case hex, as in ETags.
std::string md5_hex(std::string_view bytes);
http::Response with_etag(http::Response response, std::string_view bytes);

}  // namespace octavia
