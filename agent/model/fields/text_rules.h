// Readers of attributes whose text has a form of its own (ValueType::Form::custom).
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "agent/model/fault.h"

namespace model {

// The path of a URL, with a query if need be: from "/" on, in characters that may stand in a
// request line.
Outcome<nlohmann::json> read_url_path(std::string_view field, const nlohmann::json& in);

// "200", "200,202" or "200-204"; statuses are 100 to 599.
Outcome<nlohmann::json> read_expected_codes(std::string_view field, const nlohmann::json& in);

// 1.0 or 1.1; as text, too.
Outcome<nlohmann::json> read_http_version(std::string_view field, const nlohmann::json& in);

// A host name of at most 255 characters.
Outcome<nlohmann::json> read_domain_name(std::string_view field, const nlohmann::json& in);

// OpenSSL's cipher list: "ECDHE-RSA-AES256-GCM-SHA384:!aNULL".
Outcome<nlohmann::json> read_ciphers(std::string_view field, const nlohmann::json& in);

// A list of "h2", "http/1.1", "http/1.0".
Outcome<nlohmann::json> read_alpn_protocols(std::string_view field, const nlohmann::json& in);

// What may stand in a Set-Cookie header before the "=".
Outcome<nlohmann::json> read_cookie_name(std::string_view field, const nlohmann::json& in);

// {"X-Forwarded-For": "true"}: which headers to insert; "true" or "false", read as lower case.
Outcome<nlohmann::json> read_header_flags(std::string_view field, const nlohmann::json& in);

// How much of a client's address counts: a netmask of either family, or for IPv6 the length of a
// prefix ("64").
Outcome<nlohmann::json> read_granularity(std::string_view field, const nlohmann::json& in);

}  // namespace model
