// Request targets: path segments and query parameters, percent-decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

using Parameters = std::vector<std::pair<std::string, std::string>>;  // in their order

struct Target {
  std::vector<std::string> path;  // segments; "/" and a trailing slash have none
  Parameters query;
};

// nullopt: not a target ("*", a broken %-escape, a NUL). Absolute forms ("http://host/x") are
// taken for their path.
std::optional<Target> parse_target(std::string_view target);

// The next segment of the path "/v2/{}/x" of a table of routes, cut off; empty at its end.
std::string_view next_segment(std::string_view& pattern);

std::string percent_encode(std::string_view text);

}  // namespace http
