// Text that ends up in what an HTTP proxy is told or answers with: which characters it may have.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "agent/model/fault.h"

namespace model {

// 400 "Error parsing L7Rule: Invalid L7 Rule: <why>"
Fault invalid_rule(const std::string& why);

// Readers of attributes (ValueType::Form::custom).
// An http or https URL with a host, in the characters of RFC 3986.
Outcome<nlohmann::json> read_url(std::string_view field, const nlohmann::json& in);
// 301, 302, 303, 307 or 308.
Outcome<nlohmann::json> read_redirect_code(std::string_view field, const nlohmann::json& in);
// Text of one line.
Outcome<nlohmann::json> read_line(std::string_view field, const nlohmann::json& in);

bool is_token(std::string_view text);         // a header's or cookie's name, RFC 9110
bool is_header_value(std::string_view text);  // visible ASCII, or that with blanks in quotes
bool is_cookie_value(std::string_view text);
bool is_dn_field(std::string_view text);  // "CN"
bool is_integer(std::string_view text);   // decimal, not negative
// Why it is no regular expression, as HAProxy would read it; none: it is one.
std::optional<std::string> regex_error(const std::string& pattern);

}  // namespace model
