// Request bodies: JSON objects from strangers.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "agent/model/fault.h"

namespace http {

// Syntax errors name line and column; a key that an object has twice and nesting beyond
// kMaxJsonDepth are refused. What is JSON but no object gets the answer that Octavia gives.
inline constexpr int kMaxJsonDepth = 32;
model::Outcome<nlohmann::json> parse_body(std::string_view text);

}  // namespace http
