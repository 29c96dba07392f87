#include "haproxy/quote.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/ascii.h"

namespace haproxy {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_plain(char c) {
  constexpr std::string_view kMarks = "._-/:,=+@?&;|";
  return base::is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string hex(char c) {
  std::array<char, 5> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(c));
  return text.data();
}

}  // namespace

// Everything is literal between single quotes; what cannot stand there is escaped between two such
// strings, which HAProxy joins.
std::string as_word(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\0')
      out += kReplacement;
    else if (c == '\'')
      out += "'\\''";
    else if (is_control(c))
      out += "'" + hex(c) + "'";
    else
      out += c;
  }
  return out + "'";
}

std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '%') out += c;
  }
  return out;
}

std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace haproxy
