// The version documents, as Octavia 11 answers them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace control {

// `origin` is for the links: "http://localhost".
nlohmann::json root_versions(const std::string& origin);

}  // namespace control
