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

// What stands for a set of maps in HELLO. Its seed says nothing to anybody who has this: where
// flows lie in the table is to be nobody else's knowledge.
uint64_t name_of_maps(uint64_t seed);

}  // namespace pair
