#include "base/number.h"

#include <charconv>

namespace base {

std::optional<int> parse_number(std::string_view text, int least, int most) {
  int value = 0;
  if (text.starts_with('-')) return std::nullopt;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (err != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

}  // namespace base
