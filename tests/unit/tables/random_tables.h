// Tables for property tests, and what must be true of them at every moment.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent/datapath/abi.h"
#include "agent/datapath/tables.h"

namespace datapath {

base::IpAddress member(uint32_t host);      // 203.0.113.<host>
lb_backend backend_at(uint32_t host);       // present, port 8080
Ring ring_of(std::vector<uint16_t> slots);  // of no pool
lb_service_key service_key(uint16_t port);  // tcp 203.0.113.99:<port>
lb_service service_of(uint32_t id, uint32_t ring);

// Within rc::check: small numbers, so that two of them share most of their keys and differ in the
// values. What a CIDR set holds follows from its number, as the planner numbers sets by content.
Tables random_tables();

// All contents as text, so that two Tables can be compared and shown.
std::set<std::string> contents(const Tables& t);

using CidrSets = std::map<uint32_t, std::set<std::string>>;
CidrSets cidr_sets(const Tables& t);
// What is broken; nullopt: nothing is. `complete` has the whole contents of every set number.
std::optional<std::string> broken(const Tables& t, const CidrSets& complete);

}  // namespace datapath
