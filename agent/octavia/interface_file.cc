#include "agent/octavia/interface_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/ascii.h"

namespace octavia {

namespace {

using base::Error;
using base::IpAddress;
using base::IpPrefix;
using base::Result;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr uint32_t kMainTable = 254;

// Also safe as a part of a path: sysctls have the names of interfaces in theirs.
bool is_interface_name(const std::string& name) {
  constexpr size_t kLongest = 15;
  if (name.empty() || name.size() > kLongest || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return base::is_alphanumeric(c) || c == '_' || c == '-' || c == '.' || c == '@';
  });
}

// Reads one object; what is wrong first is kept.
class Fields {
 public:
  Fields(const json& object, std::string where, std::string& fault)
      : object_(object), where_(std::move(where)), fault_(fault) {
    if (!object.is_object()) fail("must be an object");
  }

  const json* find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  template <class Int>
  std::optional<Int> number(const char* key, int64_t min, int64_t max) {
    const json* v = find(key);
    if (v == nullptr) return std::nullopt;
    if (!v->is_number_integer() || *v < min || *v > max) return fail(key, "is out of range");
    return static_cast<Int>(v->get<int64_t>());
  }

  std::optional<bool> flag(const char* key) {
    const json* v = find(key);
    if (v == nullptr) return std::nullopt;
    if (!v->is_boolean()) return fail(key, "must be true or false");
    return v->get<bool>();
  }

  // T::parse(text) gives an optional.
  template <class T>
  std::optional<T> parsed(const char* key) {
    const json* v = find(key);
    if (v == nullptr) return std::nullopt;
    auto value = v->is_string() ? T::parse(v->get_ref<const std::string&>()) : std::nullopt;
    if (!value) return fail(key, "cannot be read");
    return value;
  }

  template <class T>
  T required(const char* key, std::optional<T> value) {
    if (!value) fail(key, "is missing");
    return value.value_or(T{});
  }

  template <class Each>
  void list(const char* key, Each each) {
    const json* v = find(key);
    if (v == nullptr) return;
    if (!v->is_array()) return void(fail(key, "must be a list"));
    for (size_t i = 0; i < v->size(); ++i)
      each(Fields((*v)[i], where_ + key + "[" + std::to_string(i) + "].", fault_));
  }

  std::nullopt_t fail(const std::string& key, const std::string& why) {
    return fail(key + " " + why);
  }
  std::nullopt_t fail(const std::string& what) {
    if (fault_.empty()) fault_ = where_ + what;
    return std::nullopt;
  }

 private:
  const json& object_;
  std::string where_;
  std::string& fault_;
};

void add_address(Fields fields, InterfaceFile& out) {
  out.dhcp |= fields.flag("dhcp").value_or(false);
  out.ipv6auto |= fields.flag("ipv6auto").value_or(false);
  const std::optional<IpAddress> address = fields.parsed<IpAddress>("address");
  if (!address) return;
  const int length =
      fields.required("prefixlen", fields.number<int>("prefixlen", 0, address->bits()));
  if (const auto owned = fields.flag("octavia_owned")) {
    const auto keeper = *owned ? netns::VipKeeper::us : netns::VipKeeper::keepalived;
    add_once(out.vips, {*address, keeper});
  } else {
    add_once(out.addresses, {*address, length});
  }
}

void add_route(Fields fields, InterfaceFile& out) {
  netns::RouteSpec route;
  route.destination = fields.required("dst", fields.parsed<IpPrefix>("dst"));
  route.gateway = fields.parsed<IpAddress>("gateway");
  route.prefsrc = fields.parsed<IpAddress>("prefsrc");
  route.table = fields.number<uint32_t>("table", 1, 0xffffffff).value_or(kMainTable);
  if (const json* flags = fields.find("flags"))
    route.onlink =
        flags->is_array() && std::find(flags->begin(), flags->end(), "onlink") != flags->end();
  for (const auto& other : {route.gateway, route.prefsrc})
    if (other && other->family() != route.destination.address.family())
      fields.fail("dst", "is of another address family than gateway or prefsrc");
  add_once(out.routes, route);
}

void add_rule(Fields fields, InterfaceFile& out) {
  netns::RuleSpec rule;
  const IpAddress source = fields.required("src", fields.parsed<IpAddress>("src"));
  rule.source = {source, fields.number<int>("src_len", 0, source.bits()).value_or(source.bits())};
  rule.table = fields.number<uint32_t>("table", 1, 0xffffffff).value_or(kMainTable);
  add_once(out.rules, rule);
}

const char* text_of(InterfaceType type) {
  switch (type) {
    case InterfaceType::lo:
      return "lo";
    case InterfaceType::vip:
      return "vip";
    case InterfaceType::backend:
      return "backend";
  }
  return "";
}

std::optional<InterfaceType> read_type(Fields& fields) {
  const json* v = fields.find("if_type");
  if (v == nullptr) return std::nullopt;
  for (auto type : {InterfaceType::lo, InterfaceType::vip, InterfaceType::backend})
    if (*v == text_of(type)) return type;
  return fields.fail("if_type", "must be lo, vip or backend");
}

ordered_json addresses_json(const InterfaceFile& file) {
  ordered_json out = ordered_json::array();
  if (file.dhcp) out.push_back({{"dhcp", true}});
  if (file.ipv6auto) out.push_back({{"ipv6auto", true}});
  for (const IpPrefix& prefix : file.addresses)
    out.push_back({{"address", prefix.address.text()}, {"prefixlen", prefix.length}});
  for (const InterfaceVip& vip : file.vips)
    out.push_back({{"address", vip.address.text()},
                   {"prefixlen", vip.address.bits()},
                   {"octavia_owned", vip.keeper == netns::VipKeeper::us}});
  return out;
}

ordered_json route_json(const netns::RouteSpec& route) {
  ordered_json out{{"dst", route.destination.text()}};
  if (route.prefsrc) out["prefsrc"] = route.prefsrc->text();
  if (route.gateway)
    out["gateway"] = route.gateway->text();
  else
    out["scope"] = "link";
  if (route.onlink) out["flags"] = {"onlink"};
  if (route.table != kMainTable) out["table"] = route.table;
  return out;
}

InterfaceType type_of(const InterfaceFile& file) {
  if (file.type) return *file.type;
  return file.vips.empty() ? InterfaceType::backend : InterfaceType::vip;
}

// eth2 before eth10.
std::vector<const InterfaceFile*> in_order(const std::map<std::string, InterfaceFile>& files) {
  std::vector<const InterfaceFile*> out;
  out.reserve(files.size());
  for (const auto& [name, file] : files) out.push_back(&file);
  std::stable_sort(out.begin(), out.end(), [](const InterfaceFile* a, const InterfaceFile* b) {
    return a->name.size() < b->name.size();
  });
  return out;
}

}  // namespace

