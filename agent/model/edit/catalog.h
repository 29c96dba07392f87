// Requests about what a catalog has (catalog.h): the rules of the Octavia v2 API about flavors,
// availability zones and their profiles. Pure.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/fault.h"
#include "agent/model/fields/listable.h"
#include "agent/model/model.h"

namespace model {

enum class CatalogKind { flavor, flavor_profile, availability_zone, availability_zone_profile };

struct CatalogNames {
  CatalogKind kind;
  std::string_view singular, plural, links;  // keys of bodies and answers
  std::string_view argument;                 // of bodies, in Octavia's errors: "flavor_"
  std::string_view title;                    // "Flavor Profile"
  std::string_view object;                   // where it is in use: "Flavor profile"
};

const CatalogNames& names_of(CatalogKind kind);

struct CatalogEdited {
  Model model;
  std::string id;  // of an availability zone the name
};

Outcome<CatalogEdited> create(const Model& m, CatalogKind kind, const nlohmann::json& body);
Outcome<CatalogEdited> update(const Model& m, CatalogKind kind, const std::string& id,
                              const nlohmann::json& body);
// 409 of one that is in use.
Outcome<CatalogEdited> remove(const Model& m, CatalogKind kind, const std::string& id);

// 404 "Flavor <id> not found."
Fault not_found(CatalogKind kind, const std::string& id);
std::optional<nlohmann::json> show(const Model& m, CatalogKind kind, const std::string& id);
std::vector<nlohmann::json> show_all(const Model& m, CatalogKind kind);
const Listable& listable(CatalogKind kind);

// What profiles may say, as a provider answers it: {"name", "description"}.
nlohmann::json capabilities(CatalogKind profile);

// The flavor and the availability zone of a new load balancer are there, enabled, and of its
// provider, which the flavor says where the request does not.
Refusal check_offers(const Model& m, LoadBalancer& lb);

}  // namespace model
