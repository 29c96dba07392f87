// Key: what both nodes have and nobody else does.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pair {

using Key = std::array<uint8_t, 32>;

// Derived from what the file has: a line of 32 to 512 visible characters, which only its owner can
// read.
base::Result<Key> read_key(const std::string& file);
Key derive_key(std::string_view text);

// What two amphorae of one load balancer have been told by their controller.
struct Shared {
  std::string heartbeat_key;  // of all amphorae of the controller
  std::string load_balancer;  // its id as Octavia writes it, with dashes
  std::string password;       // of the two in VRRP
};
// HKDF-SHA256 (RFC 5869): of the heartbeat key, the load balancer as salt, and the password.
base::Result<Key> derive_key(const Shared& shared);

// What stands for a set of maps in HELLO. Its seed says nothing to anybody who has this: where
// flows lie in the table is to be nobody else's knowledge.
uint64_t name_of_maps(uint64_t seed);

}  // namespace pair
