// Tables that fit the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct Column {
  enum class Fit {
    whole,   // never cut
    text,    // cut at its end when there is no room
    id,      // a UUID: cut to its first 8 characters, before any text is
    number,  // never cut; to the right
  };
  std::string title;
  Fit fit = Fit::text;
};

using Row = std::vector<std::string>;  // a cell for each column

// `width` in characters. Columns are two spaces apart; lines end without spaces. Control characters
// in cells are shown as '?', so that a name cannot speak to the terminal.
std::string render(const std::vector<Column>& columns, const std::vector<Row>& rows, size_t width);

// COLUMNS, else the terminal's; 80 where there is none.
size_t terminal_width();

// "1.2M": at most five characters.
std::string short_number(uint64_t value);
// "350ms", "12s", "3m05s", "2h07m", "5d03h".
std::string short_duration(uint64_t milliseconds);

}  // namespace cli
