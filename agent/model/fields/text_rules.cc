#include "agent/model/fields/text_rules.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <regex>
#include <set>
#include <string>

#include "agent/model/fields/value.h"
#include "base/ascii.h"
#include "base/ip.h"

namespace model {

namespace {

using base::is_alphanumeric;
using base::is_digit;
using nlohmann::json;

constexpr int64_t kMostCiphers = 2048;
constexpr size_t kMostLabel = 63;  // RFC 1035

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int> http_status(std::string_view text) {
  if (text.size() != 3 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  int status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  return status >= 100 && status <= 599 ? std::optional(status) : std::nullopt;
}

bool are_codes(std::string_view text) {
  if (size_t dash = text.find('-'); dash != std::string_view::npos) {
    auto first = http_status(text.substr(0, dash)), last = http_status(text.substr(dash + 1));
    return first && last && *first <= *last;
  }
  for (;;) {
    size_t comma = text.find(',');
    if (!http_status(trimmed(text.substr(0, comma)))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMostLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_host_name(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  for (;;) {
    size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// What a space or a line break in it would do to the request line is nobody's intention.
bool is_url_path(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.starts_with("//")) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool are_ciphers(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || std::string_view("-+!:@=_.").find(c) != std::string_view::npos;
  });
}

std::optional<int> prefix_length(std::string_view text) {
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  const int length = std::atoi(std::string(text).c_str());
  return length >= 1 && length <= 128 ? std::optional(length) : std::nullopt;
}

// Ones, then zeros.
bool is_netmask(const base::IpAddress& mask) {
  bool ended = false;
  for (int bit = 0; bit < mask.bits(); bit++) {
    const bool one = mask.bytes()[bit / 8] >> (7 - bit % 8) & 1;
    if (one && ended) return false;
    ended = ended || !one;
  }
  return !mask.is_unspecified();
}

Outcome<json> read_text_that(std::string_view field, const json& in,
                             bool (*holds)(std::string_view), std::string_view otherwise) {
  auto text = read_value(field, text_type(kMostCharacters), in);
  if (std::holds_alternative<Fault>(text)) return text;
  if (!holds(in.get_ref<const std::string&>())) return invalid_input(field, in, otherwise);
  return text;
}

}  // namespace

Outcome<json> read_url_path(std::string_view field, const json& in) {
  return read_text_that(field, in, is_url_path, "Value must be a valid URL Path string");
}

Outcome<json> read_expected_codes(std::string_view field, const json& in) {
  static const std::string kPattern = R"(^(\d{3}(\s*,\s*\d{3})*)$|^(\d{3}-\d{3})$)";
  const auto has_form = [](std::string_view text) {
    static const std::regex form(kPattern);
    return std::regex_match(text.begin(), text.end(), form);
  };
  auto text = read_text_that(field, in, has_form, "Value should match the pattern " + kPattern);
  if (std::holds_alternative<Fault>(text)) return text;
  return read_text_that(field, in, are_codes,
                        "Value should be a status from 100 to 599, a list of such or a range");
}

Outcome<json> read_http_version(std::string_view field, const json& in) {
  if (in == 1.0 || in == "1.0") return json(1.0);
  if (in == 1.1 || in == "1.1") return json(1.1);
  return invalid_input(field, in, "Value should be one of: 1.0, 1.1");
}

Outcome<json> read_domain_name(std::string_view field, const json& in) {
  return read_text_that(field, in, is_host_name,
                        "Value should match the pattern ^(?=.{1,253}\\.?$)(?:(?!-|[^.]+_)"
                        "[A-Za-z0-9-_]{1,63}(?<!-)(?:\\.|$))+$");
}

Outcome<json> read_ciphers(std::string_view field, const json& in) {
  auto text = read_value(field, text_type(kMostCiphers), in);
  if (std::holds_alternative<Fault>(text)) return text;
  if (!are_ciphers(in.get_ref<const std::string&>()))
    return validation_failure(
        "Invalid characters in cipher string. Only alphanumeric, -, +, !, :, @, =, _, and . are "
        "allowed.");
  return text;
}

Outcome<json> read_alpn_protocols(std::string_view field, const json& in) {
  static const std::set<json> kProtocols{"h2", "http/1.1", "http/1.0"};
  auto list = read_value(field, texts_type(kMostCharacters), in);
  if (std::holds_alternative<Fault>(list)) return list;
  for (const json& protocol : in)
    if (!kProtocols.contains(protocol))
      return invalid_input(field, in, "Value should be a valid ALPN protocol ID");
  return list;
}

Outcome<json> read_cookie_name(std::string_view field, const json& in) {
  const auto holds = [](std::string_view name) {
    return !name.empty() && name.find_first_of(" \t\n\v\f\r,;\\") == std::string_view::npos;
  };
  return read_text_that(field, in, holds, R"(Value should match the pattern ^[^\s,;\\]+$)");
}

Outcome<json> read_header_flags(std::string_view field, const json& in) {
  auto map = read_value(field, {ValueType::Form::text_map, 0, kMostCharacters}, in);
  if (std::holds_alternative<Fault>(map)) return map;
  json flags = json::object();
  for (const auto& [name, value] : in.items()) {
    std::string flag = value.get<std::string>();
    for (char& c : flag) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (flag != "true" && flag != "false")
      return invalid_input(field, value, "Value should be one of: true, false");
    flags[name] = flag;
  }
  return flags;
}

Outcome<json> read_granularity(std::string_view field, const json& in) {
  if (auto length = in.is_string() ? prefix_length(in.get_ref<const std::string&>()) : std::nullopt)
    return json(std::to_string(*length));
  auto address = read_value(field, plain_type(ValueType::Form::address), in);
  if (std::holds_alternative<Fault>(address)) return address;
  if (!is_netmask(*base::IpAddress::parse(std::get<json>(address).get_ref<const std::string&>())))
    return invalid_input(field, in, "Value should be a netmask");
  return address;
}

}  // namespace model
