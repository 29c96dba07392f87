#include "agent/model/edit/catalog.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "agent/model/edit/rules.h"
#include "agent/model/fields/read.h"

namespace model {

namespace {

using nlohmann::json;

constexpr std::array kCatalog{
    CatalogNames{CatalogKind::flavor, "flavor", "flavors", "flavors_links", "flavor_", "Flavor",
                 "Flavor"},
    CatalogNames{CatalogKind::flavor_profile, "flavorprofile", "flavorprofiles",
                 "flavorprofile_links", "flavor_profile_", "Flavor Profile", "Flavor profile"},
    CatalogNames{CatalogKind::availability_zone, "availability_zone", "availability_zones",
                 "availability_zones_links", "availability_zone_", "Availability Zone",
                 "Availability Zone"},
    CatalogNames{CatalogKind::availability_zone_profile, "availability_zone_profile",
                 "availability_zone_profiles", "availability_zone_profile_links",
                 "availability_zone_profile_", "Availability Zone Profile",
                 "Availability Zone Profile"},
};

// use(all, kind): the catalog's map. Answers what `use` does.
template <class C, class Use>
auto with(C& catalog, CatalogKind kind, Use&& use) {
  switch (kind) {
    case CatalogKind::flavor:
      return use(catalog.flavors);
    case CatalogKind::flavor_profile:
      return use(catalog.flavor_profiles);
    case CatalogKind::availability_zone:
      return use(catalog.availability_zones);
    case CatalogKind::availability_zone_profile:
      return use(catalog.availability_zone_profiles);
  }
  __builtin_unreachable();
}

// One of a map by the text of its key; end(): there is none.
template <class Map>
auto find_in(Map& all, const std::string& id) {
  if constexpr (std::is_same_v<typename Map::key_type, Uuid>) {
    const auto key = Uuid::parse(id);
    return key ? all.find(*key) : all.end();
  } else {
    return all.find(id);
  }
}

std::string text_of(const Uuid& key) { return key.text(); }
const std::string& text_of(const std::string& key) { return key; }

// What a profile may say, and what it comes to here.
struct Capability {
  CatalogKind profile;
  std::string_view name;
  std::string_view description;
};
constexpr std::array kCapabilities{
    Capability{CatalogKind::flavor_profile, "loadbalancer_topology",
               "The load balancer topology, SINGLE or ACTIVE_STANDBY. Kept and shown; whether two "
               "nodes share the VIPs is the agent's configuration."},
    Capability{CatalogKind::flavor_profile, "compute_flavor",
               "The compute driver flavor ID. Kept and shown; it decides nothing here."},
    Capability{CatalogKind::flavor_profile, "amp_image_tag",
               "The amphora image tag. Kept and shown; it decides nothing here."},
    Capability{CatalogKind::availability_zone_profile, "compute_zone",
               "The compute availability zone. Kept and shown; it decides nothing here."},
    Capability{CatalogKind::availability_zone_profile, "management_network",
               "The management network ID. Kept and shown; it decides nothing here."},
    Capability{CatalogKind::availability_zone_profile, "valid_vip_networks",
               "List of network IDs that are allowed for VIP use."},
};

Refusal check_capability(CatalogKind profile, const std::string& name, const json& value) {
  const auto known = std::ranges::any_of(kCapabilities, [&](const Capability& one) {
    return one.profile == profile && one.name == name;
  });
  if (!known)
    return unsupported("Additional properties are not allowed ('" + name + "' was unexpected)");
  if (name == "valid_vip_networks" ? !value.is_array() : !value.is_string())
    return unsupported(as_in_python(value) + " is not of type '" +
                       (name == "valid_vip_networks" ? "array" : "string") + "'");
  if (name == "loadbalancer_topology" && value != "SINGLE" && value != "ACTIVE_STANDBY")
    return unsupported(as_in_python(value) + " is not one of ['ACTIVE_STANDBY', 'SINGLE']");
  return std::nullopt;
}

Refusal check_data(CatalogKind profile, const std::string& text, const char* option) {
  const json data = json::parse(text, nullptr, false);
  if (data.is_discarded()) return invalid_option(text, option);
  if (!data.is_object()) return unsupported(as_in_python(data) + " is not of type 'object'");
  for (const auto& [name, value] : data.items())
    if (auto refusal = check_capability(profile, name, value)) return refusal;
  return std::nullopt;
}

Fault exists_already(const std::string& what, const std::string& name) {
  return {409, "A " + what + " of " + name + " already exists."};
}

Refusal check(const Model& m, const Flavor& flavor) {
  for (const auto& [id, other] : m.catalog.flavors)
    if (id != flavor.id && other.name == flavor.name) return exists_already("flavor", flavor.name);
  if (!m.catalog.flavor_profiles.contains(flavor.profile))
    return not_found(CatalogKind::flavor_profile, flavor.profile.text());
  return std::nullopt;
}
Refusal check(const Model& m, const AvailabilityZone& zone) {
  if (!m.catalog.availability_zone_profiles.contains(zone.profile))
    return not_found(CatalogKind::availability_zone_profile, zone.profile.text());
  return std::nullopt;
}
Refusal check(const Model&, const FlavorProfile& profile) {
  if (auto refusal = check_provider(profile.provider_name)) return refusal;
  return check_data(CatalogKind::flavor_profile, profile.data, "flavor_data");
}
Refusal check(const Model&, const AvailabilityZoneProfile& profile) {
  if (auto refusal = check_provider(profile.provider_name)) return refusal;
  return check_data(CatalogKind::availability_zone_profile, profile.data, "availability_zone_data");
}

bool is_used(const Model& m, const Flavor& flavor) {
  return std::ranges::any_of(m.load_balancers, [&](const auto& entry) {
    return entry.second.flavor_id == flavor.id.text();
  });
}
bool is_used(const Model& m, const AvailabilityZone& zone) {
  return std::ranges::any_of(m.load_balancers, [&](const auto& entry) {
    return entry.second.availability_zone == zone.name;
  });
}
bool is_used(const Model& m, const FlavorProfile& profile) {
  return std::ranges::any_of(m.catalog.flavors,
                             [&](const auto& entry) { return entry.second.profile == profile.id; });
}
bool is_used(const Model& m, const AvailabilityZoneProfile& profile) {
  return std::ranges::any_of(m.catalog.availability_zones,
                             [&](const auto& entry) { return entry.second.profile == profile.id; });
}

Fault in_use(CatalogKind kind, const std::string& id) {
  return {409,
          std::string(names_of(kind).object) + " " + id + " is in use and cannot be modified."};
}

// A profile whose flavors are there keeps what they were made of.
bool changes_offers(const json& values) {
  for (const char* name : {"provider_name", "flavor_data", "availability_zone_data"})
    if (values.contains(name)) return true;
  return false;
}

template <class R>
Outcome<json> read(CatalogKind kind, const json& body, unsigned use) {
  const CatalogNames& names = names_of(kind);
  const std::string argument(names.argument), key(names.singular);
  auto inner = unwrap(argument, key, body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields({argument + "." + key, key}, table<R>(), std::get<json>(inner), use);
}

// A new one's key.
template <class R>
Refusal give_key(const std::map<Uuid, R>&, R& one) {
  one.id = Uuid::random();
  return std::nullopt;
}
Refusal give_key(const std::map<std::string, AvailabilityZone>& all, AvailabilityZone& zone) {
  if (all.contains(zone.name)) return exists_already("availability zone", zone.name);
  return std::nullopt;
}

template <class R>
json shown(const R& one) {
  json out = json::object();
  for (const Field<R>& field : table<R>()) out[std::string(field.name)] = field.value(one);
  return out;
}

template <class All>
using Of = typename std::remove_cvref_t<All>::mapped_type;

}  // namespace

const CatalogNames& names_of(CatalogKind kind) {
  for (const CatalogNames& names : kCatalog)
    if (names.kind == kind) return names;
  __builtin_unreachable();  // every kind has a row
}

Fault not_found(CatalogKind kind, const std::string& id) {
  return {404, std::string(names_of(kind).title) + " " + id + " not found."};
}

Outcome<CatalogEdited> create(const Model& m, CatalogKind kind, const json& body) {
  CatalogEdited edited{m, ""};
  return with(edited.model.catalog, kind, [&](auto& all) -> Outcome<CatalogEdited> {
    Of<decltype(all)> one;
    auto values = read<decltype(one)>(kind, body, kCreate);
    if (auto* fault = std::get_if<Fault>(&values)) return *fault;
    assign(one, std::get<json>(values));
    if (auto refusal = check(m, one)) return *refusal;
    if (auto refusal = give_key(all, one)) return *refusal;
    edited.id = text_of(key_of(one));
    all.emplace(key_of(one), one);
    return std::move(edited);
  });
}

Outcome<CatalogEdited> update(const Model& m, CatalogKind kind, const std::string& id,
                              const json& body) {
  CatalogEdited edited{m, id};
  return with(edited.model.catalog, kind, [&](auto& all) -> Outcome<CatalogEdited> {
    auto values = read<Of<decltype(all)>>(kind, body, kUpdate);
    if (auto* fault = std::get_if<Fault>(&values)) return *fault;
    const auto found = find_in(all, id);
    if (found == all.end()) return not_found(kind, id);
    if (changes_offers(std::get<json>(values)) && is_used(m, found->second))
      return in_use(kind, id);
    assign(found->second, std::get<json>(values));
    if (auto refusal = check(m, found->second)) return *refusal;
    return std::move(edited);
  });
}

Outcome<CatalogEdited> remove(const Model& m, CatalogKind kind, const std::string& id) {
  CatalogEdited edited{m, id};
  return with(edited.model.catalog, kind, [&](auto& all) -> Outcome<CatalogEdited> {
    const auto found = find_in(all, id);
    if (found == all.end()) return not_found(kind, id);
    if (is_used(m, found->second)) return in_use(kind, id);
    all.erase(found);
    return std::move(edited);
  });
}

std::optional<json> show(const Model& m, CatalogKind kind, const std::string& id) {
  return with(m.catalog, kind, [&](const auto& all) -> std::optional<json> {
    const auto found = find_in(all, id);
    if (found == all.end()) return std::nullopt;
    return shown(found->second);
  });
}

std::vector<json> show_all(const Model& m, CatalogKind kind) {
  return with(m.catalog, kind, [&](const auto& all) {
    std::vector<json> rows;
    for (const auto& [key, one] : all) rows.push_back(shown(one));
    return rows;
  });
}

const Listable& listable(CatalogKind kind) {
  static const std::map<CatalogKind, Listable> lists = [] {
    const Catalog empty;
    std::map<CatalogKind, Listable> out;
    for (const CatalogNames& names : kCatalog) {
      json example =
          with(empty, names.kind, [](const auto& all) { return shown(Of<decltype(all)>{}); });
      const char* id = example.contains("id") ? "id" : "name";
      out.emplace(names.kind, Listable{std::string(names.plural), std::string(names.links), id,
                                       std::move(example)});
    }
    return out;
  }();
  return lists.at(kind);
}

json capabilities(CatalogKind profile) {
  json all = json::array();
  for (const Capability& one : kCapabilities)
    if (one.profile == profile)
      all.push_back({{"name", one.name}, {"description", one.description}});
  return all;
}

namespace {

Fault not_allowed(const std::string& option, const std::string& value) {
  return {400, "The selected " + option + " is not allowed in this deployment: " + value};
}

Refusal check_flavor(const Model& m, LoadBalancer& lb) {
  if (lb.flavor_id.empty()) return std::nullopt;
  const auto flavor = find_in(m.catalog.flavors, lb.flavor_id);
  if (flavor == m.catalog.flavors.end()) return validation_failure("Invalid flavor_id.");
  if (!flavor->second.enabled) return not_allowed("flavor", lb.flavor_id);
  const std::string& provider = m.catalog.flavor_profiles.at(flavor->second.profile).provider_name;
  if (!lb.provider.empty() && lb.provider != provider)
    return Fault{
        400, "Flavor '" + lb.flavor_id + "' is not compatible with provider '" + lb.provider + "'"};
  lb.provider = provider;
  return std::nullopt;
}

Refusal check_zone(const Model& m, const LoadBalancer& lb) {
  if (lb.availability_zone.empty()) return std::nullopt;
  const auto zone = m.catalog.availability_zones.find(lb.availability_zone);
  if (zone == m.catalog.availability_zones.end())
    return validation_failure("Invalid availability zone.");
  if (!zone->second.enabled) return not_allowed("availability_zone", lb.availability_zone);
  const json data = json::parse(m.catalog.availability_zone_profiles.at(zone->second.profile).data);
  const auto networks = data.find("valid_vip_networks");
  if (networks == data.end() || networks->empty() ||
      std::find(networks->begin(), networks->end(), json(lb.vip_network_id)) != networks->end())
    return std::nullopt;
  return validation_failure(
      "Supplied VIP network_id is not allowed by the configuration of this deployment.");
}

}  // namespace

Refusal check_offers(const Model& m, LoadBalancer& lb) {
  if (auto refusal = check_flavor(m, lb)) return refusal;
  return check_zone(m, lb);
}

}  // namespace model
