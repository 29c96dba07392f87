#include "agent/octavia/words.h"

#include <algorithm>

#include "base/ascii.h"

namespace octavia {
namespace {

bool is_word(char c) { return base::is_alphanumeric(c) || c == '_'; }

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

std::optional<base::Uuid> id_of(std::string_view word) {
  constexpr size_t kLength = 36;
  if (word.size() != kLength) return std::nullopt;
  const auto id = base::Uuid::parse(word);
  return id && !id->is_nil() ? id : std::nullopt;
}

std::string action_of(std::string_view word) {
  std::string action(word);
  for (char& c : action)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return action == "start" || action == "stop" || action == "reload" ? action : "";
}

bool is_certificate_name(std::string_view name) {
  constexpr size_t kLongest = 200;  // with room for what a file is called while it is written
  if (name.empty() || name.size() > kLongest || name.front() == '.') return false;
  if (!std::ranges::all_of(name, is_visible) || name.find('/') != std::string_view::npos)
    return false;
  for (size_t at = name.find("pem"); at != std::string_view::npos; at = name.find("pem", at + 1))
    if (at >= 2 && is_word(name[at - 2])) return true;
  return false;
}

}  // namespace octavia
