#include "agent/octavia/vip_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/octavia/interface_file.h"

namespace octavia {

namespace {

using base::IpPrefix;
using nlohmann::json;
using Protocol = VipRule::Protocol;

constexpr Protocol kProtocols[] = {Protocol::tcp, Protocol::udp, Protocol::sctp, Protocol::vrrp};

const char* text_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
    case Protocol::vrrp:
      return "VRRP";
  }
  return "";
}

std::optional<VipRule> read_rule(const json& object) {
  constexpr size_t kKeys = 3;
  if (!object.is_object() || object.size() != kKeys || !object.contains("protocol") ||
      !object.contains("cidr") || !object.contains("port"))
    return std::nullopt;
  VipRule rule;
  const auto* protocol = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                      [&](Protocol p) { return object["protocol"] == text_of(p); });
  if (protocol == std::end(kProtocols)) return std::nullopt;
  rule.protocol = *protocol;
  const json& port = object["port"];
  if (!port.is_number_integer() || port < 1 || port > 65535) return std::nullopt;
  rule.port = port.get<uint16_t>();
  const json& cidr = object["cidr"];
  if (cidr.is_null() || cidr == "0.0.0.0/0") return rule;
  if (!cidr.is_string()) return std::nullopt;
  rule.cidr = IpPrefix::parse(cidr.get_ref<const std::string&>());
  if (!rule.cidr) return std::nullopt;
  rule.cidr = rule.cidr->network();
  return rule;
}

bool covers(const IpPrefix& outer, const IpPrefix& inner) {
  return outer.length <= inner.length && outer.contains(inner.address);
}

}  // namespace

std::variant<std::vector<VipRule>, Answer> read_vip_rules(std::string_view body) {
  const Answer malformed{.status = 400, .error = "400 Bad Request: Invalid rules information"};
  const json list = json::parse(body, nullptr, false);
  if (!list.is_array()) return malformed;  // what is no JSON, too
  std::vector<VipRule> rules;
  for (const json& entry : list) {
    const auto rule = read_rule(entry);
    if (!rule) return malformed;
    rules.push_back(*rule);
  }
  return rules;
}

std::string vip_rules_text(const std::vector<VipRule>& rules) {
  json list = json::array();
  for (const VipRule& rule : rules)
    list.push_back({{"protocol", text_of(rule.protocol)},
                    {"cidr", rule.cidr ? json(rule.cidr->text()) : json()},
                    {"port", rule.port}});
  return list.dump();
}

std::optional<std::vector<IpPrefix>> allowed_clients(const std::vector<VipRule>& rules,
                                                     Protocol protocol, uint16_t port,
                                                     const std::vector<IpPrefix>& allowed) {
  std::vector<IpPrefix> ruled;
  for (const VipRule& rule : rules) {
    if (rule.protocol != protocol || rule.port != port) continue;
    if (!rule.cidr) return allowed;
    add_once(ruled, *rule.cidr);
  }
  if (ruled.empty()) return std::nullopt;
  if (allowed.empty()) return ruled;
  std::vector<IpPrefix> both;
  for (const IpPrefix& a : ruled)
    for (const IpPrefix& b : allowed) {
      if (covers(a, b)) add_once(both, b.network());
      if (covers(b, a)) add_once(both, a);
    }
  if (both.empty()) return std::nullopt;
  return both;
}

}  // namespace octavia
