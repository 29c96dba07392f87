// JSON from files, and out to people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "agent/cli/failure.h"

namespace cli {

// `path` "-": standard input. Errors (kMisused) name file, line and column.
OrFailure<nlohmann::json> read_json(const std::string& path);

// Indented, on standard output; bytes that are no UTF-8 are replaced.
void print_json(const nlohmann::json& value);
void print(const std::string& text);

// A member as text; "-" for null or none.
std::string text_of(const nlohmann::json& object, const char* key);
// The same of the member `name`, else of `id`.
std::string name_or_id(const nlohmann::json& object, const char* name = "name",
                       const char* id = "id");

}  // namespace cli
