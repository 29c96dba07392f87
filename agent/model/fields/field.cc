#include "agent/model/fields/field.h"

namespace model {

using nlohmann::json;

json value_of(const std::vector<base::IpPrefix>& value) {
  if (value.empty()) return nullptr;
  json list = json::array();
  for (const base::IpPrefix& prefix : value) list.push_back(prefix.text());
  return list;
}

json value_of(const std::vector<AdditionalVip>& value) {
  json list = json::array();
  for (const AdditionalVip& vip : value) {
    json subnet = vip.subnet_id.empty() ? json(nullptr) : json(vip.subnet_id);
    list.push_back({{"ip_address", vip.ip_address.text()}, {"subnet_id", subnet}});
  }
  return list;
}

json value_of(const std::map<std::string, std::string>& value) {
  json shown = json::object();
  for (const auto& [key, text] : value) shown[key] = text;
  return shown;
}

json value_of(const SessionPersistence& value) {
  json shown = json::object();
  for (const Field<SessionPersistence>& field : table<SessionPersistence>())
    shown[std::string(field.name)] = field.value(value);
  return shown;
}

json value_of(HttpVersion value) { return value == HttpVersion::v1_0 ? 1.0 : 1.1; }

void put_value(const json& in, HttpVersion& out) {
  out = in == 1.1 ? HttpVersion::v1_1 : HttpVersion::v1_0;
}

void put_value(const json& in, std::string& out) {
  out = in.is_null() ? "" : in.get<std::string>();
}

void put_value(const json& in, std::vector<std::string>& out) {
  out = in.is_null() ? std::vector<std::string>{} : in.get<std::vector<std::string>>();
}

void put_value(const json& in, Uuid& out) {
  out = in.is_null() ? Uuid{} : Uuid::parse(in.get_ref<const std::string&>()).value_or(Uuid{});
}

void put_value(const json& in, base::IpAddress& out) {
  out = in.is_null()
            ? base::IpAddress{}
            : base::IpAddress::parse(in.get_ref<const std::string&>()).value_or(base::IpAddress{});
}

void put_value(const json& in, Time& out) {
  out = in.is_null() ? Time{} : parse_time(in.get_ref<const std::string&>()).value_or(Time{});
}

void put_value(const json& in, std::vector<base::IpPrefix>& out) {
  out.clear();
  for (const json& prefix : in)
    out.push_back(
        base::IpPrefix::parse(prefix.get_ref<const std::string&>()).value_or(base::IpPrefix{}));
}

void put_value(const json& in, std::vector<AdditionalVip>& out) {
  out.clear();
  for (const json& vip : in) {
    AdditionalVip& one = out.emplace_back();
    put_value(vip["ip_address"], one.ip_address);
    put_value(vip["subnet_id"], one.subnet_id);
  }
}

void put_value(const json& in, std::map<std::string, std::string>& out) {
  out.clear();
  for (const auto& [key, text] : in.items()) out[key] = text.get<std::string>();
}

void put_value(const json& in, SessionPersistence& out) {
  out = {};
  for (const Field<SessionPersistence>& field : table<SessionPersistence>()) {
    auto given = in.find(std::string(field.name));
    if (given != in.end()) field.put(out, *given);
  }
}

}  // namespace model
