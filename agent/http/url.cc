#include "agent/http/url.h"

#include "base/ascii.h"

namespace http {
namespace {

enum class Plus { is_plus, is_space };

int hex_digit(char c) {
  if (base::is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::is_space) c = ' ';
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

// Cuts the text before the first `separator` off and returns it.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return head;
}

bool parse_path(std::string_view text, std::vector<std::string>& path) {
  while (!text.empty()) {
    const auto segment = decode(take(text, '/'), Plus::is_plus);
    if (!segment) return false;
    if (!segment->empty()) path.push_back(*segment);
  }
  return true;
}

bool parse_query(std::string_view text, Parameters& query) {
  while (!text.empty()) {
    std::string_view value = take(text, '&');
    if (value.empty()) continue;
    const auto name = decode(take(value, '='), Plus::is_space);
    const auto decoded = decode(value, Plus::is_space);
    if (!name || !decoded) return false;
    query.emplace_back(*name, *decoded);
  }
  return true;
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(target.find("//") + 2);
    const size_t slash = target.find('/');
    target = slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
  }
  if (!target.starts_with('/')) return std::nullopt;
  target = target.substr(0, target.find('#'));
  Target out;
  const std::string_view path = take(target, '?');
  if (!parse_path(path, out.path) || !parse_query(target, out.query)) return std::nullopt;
  return out;
}

std::string_view next_segment(std::string_view& pattern) {
  if (pattern.empty() || pattern == "/") return {};
  pattern.remove_prefix(1);
  const size_t end = pattern.find('/');
  const std::string_view segment = pattern.substr(0, end);
  pattern = end == std::string_view::npos ? std::string_view{} : pattern.substr(end);
  return segment;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = base::is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

}  // namespace http
