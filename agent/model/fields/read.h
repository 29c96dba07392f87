// Request bodies read by the tables: every attribute checked, in canonical form, or Octavia's
// error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/model/fields/field.h"

namespace model {

// Where in the body an object stands: as Octavia's errors name it ("listener_.listener"), and as
// who wrote the body finds it ("listener").
struct Place {
  std::string argument;
  std::string path;
};

inline constexpr std::string_view kProvider = "amphora-xdp";

// 501 "Provider 'amphora-xdp' does not support a requested option: <what>"
Fault unsupported(const std::string& what);

template <class R>
struct KindOf;
template <>
struct KindOf<LoadBalancer> {
  static constexpr Kind kind = Kind::load_balancer;
};
template <>
struct KindOf<Listener> {
  static constexpr Kind kind = Kind::listener;
};
template <>
struct KindOf<Pool> {
  static constexpr Kind kind = Kind::pool;
};
template <>
struct KindOf<Member> {
  static constexpr Kind kind = Kind::member;
};
template <>
struct KindOf<HealthMonitor> {
  static constexpr Kind kind = Kind::health_monitor;
};

template <>
struct KindOf<L7Policy> {
  static constexpr Kind kind = Kind::l7policy;
};
template <>
struct KindOf<L7Rule> {
  static constexpr Kind kind = Kind::l7rule;
};

// The refusal of what nothing carries out yet (not_yet.h).
std::optional<Fault> refuse_not_yet(Kind kind, std::string_view field, const nlohmann::json& value,
                                    const nlohmann::json& by_default);
Fault unknown_attributes(const Place& place, const std::vector<std::string>& names);

// The given attributes of `body` by name, in canonical form. `use`: the one that the request is.
template <class R>
Outcome<nlohmann::json> read_fields(const Place& place, const std::vector<Field<R>>& fields,
                                    const nlohmann::json& body, unsigned use) {
  auto fail = [&place](Fault fault) {
    if (fault.where.empty()) fault.where = place.path;
    return fault;
  };
  if (!body.is_object())
    return fail(invalid_input(place.argument.substr(place.argument.rfind('.') + 1), body,
                              "Value should be an object"));
  std::vector<std::string> unknown;
  for (const auto& [key, value] : body.items()) {
    bool known = false;
    for (const Field<R>& field : fields) known = known || (field.name == key && (field.use & use));
    if (!known) unknown.push_back(key);
  }
  if (!unknown.empty()) return fail(unknown_attributes(place, unknown));

  nlohmann::json read = nlohmann::json::object();
  std::optional<Fault> not_yet;
  for (const Field<R>& field : fields) {
    if (!(field.use & use)) continue;
    auto given = body.find(std::string(field.name));
    bool null = given != body.end() && given->is_null();
    if (field.need == Need::required && null)
      return fail(field.of_null.value_or(invalid_option("None", std::string(field.name))));
    if (field.need == Need::required && given == body.end() && use != kUpdate)
      return fail(missing_field(field.name));
    if (given == body.end() || (null && field.null == Null::is_absence)) continue;
    if (null) {
      read[std::string(field.name)] =
          field.null == Null::is_false ? nlohmann::json(false) : field.by_default();
      continue;
    }
    auto outcome = read_value(field.name, field.type, *given);
    if (auto* fault = std::get_if<Fault>(&outcome)) return fail(*fault);
    auto& value = std::get<nlohmann::json>(outcome);
    if constexpr (requires { KindOf<R>::kind; })
      if (!not_yet)
        not_yet = refuse_not_yet(KindOf<R>::kind, field.name, value, field.by_default());
    read[std::string(field.name)] = std::move(value);
  }
  if (not_yet) return fail(*not_yet);
  return read;
}

// Puts what read_fields gave into the resource.
template <class R>
void assign(R& resource, const nlohmann::json& values) {
  for (const Field<R>& field : table<R>()) {
    auto given = values.find(std::string(field.name));
    if (given != values.end() && field.put) field.put(resource, *given);
  }
}

// The object under the envelope's key: {"listener": {...}}.
Outcome<nlohmann::json> unwrap(const std::string& argument, const std::string& key,
                               const nlohmann::json& body);

}  // namespace model
