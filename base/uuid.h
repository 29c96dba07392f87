// Uuid: RFC 4122 ids as values, ordered and hashable; text is lower case with dashes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

struct Uuid {
  std::array<uint8_t, 16> bytes{};  // network order; all zero: none

  static Uuid random();  // version 4, from getrandom(2)
  // 36 characters with dashes or 32 without, any case.
  static std::optional<Uuid> parse(std::string_view text);
  std::string text() const;
  bool is_nil() const { return *this == Uuid{}; }

  auto operator<=>(const Uuid&) const = default;
};

}  // namespace base
