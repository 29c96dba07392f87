// Differences between resources as the API shows them: what has to be said to change one into the
// other, and how to tell people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/model/fields/field.h"

namespace model {

// A value as people read it.
inline std::string plain(const nlohmann::json& value) {
  if (value.is_null()) return "none";
  if (value.is_string() && !value.get_ref<const std::string&>().empty())
    return value.get<std::string>();
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline std::string title(const nlohmann::json& resource) {
  std::string name = resource.value("name", "");
  return name.empty() ? resource.value("id", "") : name;
}

inline std::string member_title(const nlohmann::json& member) {
  auto address = base::IpAddress::parse(member.at("address").get_ref<const std::string&>());
  return base::Endpoint{address.value_or(base::IpAddress{}),
                        member.at("protocol_port").get<uint16_t>()}
      .text();
}

inline std::string listener_title(const nlohmann::json& listener) {
  return listener.at("protocol").get<std::string>() + " " + listener.at("protocol_port").dump();
}

inline std::string label_of(const std::string& pool) { return "<pool " + pool + ">"; }

// Attributes that can be changed and are not as wanted, with the wanted value.
template <class R>
nlohmann::json differences(const nlohmann::json& wanted, const nlohmann::json& present) {
  nlohmann::json changed = nlohmann::json::object();
  for (const Field<R>& field : table<R>()) {
    std::string name(field.name);
    if (!(field.use & kUpdate) || !field.shown() || name == "default_pool_id") continue;
    if (!wanted.contains(name)) continue;  // means nothing to such a resource
    if (wanted.at(name) != present.value(name, nlohmann::json())) changed[name] = wanted.at(name);
  }
  return changed;
}

// TLS that was given back is shown as the API's default, also by a pool that does not use it.
inline nlohmann::json pool_differences(const nlohmann::json& wanted,
                                       const nlohmann::json& present) {
  nlohmann::json changed = differences<Pool>(wanted, present);
  if (wanted.value("tls_enabled", false)) return changed;
  for (const char* name : {"tls_ciphers", "tls_versions", "alpn_protocols"}) {
    const auto change = changed.find(name);
    if (change != changed.end() && (change->is_null() || change->empty())) changed.erase(change);
  }
  return changed;
}

enum class Defaults { left_out, sent };

// The body that creates what is wanted; references are left to the caller.
template <class R>
nlohmann::json creation(const nlohmann::json& wanted, Defaults defaults) {
  nlohmann::json body = nlohmann::json::object();
  for (const Field<R>& field : table<R>()) {
    std::string name(field.name);
    if (!(field.use & kCreate) || !field.shown() || name == "default_pool_id") continue;
    if (!wanted.contains(name)) continue;
    const nlohmann::json& value = wanted.at(name);
    if (value.is_null()) continue;
    if (field.need == Need::required || defaults == Defaults::sent || value != field.by_default())
      body[name] = value;
  }
  return body;
}

inline std::vector<std::string> describe(const std::string& what, const nlohmann::json& changed,
                                         const nlohmann::json& present) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : changed.items())
    lines.push_back("change " + name + " of " + what + " from " +
                    plain(present.value(name, nlohmann::json())) + " to " + plain(value));
  return lines;
}

}  // namespace model
