#include "agent/control/networks.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace control {
namespace {

using nlohmann::json;

// RFC 4122, version 5, in a name space of our own.
std::string id_of(const std::string& what) {
  const std::string text = "amphora-xdp connected network: " + what;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  base::Uuid id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x50);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id.text();
}

bool is_subnet(const base::IpPrefix& prefix) {
  return prefix.length > 0 && prefix.length < prefix.address.bits() &&
         !prefix.address.is_link_local();
}

// Of one interface; each once, though it may have several addresses in one.
std::vector<base::IpPrefix> subnets_of(const ConnectedNetwork& network) {
  std::vector<base::IpPrefix> out;
  for (const base::IpPrefix& address : network.addresses)
    if (is_subnet(address) && std::ranges::find(out, address.network()) == out.end())
      out.push_back(address.network());
  return out;
}

json network_row(const ConnectedNetwork& network) {
  json subnets = json::array();
  for (const auto& subnet : subnets_of(network))
    subnets.push_back(subnet_id(subnet, network.interface));
  return {{"id", network_id(network.interface)},
          {"name", network.interface},
          {"description", ""},
          {"subnets", subnets},
          {"mtu", network.mtu},
          {"admin_state_up", true},
          {"status", "ACTIVE"},
          {"shared", false},
          {"router:external", false},
          {"project_id", ""},
          {"tenant_id", ""}};
}

json pools_of(const Vips& vips, const std::string& subnet) {
  json pools = json::array();
  if (vips.ranges)
    for (const model::VipRange& range : *vips.ranges)
      if (range.subnet_id == subnet)
        pools.push_back({{"start", range.first.text()}, {"end", range.last.text()}});
  return pools;
}

json subnet_row(const ConnectedNetwork& network, const base::IpPrefix& subnet, const Vips& vips) {
  return {{"id", subnet_id(subnet, network.interface)},
          {"name", subnet.text()},
          {"description", ""},
          {"network_id", network_id(network.interface)},
          {"cidr", subnet.text()},
          {"ip_version", subnet.address.family() == base::Family::ipv4 ? 4 : 6},
          {"gateway_ip", nullptr},
          {"enable_dhcp", false},
          {"allocation_pools", pools_of(vips, subnet_id(subnet, network.interface))},
          {"dns_nameservers", json::array()},
          {"host_routes", json::array()},
          {"project_id", ""},
          {"tenant_id", ""}};
}

json port_row(const ConnectedNetwork& network) {
  json fixed = json::array();
  const auto subnets = subnets_of(network);
  for (const base::IpPrefix& address : network.addresses) {
    const auto home = std::ranges::find_if(
        subnets, [&](const auto& subnet) { return subnet.contains(address.address); });
    if (home != subnets.end())
      fixed.push_back({{"subnet_id", subnet_id(*home, network.interface)},
                       {"ip_address", address.address.text()}});
  }
  return {{"id", id_of("port " + network.interface)},
          {"name", network.interface},
          {"description", ""},
          {"network_id", network_id(network.interface)},
          {"mac_address", network.mac.text()},
          {"fixed_ips", fixed},
          {"admin_state_up", true},
          {"status", "ACTIVE"},
          {"device_id", ""},
          {"device_owner", ""},
          {"project_id", ""},
          {"tenant_id", ""}};
}

// As Octavia names the port that it makes for a VIP.
json vip_port_row(const model::LoadBalancer& lb) {
  json fixed =
      json::array({{{"subnet_id", lb.vip_subnet_id}, {"ip_address", lb.vip_address.text()}}});
  for (const model::AdditionalVip& vip : lb.additional_vips)
    fixed.push_back({{"subnet_id", vip.subnet_id}, {"ip_address", vip.ip_address.text()}});
  return {{"id", lb.vip_port_id},
          {"name", "octavia-lb-" + lb.id.text()},
          {"description", ""},
          {"network_id", lb.vip_network_id},
          {"mac_address", ""},
          {"fixed_ips", fixed},
          {"admin_state_up", lb.admin_state_up},
          {"status", "ACTIVE"},
          {"device_id", "lb-" + lb.id.text()},
          {"device_owner", "Octavia"},
          {"security_groups", json::array()},
          {"project_id", lb.project_id},
          {"tenant_id", lb.project_id}};
}

void add_vip_ports(const model::Model& m, std::vector<json>& rows) {
  const size_t interfaces = rows.size();
  for (const auto& [id, lb] : m.load_balancers) {
    const auto is_its = [&, port = lb.vip_port_id](const json& row) { return row["id"] == port; };
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(interfaces);
    if (!lb.vip_port_id.empty() && std::none_of(rows.begin(), end, is_its))
      rows.push_back(vip_port_row(lb));
  }
}

std::vector<json> rows_of(const std::vector<ConnectedNetwork>& all, const Vips& vips,
                          const std::string& noun) {
  std::vector<json> rows;
  for (const ConnectedNetwork& network : all) {
    const auto subnets = subnets_of(network);
    if (subnets.empty()) continue;
    if (noun == "networks") rows.push_back(network_row(network));
    if (noun == "ports") rows.push_back(port_row(network));
    if (noun == "subnets")
      for (const auto& subnet : subnets) rows.push_back(subnet_row(network, subnet, vips));
  }
  if (noun == "ports") add_vip_ports(vips.model, rows);
  return rows;
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_no_filter(const std::string& parameter) {
  constexpr std::array kOthers{"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"};
  return std::ranges::find(kOthers, parameter) != kOthers.end();
}

bool matches(const json& row, const http::Parameters& query) {
  for (const auto& [name, ignored] : query) {
    if (is_no_filter(name) || !row.contains(name)) continue;
    const std::string have = text_of(row[name]);
    const auto asked = [&, &key = name](const auto& one) {
      return one.first == key && one.second == have;
    };
    if (std::ranges::none_of(query, asked)) return false;
  }
  return true;
}

json only_fields(const json& row, const http::Parameters& query) {
  json out = json::object();
  for (const auto& [name, value] : query)
    if (name == "fields" && row.contains(value)) out[value] = row[value];
  return out.empty() ? row : out;
}

std::string singular_of(const std::string& noun) {
  return noun == "policies" ? "policy" : noun.substr(0, noun.size() - 1);
}

}  // namespace

std::string network_id(const std::string& interface) { return id_of("on " + interface); }

std::string subnet_id(const base::IpPrefix& subnet, const std::string& interface) {
  return id_of(subnet.text() + " on " + interface);
}

json networks_json(const std::vector<ConnectedNetwork>& all, const Vips& vips,
                   const std::string& noun, const http::Parameters& query) {
  json out = json::array();
  for (const json& row : rows_of(all, vips, noun))
    if (matches(row, query)) out.push_back(only_fields(row, query));
  return json{{noun, out}};
}

json network_json(const std::vector<ConnectedNetwork>& all, const Vips& vips,
                  const std::string& noun, const std::string& id) {
  for (json& row : rows_of(all, vips, noun))
    if (row["id"] == id) return json{{singular_of(noun), std::move(row)}};
  return nullptr;
}

}  // namespace control
