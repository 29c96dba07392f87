#include "agent/octavia/plug_body.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace octavia {

namespace {

using base::Error;
using base::IpAddress;
using base::IpPrefix;
using base::Result;
using nlohmann::json;

constexpr uint32_t kVipTable = 1;
constexpr int kMinMtu = 68, kMaxMtu = 65535;

Answer malformed(const std::string& what) {
  return {.status = 400, .error = "400 Bad Request: Invalid " + what + " information"};
}

Answer refused(const std::string& message) { return {.status = 400, .message = message}; }

const json* find(const json& object, const char* key) {
  auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

// Absent, null, or of this type.
bool may_be(const json& object, const char* key, json::value_t type) {
  const json* v = find(object, key);
  return v == nullptr || v->type() == type;
}

bool is_text(const json& object, const char* key) {
  const json* v = find(object, key);
  return v != nullptr && v->is_string();
}

std::string text_in(const json& object, const char* key) { return object.at(key); }

bool has_shape_of_host_route(const json& route) {
  return route.is_object() && is_text(route, "destination") && is_text(route, "nexthop");
}

// What every subnet has, wherever its address is written.
bool has_shape_of_subnet(const json& subnet) {
  if (!subnet.is_object() || !is_text(subnet, "subnet_cidr")) return false;
  if (!may_be(subnet, "gateway", json::value_t::string)) return false;
  const json* routes = find(subnet, "host_routes");
  if (routes == nullptr) return true;
  return routes->is_array() && std::all_of(routes->begin(), routes->end(), has_shape_of_host_route);
}

bool are_subnet_addresses(const json& object, const char* key) {
  const json* list = find(object, key);
  if (list == nullptr) return true;
  return list->is_array() && std::all_of(list->begin(), list->end(), [](const json& entry) {
           return has_shape_of_subnet(entry) && is_text(entry, "ip_address");
         });
}

// mac_address, mtu and is_sriov; the MAC is told apart by its bytes, so its case does not matter.
template <class Body>
bool read_port(const json& object, Body& out) {
  const json* mtu = find(object, "mtu");
  if (mtu != nullptr && (!mtu->is_number_integer() || *mtu < kMinMtu || *mtu > kMaxMtu))
    return false;
  if (mtu != nullptr) out.mtu = mtu->get<int>();
  if (!may_be(object, "is_sriov", json::value_t::boolean)) return false;
  if (const json* sriov = find(object, "is_sriov")) out.is_sriov = sriov->get<bool>();
  const auto mac = is_text(object, "mac_address")
                       ? base::MacAddress::parse(text_in(object, "mac_address"))
                       : std::nullopt;
  out.mac = mac.value_or(base::MacAddress{});
  return mac.has_value();
}

Result<IpAddress> read_address(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) return Error{0, "'" + text + "' is no IP address"};
  if (address->is_unspecified() || address->is_multicast() || address->is_loopback())
    return Error{0, "'" + text + "' is no address of a host"};
  return *address;
}

Result<IpPrefix> read_subnet(const std::string& text) {
  const auto subnet = IpPrefix::parse(text);
  if (!subnet) return Error{0, "'" + text + "' is no subnet"};
  if (subnet->network() != *subnet) return Error{0, text + " has host bits set"};
  return *subnet;
}

Error other_family(const std::string& text) {
  return {0, text + " is of another address family than its subnet"};
}

Result<HostRoute> read_host_route(const json& route, base::Family family) {
  const std::string destination = text_in(route, "destination");
  auto to = read_subnet(destination);
  if (!to) return std::move(to).error();
  auto nexthop = read_address(text_in(route, "nexthop"));
  if (!nexthop) return std::move(nexthop).error();
  if (to->address.family() != family || nexthop->family() != family)
    return other_family(destination);
  return HostRoute{*to, *nexthop};
}

// `subnet` has the shape of one.
Result<SubnetAddress> read_subnet_address(const std::string& text, const json& subnet) {
  auto address = read_address(text);
  if (!address) return std::move(address).error();
  auto prefix = read_subnet(text_in(subnet, "subnet_cidr"));
  if (!prefix) return std::move(prefix).error();
  const base::Family family = prefix->address.family();
  if (address->family() != family) return other_family(text);
  SubnetAddress out{*address, *prefix};
  if (const json* gateway = find(subnet, "gateway"); gateway != nullptr && *gateway != "") {
    auto via = read_address(*gateway);
    if (!via) return std::move(via).error();
    if (via->family() != family) return other_family(via->text());
    out.gateway = *via;
  }
  if (const json* routes = find(subnet, "host_routes"))
    for (const json& route : *routes) {
      auto host_route = read_host_route(route, family);
      if (!host_route) return std::move(host_route).error();
      out.host_routes.push_back(*host_route);
    }
  return out;
}

// Of plug/vip, and of vip_net_info within plug/network; `what` names the request.
std::variant<VipBody, Answer> read_vip(const std::string& vip, const json& body,
                                       const std::string& what) {
  VipBody out;
  if (!has_shape_of_subnet(body) || !body.contains("gateway") || !read_port(body, out) ||
      !may_be(body, "vrrp_ip", json::value_t::string) ||
      !are_subnet_addresses(body, "additional_vips"))
    return malformed(what);
  auto first = read_subnet_address(vip, body);
  if (!first) return refused("Invalid VIP: " + first.error().what);
  out.vips.push_back(*std::move(first));
  if (const json* more = find(body, "additional_vips"))
    for (const json& entry : *more) {
      auto additional = read_subnet_address(text_in(entry, "ip_address"), entry);
      if (!additional) return refused("Invalid VIP: " + additional.error().what);
      out.vips.push_back(*std::move(additional));
    }
  if (const json* vrrp = find(body, "vrrp_ip"); vrrp != nullptr && *vrrp != "") {
    auto address = read_address(*vrrp);
    if (address && address->family() != out.vips.front().address.family())
      address = other_family(address->text());
    if (!address) return refused("Invalid VRRP Address: " + address.error().what);
    out.vrrp_ip = *address;
  }
  return out;
}

std::optional<json> object_in(std::string_view text) {
  json body = json::parse(text, nullptr, false);
  if (!body.is_object()) return std::nullopt;  // what is no JSON, too
  return body;
}

// Writes the routes of one file.
struct Routes {
  InterfaceFile& file;
  Topology topology;

