// The connected networks, as a networking service would show them: clients look names up there
// before they come to us. Read-only.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/control/operator.h"
#include "agent/http/url.h"
#include "agent/model/fault.h"
#include "agent/model/model.h"
#include "agent/model/vip_ranges.h"

namespace control {

std::string network_id(const std::string& interface);
std::string subnet_id(const base::IpPrefix& subnet, const std::string& interface);

// What load balancers have of the networks: a port each, and ranges to allocate from.
struct Vips {
  const model::Model& model;
  std::shared_ptr<const model::VipRanges> ranges;  // null: none
};

// `noun`: "networks" (one for each interface, of its name), "subnets" (one for each of its
// prefixes, named "198.51.100.0/24"), "ports" (its own, and one of each load
// balancer); of every other noun ("floatingips") there
// is none. Ids stay the same as long as the names and prefixes do. Each parameter but `fields` is a
// filter; a repeated one means any of them.
nlohmann::json networks_json(const std::vector<ConnectedNetwork>& all, const Vips& vips,
                             const std::string& noun, const http::Parameters& query);
// One, by its id; null: there is none. Under its singular.
nlohmann::json network_json(const std::vector<ConnectedNetwork>& all, const Vips& vips,
                            const std::string& noun, const std::string& id);

}  // namespace control