Result<InterfaceFile> parse_interface_file(std::string_view text, const std::string& file) {
  const json root = json::parse(text, nullptr, false);
  if (root.is_discarded()) return Error{0, file + ": is no JSON"};
  std::string fault;
  Fields fields(root, "", fault);
  InterfaceFile out;
  if (const json* name = fields.find("name"); name != nullptr && name->is_string())
    out.name = name->get<std::string>();
  if (!is_interface_name(out.name)) fields.fail("name", "must be that of an interface");
  fields.list("addresses", [&](Fields f) { add_address(std::move(f), out); });
  fields.list("routes", [&](Fields f) { add_route(std::move(f), out); });
  fields.list("rules", [&](Fields f) { add_rule(std::move(f), out); });
  out.mtu = fields.number<int>("mtu", 68, 65535);
  out.type = read_type(fields);
  out.is_sriov = fields.flag("is_sriov");
  if (!fault.empty()) return Error{0, file + ": " + fault};
  return out;
}

std::string interface_file_text(const InterfaceFile& file) {
  ordered_json out{{"name", file.name}};
  if (file.type) out["if_type"] = text_of(*file.type);
  out["addresses"] = addresses_json(file);
  out["routes"] = ordered_json::array();
  for (const netns::RouteSpec& route : file.routes) out["routes"].push_back(route_json(route));
  out["rules"] = ordered_json::array();
  for (const netns::RuleSpec& rule : file.rules)
    out["rules"].push_back({{"src", rule.source.address.text()},
                            {"src_len", rule.source.length},
                            {"table", rule.table}});
  out["scripts"] = {{"up", ordered_json::array()}, {"down", ordered_json::array()}};
  if (file.mtu) out["mtu"] = *file.mtu;
  if (file.is_sriov) out["is_sriov"] = *file.is_sriov;
  return out.dump();
}

InterfaceFile loopback_file() {
  return {.name = "lo", .addresses = {*IpPrefix::parse("127.0.0.1/8")}};
}

PluggedInterfaces parse_plugged_interfaces(std::string_view text) {
  PluggedInterfaces out;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mac_text, name;
    words >> mac_text >> name;
    const auto mac = base::MacAddress::parse(mac_text);
    if (!mac || !is_interface_name(name)) continue;
    std::erase_if(out, [&](const auto& known) { return known.second == *mac; });
    out[name] = *mac;
  }
  return out;
}

std::string plugged_interfaces_text(const PluggedInterfaces& plugged) {
  std::string out;
  for (const auto& [name, mac] : plugged) out += mac.text() + " " + name + "\n";
  return out;
}

netns::LayoutSpec layout_of(const std::map<std::string, InterfaceFile>& files,
                            const PluggedInterfaces& plugged) {
  netns::LayoutSpec layout;
  for (const InterfaceFile* file : in_order(files)) {
    auto mac = plugged.find(file->name);
    if (mac == plugged.end()) continue;
    netns::InterfaceSpec spec;
    spec.name = file->name;
    spec.mac = mac->second;
    spec.mtu = file->mtu;
    spec.addresses = file->addresses;
    spec.routes = file->routes;
    if (type_of(*file) == InterfaceType::vip) spec.rules = file->rules;
    spec.advertisements = file->ipv6auto ? netns::RouterAdvertisements::followed
                                         : netns::RouterAdvertisements::ignored;
    spec.dhcp = file->dhcp;
    for (const InterfaceVip& vip : file->vips)
      layout.vips.insert({vip.address, file->name, vip.keeper});
    layout.interfaces.push_back(std::move(spec));
  }
  return layout;
}

}  // namespace octavia
