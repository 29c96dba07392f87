// What a resource is called, for logs and statuses.
#pragma once

#include <optional>
#include <string>

#include "agent/model/model.h"

namespace model {

struct Title {
  const char* type;  // Octavia's word: "loadbalancer"
  std::string name;  // "": it has none
};

// nullopt: there is no such resource.
std::optional<Title> title_of(const Model& m, const Uuid& id);

// "member m1 (0e2f...)", "member 0e2f...", or the id alone.
std::string titled(const Model& m, const Uuid& id);

}  // namespace model
