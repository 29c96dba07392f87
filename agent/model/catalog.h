// What an administrator of a cloud offers and allows, as Octavia has it: flavors, availability
// zones and the profiles behind them, quotas. No resources of the machine: they have no status.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/uuid.h"

namespace model {

using base::Uuid;

// `data` is JSON, as it was given.
struct FlavorProfile {
  Uuid id;
  std::string name, provider_name, data;

  friend bool operator==(const FlavorProfile&, const FlavorProfile&) = default;
};

struct Flavor {
  Uuid id;
  std::string name, description;
  bool enabled = true;
  Uuid profile;

  friend bool operator==(const Flavor&, const Flavor&) = default;
};

struct AvailabilityZoneProfile {
  Uuid id;
  std::string name, provider_name, data;

  friend bool operator==(const AvailabilityZoneProfile&, const AvailabilityZoneProfile&) = default;
};

struct AvailabilityZone {
  std::string name, description;
  bool enabled = true;
  Uuid profile;

  friend bool operator==(const AvailabilityZone&, const AvailabilityZone&) = default;
};

// How many a project may have; none: as many as by default. -1: no limit.
struct Quota {
  std::string project_id;
  std::optional<int> load_balancer, listener, pool, health_monitor, member, l7policy, l7rule;

  friend bool operator==(const Quota&, const Quota&) = default;
};

struct Catalog {
  std::map<Uuid, Flavor> flavors;
  std::map<Uuid, FlavorProfile> flavor_profiles;
  std::map<std::string, AvailabilityZone> availability_zones;  // by name
  std::map<Uuid, AvailabilityZoneProfile> availability_zone_profiles;
  std::map<std::string, Quota> quotas;  // by project

  friend bool operator==(const Catalog&, const Catalog&) = default;
};

// What each is found by.
template <class R>
const Uuid& key_of(const R& one) {
  return one.id;
}
inline const std::string& key_of(const AvailabilityZone& zone) { return zone.name; }
inline const std::string& key_of(const Quota& quota) { return quota.project_id; }

}  // namespace model
