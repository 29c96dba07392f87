// The version documents, as Octavia 11 answers them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace control {

// `host` is the request's, for the links.
nlohmann::json root_versions(const std::string& host);

}  // namespace control
