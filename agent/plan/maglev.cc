#include "agent/plan/maglev.h"

#include <algorithm>
#include <cassert>

namespace plan {

namespace {

// FNV-1a over the bytes, and the finish of MurmurHash3, because FNV leaves neighbouring addresses
// with high bits alike.
uint64_t hash(const base::Endpoint& place, uint64_t start) {
  uint64_t h = start;
  auto add = [&h](uint8_t byte) { h = (h ^ byte) * 0x100000001b3; };
  for (size_t i = 0; i < place.address.size(); i++) add(place.address.bytes()[i]);
  add(static_cast<uint8_t>(place.port >> 8));
  add(static_cast<uint8_t>(place.port));
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

constexpr uint16_t kFree = 0xffff;

// A backend on its way through its permutation.
struct Walk {
  uint32_t position, skip;
  uint32_t credit, weight;

  // Takes the next slot of its permutation that is free.
  void take_slot(std::vector<uint16_t>& table, uint16_t who) {
    const auto size = static_cast<uint32_t>(table.size());
    uint32_t slot;
    do {
      slot = position;
      position += skip;
      if (position >= size) position -= size;
    } while (table[slot] != kFree);
    table[slot] = who;
  }
};

}  // namespace

MaglevPermutation maglev_permutation(const base::Endpoint& place, uint32_t size) {
  const uint64_t h1 = hash(place, 0xcbf29ce484222325);
  const uint64_t h2 = hash(place, 0x6c62272e07bb0142);
  return {static_cast<uint32_t>(h1 % size), static_cast<uint32_t>(h2 % (size - 1) + 1)};
}

std::vector<uint16_t> maglev_table(std::span<const MaglevBackend> backends, uint32_t size) {
  assert(backends.size() <= size && backends.size() < kFree);
  std::vector<uint16_t> table(backends.empty() ? 0 : size, kFree);
  uint32_t highest = 0;
  for (const MaglevBackend& backend : backends) highest = std::max(highest, backend.weight);
  std::vector<Walk> walks;
  walks.reserve(backends.size());
  for (const MaglevBackend& backend : backends) {
    const MaglevPermutation way = maglev_permutation(backend.place, size);
    walks.push_back({way.offset, way.skip, highest - backend.weight, backend.weight});
  }
  for (size_t filled = 0; filled < table.size();) {
    for (size_t i = 0; i < walks.size() && filled < table.size(); i++) {
      walks[i].credit += walks[i].weight;
      if (walks[i].credit < highest) continue;
      walks[i].credit -= highest;
      walks[i].take_slot(table, static_cast<uint16_t>(i));
      filled++;
    }
  }
  return table;
}

}  // namespace plan
