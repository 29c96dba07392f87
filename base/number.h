// Numbers in texts from outside.
#pragma once

#include <optional>
#include <string_view>

namespace base {

// All of `text` in decimal digits (no sign, no blanks), from `least` to `most`.
std::optional<int> parse_number(std::string_view text, int least, int most);

}  // namespace base
