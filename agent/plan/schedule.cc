#include "agent/plan/schedule.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace plan {

namespace {

// Members whose share is less than one slot get one; the others share what is left. Each round can
// push more of them under one slot, so go on until none is.
void give_least(std::span<const uint32_t> weights, std::vector<uint32_t>& counts, uint64_t& slots,
                uint64_t& total) {
  for (bool again = true; again;) {
    again = false;
    const uint64_t least = total, of = slots;
    for (size_t i = 0; i < weights.size(); i++) {
      if (counts[i] != 0 || weights[i] * of >= least) continue;
      counts[i] = 1;
      slots--;
      total -= weights[i];
      again = true;
    }
  }
}

// Members with as many slots as each other. All of them earn as much in every slot, so the one that
// waits longest has the highest claim of them: they take turns, and one look at the class will do.
struct Class {
  uint32_t count = 0;             // slots of each member
  std::vector<uint16_t> members;  // in the order of their turns
  size_t turn = 0;
  int64_t claim =
      0;  // of the member whose turn it is: slots earned less slots had, times the round

  uint16_t next() const { return members[turn]; }
  bool before(const Class& other) const {
    return claim != other.claim ? claim > other.claim : next() < other.next();
  }
};

std::vector<Class> classes_of(std::span<const uint32_t> counts) {
  std::map<uint32_t, Class> classes;
  for (size_t i = 0; i < counts.size(); i++)
    classes[counts[i]].members.push_back(static_cast<uint16_t>(i));
  std::vector<Class> list;
  for (auto& [count, members] : classes) {
    members.count = count;
    list.push_back(std::move(members));
  }
  return list;
}

}  // namespace

std::vector<uint32_t> slot_counts(std::span<const uint32_t> weights, size_t limit) {
  if (weights.empty()) return {};
  uint32_t common = 0;
  for (uint32_t weight : weights) common = std::gcd(common, weight);
  uint64_t total = 0;
  std::vector<uint32_t> counts;
  for (uint32_t weight : weights) total += weight, counts.push_back(weight / common);
  if (total / common <= limit) return counts;

  std::fill(counts.begin(), counts.end(), 0);
  uint64_t slots = limit;
  give_least(weights, counts, slots, total);
  std::vector<std::pair<uint64_t, size_t>> remainders;
  uint64_t left = slots;
  for (size_t i = 0; i < weights.size(); i++) {
    if (counts[i] != 0) continue;
    counts[i] = static_cast<uint32_t>(weights[i] * slots / total);
    left -= counts[i];
    remainders.emplace_back(total - weights[i] * slots % total, i);  // largest remainder first
  }
  std::sort(remainders.begin(), remainders.end());
  for (size_t i = 0; i < left; i++) counts[remainders[i].second]++;
  return counts;
}

std::vector<uint16_t> interleave(std::span<const uint32_t> counts) {
  std::vector<Class> classes = classes_of(counts);
  const int64_t round = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  std::vector<uint16_t> ring;
  ring.reserve(static_cast<size_t>(round));
  for (int64_t slot = 0; slot < round; slot++) {
    Class* best = nullptr;
    for (Class& c : classes) {
      c.claim += c.count;
      if (best == nullptr || c.before(*best)) best = &c;
    }
    ring.push_back(best->next());
    best->turn++;
    if (best->turn < best->members.size()) continue;
    best->turn = 0;
    best->claim -= round;
  }
  return ring;
}

}  // namespace plan
