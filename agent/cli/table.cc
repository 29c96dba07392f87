#include "agent/cli/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kShortId = 8;
constexpr size_t kShortestText = 6;
constexpr std::string_view kCut = "…";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }  // UTF-8

// In characters, not bytes.
size_t length(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

std::string first(std::string_view text, size_t characters) {
  size_t bytes = 0;
  while (bytes < text.size() && (continues(text[bytes]) || characters-- > 0)) ++bytes;
  return std::string(text.substr(0, bytes));
}

std::string harmless(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return text;
}

std::string cell(std::string text, const Column& column, size_t width) {
  const size_t have = length(text);
  if (have > width)
    text = column.fit == Column::Fit::id ? first(text, width)
                                         : first(text, width - 1) + std::string(kCut);
  const std::string pad(width - std::min(width, length(text)), ' ');
  return column.fit == Column::Fit::number ? pad + text : text + pad;
}

class Layout {
 public:
  Layout(const std::vector<Column>& columns, const std::vector<Row>& rows) : columns_(columns) {
    for (const Column& column : columns) widths_.push_back(length(column.title));
    for (const Row& row : rows)
      for (size_t i = 0; i < columns.size(); ++i) widths_[i] = std::max(widths_[i], length(row[i]));
  }
  void fit(size_t width) {
    for (size_t i = 0; i < widths_.size() && total() > width; ++i)
      if (columns_[i].fit == Column::Fit::id) widths_[i] = std::min(widths_[i], kShortId);
    while (total() > width && shorten_longest_text()) {
    }
  }
  std::string line(const Row& row) const {
    std::string out;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i != 0) out.append(kGap, ' ');
      out += cell(row[i], columns_[i], widths_[i]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  }

 private:
  size_t total() const {
    size_t sum = kGap * (widths_.size() - 1);
    for (const size_t width : widths_) sum += width;
    return sum;
  }
  bool shorten_longest_text() {
    size_t* longest = nullptr;
    for (size_t i = 0; i < widths_.size(); ++i)
      if (columns_[i].fit == Column::Fit::text && widths_[i] > kShortestText &&
          (longest == nullptr || widths_[i] > *longest))
        longest = &widths_[i];
    if (longest != nullptr) --*longest;
    return longest != nullptr;
  }

  const std::vector<Column>& columns_;
  std::vector<size_t> widths_;
};

}  // namespace

std::string render(const std::vector<Column>& columns, const std::vector<Row>& rows, size_t width) {
  std::vector<Row> clean = rows;
  for (Row& row : clean) {
    row.resize(columns.size());
    for (std::string& text : row) text = harmless(std::move(text));
  }
  Layout layout(columns, clean);
  layout.fit(width);
  Row titles;
  for (const Column& column : columns) titles.push_back(column.title);
  std::string out = layout.line(titles);
  for (const Row& row : clean) out += layout.line(row);
  return out;
}

size_t terminal_width() {
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    const int value = std::atoi(columns);
    if (value > 0) return static_cast<size_t>(value);
  }
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string short_number(uint64_t value) {
  if (value < 10'000) return std::to_string(value);
  constexpr std::array kUnits{"k", "M", "G", "T", "P", "E"};
  double scaled = static_cast<double>(value);
  size_t unit = 0;
  for (scaled /= 1000; scaled >= 999.5 && unit + 1 < kUnits.size(); scaled /= 1000) ++unit;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), scaled < 99.95 ? "%.1f%s" : "%.0f%s", scaled,
                kUnits[unit]);
  return text.data();
}

std::string short_duration(uint64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + "ms";
  const uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  const auto two = [](uint64_t big, const char* big_unit, uint64_t small, const char* small_unit) {
    return std::to_string(big) + big_unit + (small < 10 ? "0" : "") + std::to_string(small) +
           small_unit;
  };
  if (seconds < 3600) return two(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86'400) return two(seconds / 3600, "h", seconds / 60 % 60, "m");
  return two(seconds / 86'400, "d", seconds / 3600 % 24, "h");
}

}  // namespace cli
