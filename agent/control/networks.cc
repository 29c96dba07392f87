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

std::string network_id(const ConnectedNetwork& network) { return id_of("on " + network.interface); }

std::string subnet_id(const ConnectedNetwork& network, const base::IpPrefix& subnet) {
  return id_of(subnet.text() + " on " + network.interface);
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
  for (const auto& subnet : subnets_of(network)) subnets.push_back(subnet_id(network, subnet));
  return {{"id", network_id(network)},
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

json subnet_row(const ConnectedNetwork& network, const base::IpPrefix& subnet) {
  return {{"id", subnet_id(network, subnet)},
          {"name", subnet.text()},
          {"description", ""},
          {"network_id", network_id(network)},
          {"cidr", subnet.text()},
          {"ip_version", subnet.address.family() == base::Family::ipv4 ? 4 : 6},
          {"gateway_ip", nullptr},
          {"enable_dhcp", false},
          {"allocation_pools", json::array()},
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
      fixed.push_back(
          {{"subnet_id", subnet_id(network, *home)}, {"ip_address", address.address.text()}});
  }
  return {{"id", id_of("port " + network.interface)},
          {"name", network.interface},
          {"description", ""},
          {"network_id", network_id(network)},
          {"mac_address", network.mac.text()},
          {"fixed_ips", fixed},
          {"admin_state_up", true},
          {"status", "ACTIVE"},
          {"device_id", ""},
          {"device_owner", ""},
          {"project_id", ""},
          {"tenant_id", ""}};
}

std::vector<json> rows_of(const std::vector<ConnectedNetwork>& all, const std::string& noun) {
  std::vector<json> rows;
  for (const ConnectedNetwork& network : all) {
    const auto subnets = subnets_of(network);
    if (subnets.empty()) continue;
    if (noun == "networks") rows.push_back(network_row(network));
    if (noun == "ports") rows.push_back(port_row(network));
    if (noun == "subnets")
      for (const auto& subnet : subnets) rows.push_back(subnet_row(network, subnet));
  }
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

json networks_json(const std::vector<ConnectedNetwork>& all, const std::string& noun,
                   const http::Parameters& query) {
  json out = json::array();
  for (const json& row : rows_of(all, noun))
    if (matches(row, query)) out.push_back(only_fields(row, query));
  return json{{noun, out}};
}

json network_json(const std::vector<ConnectedNetwork>& all, const std::string& noun,
                  const std::string& id) {
  for (json& row : rows_of(all, noun))
    if (row["id"] == id) return json{{singular_of(noun), std::move(row)}};
  return nullptr;
}

}  // namespace control
