#include "agent/model/fields/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "agent/model/time.h"
#include "base/ip.h"
#include "base/uuid.h"

namespace model {

namespace {

using nlohmann::json;
using Form = ValueType::Form;

constexpr size_t kMostShown = 256;  // bytes of a refused value that an error repeats

// As Python writes values, for that is how Octavia repeats them; a text is quoted within others.
std::string python_text(const json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const bool doubled =
        text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
    return (doubled ? "\"" : "'") + text + (doubled ? "\"" : "'");
  }
  if (!value.is_structured()) return value.dump();
  std::string out, separator;
  for (const auto& [key, item] : value.items()) {
    out += separator + (value.is_object() ? python_text(key) + ": " : "") + python_text(item);
    separator = ", ";
    if (out.size() > kMostShown) break;
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

std::string shown(const json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : python_text(value);
  if (text.size() > kMostShown) {
    size_t end = kMostShown;
    while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) end--;  // whole characters
    text = text.substr(0, end) + "...";
  }
  return text;
}

int64_t characters(const std::string& utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

Outcome<json> read_text(std::string_view field, const ValueType& type, const json& in) {
  if (!in.is_string()) return invalid_input(field, in, "Value should be string");
  if (characters(in.get_ref<const std::string&>()) > type.most)
    return invalid_input(
        field, in,
        "Value should have a maximum character requirement of " + std::to_string(type.most));
  return in;
}

Outcome<json> read_boolean(std::string_view field, const json& in) {
  static constexpr std::string_view kTrue[] = {"true", "t", "yes", "y", "on", "1"};
  static constexpr std::string_view kFalse[] = {"false", "f", "no", "n", "off", "0"};
  if (in.is_boolean()) return in;
  if (in == 1) return json(true);
  if (in == 0 && in.is_number_integer()) return json(false);
  if (in.is_string()) {
    std::string_view text = in.get_ref<const std::string&>();
    if (std::find(std::begin(kTrue), std::end(kTrue), text) != std::end(kTrue)) return json(true);
    if (std::find(std::begin(kFalse), std::end(kFalse), text) != std::end(kFalse))
      return json(false);
  }
  return invalid_input(field, in, "Value not an unambiguous boolean: " + shown(in));
}

// What does not fit 64 bits comes back as the nearest that does: it is out of every range.
std::optional<int64_t> whole_number(const json& in) {
  constexpr auto kLeast = std::numeric_limits<int64_t>::min();
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  if (in.is_number_unsigned())
    return static_cast<int64_t>(std::min<uint64_t>(in.get<uint64_t>(), kMost));
  if (in.is_number_integer()) return in.get<int64_t>();
  if (in.is_number_float()) {
    auto value = in.get<double>();
    if (!(std::trunc(value) == value)) return std::nullopt;
    if (value >= 9.2e18) return kMost;
    return value <= -9.2e18 ? kLeast : static_cast<int64_t>(value);
  }
  if (!in.is_string()) return std::nullopt;
  const auto& text = in.get_ref<const std::string&>();
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return text[0] == '-' ? kLeast : kMost;
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

Outcome<json> read_integer(std::string_view field, const ValueType& type, const json& in) {
  auto value = whole_number(in);
  if (!value && in.is_string())
    return invalid_input(field, in, "invalid literal for int() with base 10: '" + shown(in) + "'");
  if (!value) return invalid_input(field, in, "Value should be an integer");
  if (*value < type.least)
    return invalid_input(field, in,
                         "Value should be greater or equal to " + std::to_string(type.least));
  if (*value > type.most)
    return invalid_input(field, in,
                         "Value should be lower or equal to " + std::to_string(type.most));
  return json(*value);
}

Outcome<json> read_uuid(std::string_view field, const json& in) {
  auto id = in.is_string() ? base::Uuid::parse(in.get_ref<const std::string&>()) : std::nullopt;
  if (!id) return invalid_input(field, in, "Value should be UUID format");
  return json(id->text());
}

Outcome<json> read_address(std::string_view field, const json& in) {
  auto address =
      in.is_string() ? base::IpAddress::parse(in.get_ref<const std::string&>()) : std::nullopt;
  if (!address) return invalid_input(field, in, "Value should be IPv4 or IPv6 format");
  return json(address->text());
}

Outcome<json> read_cidr(std::string_view field, const json& in) {
  auto cidr =
      in.is_string() ? base::IpPrefix::parse(in.get_ref<const std::string&>()) : std::nullopt;
  if (!cidr) return invalid_input(field, in, "Value should be IPv4 or IPv6 CIDR format");
  return json(cidr->network().text());
}

Outcome<json> read_choice(std::string_view field, const ValueType& type, const json& in) {
  if (in.is_string() && std::find(type.choices.begin(), type.choices.end(),
                                  in.get_ref<const std::string&>()) != type.choices.end())
    return in;
  std::string all;
  for (std::string_view choice : type.choices)
    all += (all.empty() ? "" : ", ") + std::string(choice);
  return invalid_input(field, in, "Value should be one of: " + all);
}

Outcome<json> read_time(std::string_view field, const json& in) {
  if (!in.is_string() || !parse_time(in.get_ref<const std::string&>()))
    return invalid_input(field, in, "Value should be a time stamp");
  return in;
}

// Every element of a list or object, by the type of one. What is wrong with one is said of all, as
// Octavia does.
Outcome<json> read_elements(std::string_view field, const ValueType& element, const json& in) {
  bool is_map = element.form == Form::text_map;
  if (is_map ? !in.is_object() : !in.is_array())
    return invalid_input(
        field, in, std::string("Value not a valid ") + (is_map ? "dict: " : "list: ") + shown(in));
  ValueType one = element;
  if (is_map) one.form = Form::text;
  json read = is_map ? json::object() : json::array();
  std::set<std::string> seen;
  for (const auto& [key, item] : in.items()) {
    if (item.is_null()) return invalid_input(field, in, "Value should not contain null");
    auto outcome = read_value(field, one, item);
    if (auto* fault = std::get_if<Fault>(&outcome)) {
      const std::string of_item = invalid_input(field, item, "").text;
      return invalid_input(field, in, fault->text.substr(of_item.size()));
    }
    auto& value = std::get<json>(outcome);
    if (is_map)
      read[key] = std::move(value);
    else if (element.form != Form::cidr || seen.insert(value.get<std::string>()).second)
      read.push_back(std::move(value));  // networks only once
  }
  return read;
}

// Lists, as the form of one element.
ValueType element_of(const ValueType& list) {
  ValueType one = list;
  if (list.form == Form::texts) one.form = Form::text;
  if (list.form == Form::objects) one.form = Form::object;
  if (list.form == Form::cidrs) one.form = Form::cidr;
  return one;
}

}  // namespace

ValueType text_type(int64_t most) { return {Form::text, 0, most}; }
ValueType boolean_type() { return {Form::boolean}; }
ValueType integer_type(int64_t least, int64_t most) { return {Form::integer, least, most}; }
ValueType choice_type(std::vector<std::string_view> choices) {
  return {Form::choice, 0, 0, std::move(choices)};
}
ValueType texts_type(int64_t most) { return {Form::texts, 0, most}; }
ValueType plain_type(Form form) { return {form}; }
ValueType custom_type(ValueType::Reader read) { return {Form::custom, 0, 0, {}, read}; }

Fault invalid_input(std::string_view field, const json& value, std::string_view why) {
  return {400, "Invalid input for field/attribute " + std::string(field) + ". Value: '" +
                   shown(value) + "'. " + std::string(why)};
}

Fault missing_field(std::string_view field) {
  return invalid_input(field, nullptr, "Mandatory field missing.");
}

Fault invalid_option(const std::string& value, const std::string& option) {
  return {400, value + " is not a valid option for " + option};
}

Fault validation_failure(const std::string& why) { return {400, "Validation failure: " + why}; }

std::string as_in_python(const json& value) { return python_text(value); }

Outcome<json> read_value(std::string_view field, const ValueType& type, const json& in) {
  switch (type.form) {
    case Form::text:
      return read_text(field, type, in);
    case Form::boolean:
      return read_boolean(field, in);
    case Form::integer:
      return read_integer(field, type, in);
    case Form::uuid:
      return read_uuid(field, in);
    case Form::address:
      return read_address(field, in);
    case Form::cidr:
      return read_cidr(field, in);
    case Form::choice:
      return read_choice(field, type, in);
    case Form::time:
      return read_time(field, in);
    case Form::cidrs:
    case Form::texts:
    case Form::objects:
      return read_elements(field, element_of(type), in);
    case Form::text_map:
      return read_elements(field, type, in);
    case Form::object:
      if (!in.is_object()) return invalid_input(field, in, "Value not a valid dict: " + shown(in));
      return in;
    case Form::custom:
      return type.read(field, in);
  }
  return invalid_input(field, in, "Value of no known type");
}

}  // namespace model
