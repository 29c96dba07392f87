#include "agent/model/fields/l7_text.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <memory>

#include "agent/model/fields/value.h"
#include "base/ascii.h"

namespace model {

namespace {

using base::is_alphanumeric;
using base::is_digit;
using base::is_letter;
using nlohmann::json;

constexpr int kRedirectCodes[] = {301, 302, 303, 307, 308};

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool consists_of(std::string_view text, bool (*allowed)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}
bool is_one_of(char c, std::string_view some) { return some.find(c) != std::string_view::npos; }

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

bool is_url_character(char c) {
  return is_alphanumeric(c) || is_one_of(c, "-._~:/?#[]@!$&'()*+,;=%");
}

bool are_escapes_whole(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
  return true;
}

bool is_url(std::string_view text) {
  const size_t end = text.find("://");
  if (end == std::string_view::npos) return false;
  std::string scheme(text.substr(0, end));
  for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (scheme != "http" && scheme != "https") return false;
  const std::string_view rest = text.substr(end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::string_view host = authority.substr(authority.find('@') + 1);  // npos + 1 is 0
  return !host.empty() && host.front() != ':' && consists_of(text, is_url_character) &&
         are_escapes_whole(text);
}

}  // namespace

Fault invalid_rule(const std::string& why) {
  return {400, "Error parsing L7Rule: Invalid L7 Rule: " + why};
}

Outcome<json> read_url(std::string_view field, const json& in) {
  auto text = read_value(field, text_type(kMostCharacters), in);
  if (std::holds_alternative<Fault>(text)) return text;
  if (!is_url(in.get_ref<const std::string&>()))
    return invalid_input(field, in, "Value must be a valid URL string");
  return text;
}

Outcome<json> read_redirect_code(std::string_view field, const json& in) {
  auto number = read_value(field, integer_type(INT64_MIN, INT64_MAX), in);
  if (std::holds_alternative<Fault>(number)) return number;
  for (int code : kRedirectCodes)
    if (std::get<json>(number) == code) return number;
  return invalid_input(field, in, "Value should be one of: 301, 302, 303, 307, 308");
}

Outcome<json> read_line(std::string_view field, const json& in) {
  auto text = read_value(field, text_type(kMostCharacters), in);
  if (std::holds_alternative<Fault>(text)) return text;
  if (in.get_ref<const std::string&>().find_first_of("\r\n") != std::string::npos)
    return invalid_input(field, in, "Value should match the pattern ^[^\\r\\n]*$");
  return text;
}

bool is_token(std::string_view text) {
  return consists_of(text,
                     [](char c) { return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });
}

bool is_header_value(std::string_view text) {
  if (consists_of(text, is_visible)) return true;
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  const std::string_view quoted = text.substr(1, text.size() - 2);
  return std::all_of(quoted.begin(), quoted.end(),
                     [](char c) { return (is_visible(c) && c != '"') || c == ' ' || c == '\t'; });
}

bool is_cookie_value(std::string_view text) {
  return consists_of(text, [](char c) { return is_visible(c) && !is_one_of(c, "\",;\\"); });
}

bool is_dn_field(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         consists_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_integer(std::string_view text) { return consists_of(text, is_digit); }

std::optional<std::string> regex_error(const std::string& pattern) {
  if (std::any_of(pattern.begin(), pattern.end(), is_control)) return "contains control characters";
  int error = 0;
  PCRE2_SIZE at = 0;
  const std::unique_ptr<pcre2_code, void (*)(pcre2_code*)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), 0, &error, &at,
                    nullptr),
      pcre2_code_free);
  if (code) return std::nullopt;
  std::array<PCRE2_UCHAR, 256> why{};
  pcre2_get_error_message(error, why.data(), why.size());
  return std::string(reinterpret_cast<const char*>(why.data())) + " at position " +
         std::to_string(at);
}

}  // namespace model
