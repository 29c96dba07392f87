#include "health/expected_codes.h"

#include <algorithm>
#include <charconv>

namespace health {
namespace {

constexpr int kFirstCode = 100, kLastCode = 599;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int> parse_code(std::string_view text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (text.size() != 3 || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  if (code < kFirstCode || code > kLastCode) return std::nullopt;
  return code;
}

std::optional<CodeRange> parse_range(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = parse_code(text.substr(0, dash));
  const auto last = dash == text.npos ? first : parse_code(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return CodeRange{*first, *last};
}

std::vector<CodeRange> merged(std::vector<CodeRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<CodeRange> out;
  for (const CodeRange& range : ranges) {
    if (!out.empty() && range.first <= out.back().last + 1)
      out.back().last = std::max(out.back().last, range.last);
    else
      out.push_back(range);
  }
  return out;
}

}  // namespace

std::optional<std::vector<CodeRange>> parse_expected_codes(std::string_view text) {
  std::vector<CodeRange> ranges;
  for (;;) {
    const size_t comma = text.find(',');
    const auto range = parse_range(trimmed(text.substr(0, comma)));
    if (!range) return std::nullopt;
    ranges.push_back(*range);
    if (comma == text.npos) return merged(std::move(ranges));
    text.remove_prefix(comma + 1);
  }
}

bool contains(const std::vector<CodeRange>& ranges, int code) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const CodeRange& range) {
    return range.first <= code && code <= range.last;
  });
}

std::string to_text(const std::vector<CodeRange>& ranges) {
  std::string text;
  for (const CodeRange& range : ranges) {
    if (!text.empty()) text += ',';
    text += std::to_string(range.first);
    if (range.last != range.first) text += '-' + std::to_string(range.last);
  }
  return text;
}

}  // namespace health
