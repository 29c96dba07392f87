// Numbering: gives the keys of one kind the numbers they had, or free ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace plan {

template <class Key, class Number, class Less = std::less<Key>>
class Numbering {
 public:
  using Map = std::map<Key, Number, Less>;

  // Gives out first .. end - 1. Numbers of `before` and of `resting` are given to no other key.
  Numbering(const Map& before, const std::set<Number>& resting, Number first, Number end)
      : before_(before), taken_(resting), next_(first), end_(end) {
    for (const auto& [key, number] : before) taken_.insert(number);
  }

  // The number that `key` had, else the lowest free one. nullopt: none is left.
  std::optional<Number> number(const Key& key) {
    if (auto it = given_.find(key); it != given_.end()) return it->second;
    std::optional<Number> number = kept(key);
    if (!number) number = fresh();
    if (number) {
      given_.emplace(key, *number);
      in_use_.insert(*number);
    }
    return number;
  }

  Map take() && { return std::move(given_); }

 private:
  // What was read back may say anything: a number counts for one key, and only if it is one of
  // ours.
  std::optional<Number> kept(const Key& key) const {
    auto it = before_.find(key);
    if (it == before_.end() || it->second == 0 || it->second >= end_) return std::nullopt;
    if (in_use_.contains(it->second)) return std::nullopt;
    return it->second;
  }

  std::optional<Number> fresh() {
    while (next_ < end_ && taken_.contains(next_)) next_++;
    if (next_ >= end_) return std::nullopt;
    return next_++;
  }

  const Map& before_;
  std::set<Number> taken_, in_use_;
  Map given_;
  Number next_, end_;
};

}  // namespace plan
