#include "agent/plan/maglev.h"

#include <algorithm>
#include <cassert>

namespace plan {

namespace {

// FNV-1a over the bytes, and the finish of MurmurHash3, because FNV leaves neighbouring addresses
// with high bits alike.
uint64_t hash(const base::Endpoint& endpoint, uint64_t start) {
  uint64_t h = start;
  auto add = [&h](uint8_t byte) { h = (h ^ byte) * 0x100000001b3; };
  for (size_t i = 0; i < endpoint.address.size(); i++) add(endpoint.address.bytes()[i]);
  add(static_cast<uint8_t>(endpoint.port >> 8));
  add(static_cast<uint8_t>(endpoint.port));
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

constexpr uint16_t kFree = 0xffff;

// A backend on its way through its permutation.
struct Walk {
  uint32_t position, skip;
  uint32_t weight;
  uint32_t credit = 0;  // below the highest weight: what the last turns left over

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

  // Each round earns it its weight, and a turn costs the highest of all: so many rounds to the next
  // one.
  uint32_t rounds_to_next_turn(uint32_t highest) {
    const uint32_t rounds = (highest - credit + weight - 1) / weight;
    credit = credit + rounds * weight - highest;
    return rounds;
  }
};

}  // namespace

MaglevPermutation maglev_permutation(const base::Endpoint& endpoint, uint32_t size) {
  const uint64_t h1 = hash(endpoint, 0xcbf29ce484222325);
  const uint64_t h2 = hash(endpoint, 0x6c62272e07bb0142);
  return {static_cast<uint32_t>(h1 % size), static_cast<uint32_t>(h2 % (size - 1) + 1)};
}

std::vector<uint16_t> maglev_table(std::span<const MaglevBackend> backends, uint32_t size) {
  assert(backends.size() <= size && backends.size() < kFree);
  std::vector<uint16_t> table(backends.empty() ? 0 : size, kFree);
  uint32_t highest = 0, lowest = UINT32_MAX;
  for (const MaglevBackend& backend : backends) {
    highest = std::max(highest, backend.weight);
    lowest = std::min(lowest, backend.weight);
  }
  std::vector<Walk> walks;
  walks.reserve(backends.size());
  for (const MaglevBackend& backend : backends) {
    const MaglevPermutation way = maglev_permutation(backend.endpoint, size);
    walks.push_back({way.offset, way.skip, backend.weight});
  }
  // Who has a turn in which of the rounds to come. Light ones have few: to ask each of them in
  // every round would take 256 times as long as the table has slots.
  std::vector<std::vector<uint16_t>> rounds(table.empty() ? 0 : highest / lowest + 2);
  const auto after = [&rounds](size_t round, size_t more) {  // as on a clock
    return round + more < rounds.size() ? round + more : round + more - rounds.size();
  };
  std::vector<uint16_t> turns;
  for (size_t i = 0; i < walks.size(); i++) rounds[0].push_back(static_cast<uint16_t>(i));
  for (size_t round = 0, filled = 0; filled < table.size(); round = after(round, 1)) {
    turns.clear();
    turns.swap(rounds[round]);
    if (!std::is_sorted(turns.begin(), turns.end())) std::sort(turns.begin(), turns.end());
    for (size_t i = 0; i < turns.size() && filled < table.size(); i++, filled++) {
      Walk& walk = walks[turns[i]];
      walk.take_slot(table, turns[i]);
      rounds[after(round, walk.rounds_to_next_turn(highest))].push_back(turns[i]);
    }
  }
  return table;
}

}  // namespace plan
