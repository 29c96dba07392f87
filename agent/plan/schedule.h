// Weighted round robin as a ring: the order in which members take turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace plan {

// How many slots each member gets: its weight divided by what all have in common, or, if that makes
// more than `limit`, its share of `limit` slots by largest remainder and at least one. Weights are
// positive, and no more than `limit` of them.
std::vector<uint32_t> slot_counts(std::span<const uint32_t> weights, size_t limit);

// One round of smooth weighted round robin (nginx's order): slot -> index in `counts`, where index
// i comes counts[i] times, as evenly spaced as the others allow.
std::vector<uint16_t> interleave(std::span<const uint32_t> counts);

}  // namespace plan
