// What of the model counts for the machine: what stays, what is switched on, and which addresses
// can be had. The words that every planner shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "agent/model/model.h"
#include "base/ip.h"

namespace plan {

// Of addresses in unordered containers.
struct AddressHash {
  size_t operator()(const base::IpAddress& address) const noexcept {
    uint64_t words[2] = {};
    std::memcpy(words, address.bytes(), address.size());
    const uint64_t mixed = words[0] * 0x9e3779b97f4a7c15 ^ words[1] * 0xc2b2ae3d27d4eb4f;
    return mixed ^ mixed >> 32;
  }
};

// Can be an address of a load balancer or of a member: one machine, elsewhere.
bool is_unicast(const base::IpAddress& address);

// Stays: PENDING_DELETE counts as gone.
bool is_wanted(const model::Common& resource);
// Stays and is switched on.
bool is_on(const model::Common& resource);

// vip_address and additional_vips, each once, without those that cannot be one.
std::set<base::IpAddress> vips_of(const model::LoadBalancer& lb);

// Of a listener's connections, milliseconds. Octavia's templates take 0 for the default.
struct Timeouts {
  int64_t client, connect, member;
};
Timeouts timeouts_of(const model::Listener& listener);
// nullopt: none. 0 is none, too, to Octavia's templates.
std::optional<int> limit_of(const model::Listener& listener);

// Why no server can be where the member says, in words for people; empty: one can.
std::string reason_against(const model::Member& member);

// The listener's default pool, unless it is on its way out; nullptr: none.
const model::Pool* wanted_pool(const model::Model& model, const model::Listener& listener);
// The same, but nullptr, too, if it is switched off: nobody new is sent to it.
const model::Pool* serving_pool(const model::Model& model, const model::Listener& listener);

}  // namespace plan
