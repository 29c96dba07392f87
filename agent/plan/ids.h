// Numbering: gives the keys of one kind the numbers they had, or free ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace plan {

// `Map`: from key to number.
template <class Map>
class Numbering {
 public:
  using Key = typename Map::key_type;
  using Number = typename Map::mapped_type;

  // Gives out first .. end - 1. Numbers of `before` and of `resting` are given to no other key.
  Numbering(const Map& before, const std::set<Number>& resting, Number first, Number end)
      : before_(before), taken_(resting.begin(), resting.end()), next_(first), end_(end) {
    for (const auto& [key, number] : before) taken_.push_back(number);
    std::sort(taken_.begin(), taken_.end());
    for (size_t i = 1; i < taken_.size(); i++)
      if (taken_[i] == taken_[i - 1]) shared_.insert(taken_[i]);
    if constexpr (requires { given_.reserve(before.size()); }) given_.reserve(before.size());
  }

  // The number that `key` had, else the lowest free one. nullopt: none is left.
  std::optional<Number> number(const Key& key) {
    const auto [entry, is_new] = given_.try_emplace(key);
    if (!is_new) return entry->second;
    std::optional<Number> number = kept(key);
    if (!number) number = fresh();
    if (number)
      entry->second = *number;
    else
      given_.erase(entry);
    return number;
  }

  Map take() && { return std::move(given_); }

 private:
  // What was read back may say anything: a number counts for one key, and only if it is one of
  // ours.
  std::optional<Number> kept(const Key& key) {
    auto it = before_.find(key);
    if (it == before_.end() || it->second == 0 || it->second >= end_) return std::nullopt;
    if (!shared_.empty() && shared_.contains(it->second) && !granted_.insert(it->second).second)
      return std::nullopt;
    return it->second;
  }

  // taken_ is sorted, and next_ only grows: both are walked once.
  std::optional<Number> fresh() {
    while (next_ < end_) {
      while (walked_ < taken_.size() && taken_[walked_] < next_) walked_++;
      if (walked_ == taken_.size() || taken_[walked_] != next_) return next_++;
      next_++;
    }
    return std::nullopt;
  }

  const Map& before_;
  std::vector<Number> taken_;          // sorted
  std::set<Number> shared_, granted_;  // that several keys of `before` had; those given since
  size_t walked_ = 0;                  // of taken_
  Map given_;
  Number next_, end_;
};

}  // namespace plan