  void by_gateway(const IpPrefix& to, const IpAddress& gateway, uint32_t table) {
    add_once(file.routes, {.destination = to, .gateway = gateway, .table = table, .onlink = true});
  }

  // keepalived keeps what table 1 has of a VIP, but for its host routes.
  void default_route(const SubnetAddress& of) {
    if (!of.gateway) return;
    const IpPrefix everywhere = IpPrefix{of.address, 0}.network();
    by_gateway(everywhere, *of.gateway, netns::RouteSpec{}.table);
    if (topology == Topology::single) by_gateway(everywhere, *of.gateway, kVipTable);
  }

  void host_routes(const SubnetAddress& of, uint32_t table) {
    for (const HostRoute& route : of.host_routes)
      by_gateway(route.destination, route.nexthop, table);
  }

  void vip(const SubnetAddress& vip) {
    default_route(vip);
    const bool single = topology == Topology::single;
    add_once(file.vips,
             {vip.address, single ? netns::VipKeeper::us : netns::VipKeeper::keepalived});
    add_once(file.routes, {.destination = vip.subnet});
    if (single) {
      add_once(file.routes,
               {.destination = vip.subnet, .prefsrc = vip.address, .table = kVipTable});
      add_once(file.rules, {.source = {vip.address, vip.address.bits()}, .table = kVipTable});
    }
    host_routes(vip, netns::RouteSpec{}.table);
    host_routes(vip, kVipTable);
  }
};

bool has(const std::vector<SubnetAddress>& vips, base::Family family) {
  return std::any_of(vips.begin(), vips.end(),
                     [&](const SubnetAddress& vip) { return vip.address.family() == family; });
}

// Releases whose controllers say is_sriov (14) have agents that want to read a type (13).
template <class Body>
InterfaceFile file_of(const std::string& name, const Body& body, InterfaceType type) {
  InterfaceFile file{.name = name, .mtu = body.mtu, .is_sriov = body.is_sriov};
  if (body.is_sriov) file.type = type;
  return file;
}

}  // namespace

std::variant<VipBody, Answer> read_vip_body(std::string_view vip, std::string_view body) {
  const auto object = object_in(body);
  if (!object) return malformed("subnet");
  return read_vip(std::string(vip), *object, "subnet");
}

std::variant<NetworkBody, Answer> read_network_body(std::string_view body) {
  const auto object = object_in(body);
  NetworkBody out;
  if (!object || !read_port(*object, out) || !are_subnet_addresses(*object, "fixed_ips") ||
      !may_be(*object, "vip_net_info", json::value_t::object))
    return malformed("port");
  if (const json* fixed_ips = find(*object, "fixed_ips"))
    for (const json& entry : *fixed_ips) {
      auto fixed_ip = read_subnet_address(text_in(entry, "ip_address"), entry);
      if (!fixed_ip) return refused("Invalid network port");
      out.fixed_ips.push_back(*std::move(fixed_ip));
    }
  const json* vip_net = find(*object, "vip_net_info");
  if (vip_net == nullptr || vip_net->empty()) return out;
  if (!is_text(*vip_net, "vip")) return malformed("port");
  auto vip = read_vip(text_in(*vip_net, "vip"), *vip_net, "port");
  if (auto* answer = std::get_if<Answer>(&vip)) return *answer;
  out.vip_net_info = std::get<VipBody>(std::move(vip));
  return out;
}

InterfaceFile vip_interface(const std::string& name, const VipBody& body,
                            const std::vector<SubnetAddress>& fixed_ips, Topology topology) {
  InterfaceFile file = file_of(name, body, InterfaceType::vip);
  if (body.vrrp_ip) {
    file.addresses.push_back({*body.vrrp_ip, body.vips.front().subnet.length});
  } else {
    file.dhcp = has(body.vips, base::Family::ipv4);
    file.ipv6auto = has(body.vips, base::Family::ipv6);
  }
  Routes routes{file, topology};
  for (const SubnetAddress& vip : body.vips) routes.vip(vip);
  for (const SubnetAddress& fixed_ip : fixed_ips) {
    add_once(file.addresses, {fixed_ip.address, fixed_ip.subnet.length});
    routes.default_route(fixed_ip);
    routes.host_routes(fixed_ip, netns::RouteSpec{}.table);
  }
  return file;
}

InterfaceFile network_interface(const std::string& name, const NetworkBody& body) {
  InterfaceFile file = file_of(name, body, InterfaceType::backend);
  file.dhcp = file.ipv6auto = body.fixed_ips.empty();
  Routes routes{file, Topology::single};
  for (const SubnetAddress& fixed_ip : body.fixed_ips) {
    add_once(file.addresses, {fixed_ip.address, fixed_ip.subnet.length});
    routes.host_routes(fixed_ip, netns::RouteSpec{}.table);
  }
  return file;
}

std::string exploded(const IpAddress& address) {
  if (address.family() == base::Family::ipv4) return address.text();
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < address.size(); ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += kDigits[address.bytes()[i] >> 4];
    out += kDigits[address.bytes()[i] & 15];
  }
  return out;
}

}  // namespace octavia
