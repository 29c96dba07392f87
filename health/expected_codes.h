// Octavia's expected_codes: which HTTP statuses are a success.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health/health_spec.h"

namespace health {

// "200", "200,202", "200-204" and mixtures of them, spaces around the commas allowed. Sorted,
// overlapping and adjacent ranges merged. nullopt: not such a text, a code outside 100..599, or a
// range that runs backwards.
std::optional<std::vector<CodeRange>> parse_expected_codes(std::string_view text);

bool contains(const std::vector<CodeRange>& ranges, int code);

std::string to_text(const std::vector<CodeRange>& ranges);  // "200-204,301"

}  // namespace health
