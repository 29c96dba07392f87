#include "keepalived/lvs_lines.h"

#include <algorithm>
#include <array>

#include "base/number.h"

namespace keepalived {

namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr size_t kMostWords = 12;  // more than any line has; the rest is one more
constexpr size_t kMostShown = 60;  // bytes of a line in an error
constexpr std::array<std::string_view, 5> kKinds{"Loadbalancer", "Listener", "Pool",
                                                 "HealthMonitor", "Member"};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Takes a word off the front: up to a blank, or up to the quote that closes the one it begins with.
std::string take_word(std::string_view& text) {
  const bool is_quoted = text.front() == '"' && text.find('"', 1) != text.npos;
  const size_t begin = is_quoted ? 1 : 0;
  const size_t end =
      std::min(is_quoted ? text.find('"', 1) : text.find_first_of(kBlanks), text.size());
  std::string word(text.substr(begin, end - begin));
  text.remove_prefix(is_quoted ? end + 1 : end);
  text = trimmed(text);
  return word;
}

std::string shown(const LvsLine& line) {
  std::string text;
  for (const std::string& word : line.words) {
    if (!text.empty()) text += ' ';
    text += word;
    if (text.size() > kMostShown) break;
  }
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "...";
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace

std::optional<LvsLine> LvsLines::next() {
  while (!rest_.empty()) {
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view text = trimmed(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    number_++;
    if (text.empty()) continue;
    LvsLine line{number_, text.front() == '#', {}};
    if (line.is_comment) text = trimmed(text.substr(1));
    while (!text.empty() && line.words.size() < kMostWords) line.words.push_back(take_word(text));
    if (!text.empty()) line.words.emplace_back(text);
    if (!line.words.empty()) return line;
  }
  return std::nullopt;
}

base::Result<std::optional<LvsNote>> note_of(const LvsLine& comment) {
  const std::vector<std::string>& words = comment.words;
  if (words.size() != 4) return std::optional<LvsNote>{};
  const bool is_configured = words[0] == "Configuration" && words[1] == "for";
  const bool is_disabled = words[2] == "is" && words[3] == "disabled";
  const std::string& kind = words[is_configured ? 2 : 0];
  if (is_configured == is_disabled || std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
    return std::optional<LvsNote>{};
  const auto id = base::Uuid::parse(words[is_configured ? 3 : 1]);
  if (!id) return not_understood(comment);
  return std::optional<LvsNote>{{kind, *id, is_disabled}};
}

std::optional<base::Endpoint> endpoint_of(std::string_view address, std::string_view port) {
  const auto ip = base::IpAddress::parse(address);
  const auto number = base::parse_number(port, 1, 65535);
  if (!ip || !number) return std::nullopt;
  return base::Endpoint{*ip, static_cast<uint16_t>(*number)};
}

base::Error not_understood(const LvsLine& line) {
  return error_at(line.number, std::string("it is not understood: ") +
                                   (line.is_comment ? "# " : "") + shown(line));
}

base::Error error_at(uint32_t number, const std::string& what) {
  return {0, "line " + std::to_string(number) + ": " + what};
}

}  // namespace keepalived
