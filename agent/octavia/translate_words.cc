#include "agent/octavia/translate_words.h"

#include <algorithm>
#include <limits>

#include "base/number.h"
#include "health/expected_codes.h"

namespace octavia {

namespace {

constexpr size_t kMostShown = 80;  // bytes of a line in a reason
constexpr int kMostSeconds = 86400;

}  // namespace

std::optional<int> milliseconds_of(std::string_view word) {
  return base::parse_number(word, 0, std::numeric_limits<int>::max());
}

std::optional<int> seconds_of(std::string_view word) {
  if (!word.ends_with('s')) return std::nullopt;
  return base::parse_number(word.substr(0, word.size() - 1), 1, kMostSeconds);
}

std::optional<base::Endpoint> place_of(std::string_view word) {
  const size_t colon = word.rfind(':');
  if (colon == word.npos) return std::nullopt;
  const auto address = base::IpAddress::parse(word.substr(0, colon));
  const auto port =
      base::parse_number(word.substr(colon + 1), 1, std::numeric_limits<uint16_t>::max());
  if (!address || !port) return std::nullopt;
  return base::Endpoint{*address, static_cast<uint16_t>(*port)};
}

bool is_one_machine(const base::IpAddress& address) {
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast()) return false;
  return address != base::IpAddress::v4(0xffffffff);
}

std::optional<base::Uuid> uuid_of(std::string_view word) {
  const auto id = base::Uuid::parse(word);
  return id && id->text() == word ? id : std::nullopt;
}

std::optional<BackendName> backend_name_of(std::string_view word) {
  if (word.size() != 2 * kUuidCharacters + 1 || word[kUuidCharacters] != ':') return std::nullopt;
  const auto pool = uuid_of(word.substr(0, kUuidCharacters));
  const auto listener = uuid_of(word.substr(kUuidCharacters + 1));
  if (!pool || !listener) return std::nullopt;
  return BackendName{*pool, *listener};
}

std::optional<std::string> expected_codes_of(std::string_view alternation) {
  if (alternation.find_first_not_of("0123456789|") != alternation.npos) return std::nullopt;
  std::string list(alternation);
  std::replace(list.begin(), list.end(), '|', ',');
  const auto ranges = health::parse_expected_codes(list);
  if (!ranges) return std::nullopt;
  return health::to_text(*ranges);
}

bool is_url_path(std::string_view word) {
  return word.starts_with('/') && std::none_of(word.begin(), word.end(), [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
         });
}

std::string not_understood(uint32_t line, const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
    if (text.size() > kMostShown) break;
  }
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "...";
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return "line " + std::to_string(line) + " is not understood: " + text;
}

}  // namespace octavia
