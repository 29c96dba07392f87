#include "agent/model/fields/read.h"

#include "agent/model/fields/not_yet.h"

namespace model {

using nlohmann::json;

Fault unsupported(const std::string& what) {
  return {501,
          "Provider '" + std::string(kProvider) + "' does not support a requested option: " + what};
}

std::optional<Fault> refuse_not_yet(Kind kind, std::string_view field, const json& value,
                                    const json& by_default) {
  for (const NotYet& entry : kNotYet) {
    if (entry.kind == kind && entry.field == field && value != by_default)
      return unsupported(std::string(field));
  }
  return std::nullopt;
}

Fault unknown_attributes(const Place& place, const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return {400, std::string("Unknown attribute") + (names.size() > 1 ? "s" : "") + " for argument " +
                   place.argument + ": " + list};
}

Outcome<json> unwrap(const std::string& argument, const std::string& key, const json& body) {
  if (body.is_discarded()) return Fault{400, "Request is not in valid JSON format"};
  if (!body.is_object()) {
    const char* type = body.is_array()          ? "list"
                       : body.is_string()       ? "str"
                       : body.is_boolean()      ? "bool"
                       : body.is_number_float() ? "float"
                       : body.is_null()         ? "NoneType"
                                                : "int";
    return Fault{500, std::string("'") + type + "' object has no attribute 'keys'"};
  }
  std::vector<std::string> unknown;
  for (const auto& [name, value] : body.items())
    if (name != key) unknown.push_back(name);
  if (!unknown.empty()) return unknown_attributes({argument, ""}, unknown);
  auto inner = body.find(key);
  if (inner == body.end() || inner->is_null()) return missing_field(key);
  return *inner;
}

}  // namespace model
