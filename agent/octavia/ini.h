// The INI of oslo.config, as far as its grammar goes: sections, `key = value` or `key: value`,
// lines that go on when they begin with a blank, `#` and `;` comments. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace octavia {

// In their order; an option may be there more than once. Dashes in names are underscores.
struct IniEntry {
  std::string section, option;
  std::string value;  // lines joined by '\n', blanks and one pair of quotes around it taken off
  int line = 0;       // of its first, from 1

  friend bool operator==(const IniEntry&, const IniEntry&) = default;
};

// Without the blanks and the ends of lines around it.
std::string_view trimmed(std::string_view text);

// Errors are "FILE:LINE: what". A NUL byte is one.
base::Result<std::vector<IniEntry>> parse_ini(std::string_view text, const std::string& file);

}  // namespace octavia
