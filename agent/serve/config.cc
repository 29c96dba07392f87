#include "agent/serve/config.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "agent/flow_log/target.h"
#include "agent/serve/config_fields.h"
#include "agent/serve/vip_ranges.h"
#include "base/log.h"
#include "bpf/lb_abi.h"

namespace serve {

namespace {

using nlohmann::json;

constexpr const char* kAddress = "must be an IP address";
constexpr const char* kPrefix = "must be an IP address with a prefix length, as 192.0.2.1/24";
constexpr int64_t kMaxFlows = 1 << 24;  // LB_FLOW_MAX_LINES / 2
constexpr int64_t kLeastPort = 1024;    // below are ports of privileged programs
constexpr int64_t kMaxTable = 0x7fffffff;
constexpr size_t kMostProject = 36;  // characters
constexpr int64_t kMostLinesPerSecond = 100000;
constexpr int64_t kMostPriority = 254;                     // 255: the owner of an address
constexpr int64_t kLeastAdvert = 10, kMostAdvert = 40950;  // ms; VRRP counts hundredths
const std::set<std::string> kBesideOctavia = {"flow_table", "hook", "kernel_ports",
                                              "new_flows_per_second", "snat_ports"};
constexpr const char* kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

netns::RouteSpec read_route(const json& value, const std::string& path,
                            std::optional<std::string>& fault) {
  netns::RouteSpec route;
  Fields fields(value, path + ".", fault);
  fields.require("destination");
  fields.parsed<base::IpPrefix>("destination", route.destination, kPrefix);
  fields.parsed<base::IpAddress>("gateway", route.gateway, kAddress);
  fields.parsed<base::IpAddress>("prefsrc", route.prefsrc, kAddress);
  fields.number("table", route.table, 1, kMaxTable);
  fields.flag("onlink", route.onlink);
  fields.nothing_else();
  for (const auto& other : {route.gateway, route.prefsrc})
    if (other && other->family() != route.destination.address.family())
      fields.fail("destination", "is of another address family than its gateway or prefsrc");
  return route;
}

netns::RuleSpec read_rule(const json& value, const std::string& path,
                          std::optional<std::string>& fault) {
  netns::RuleSpec rule;
  Fields fields(value, path + ".", fault);
  fields.require("from");
  fields.parsed<base::IpPrefix>("from", rule.source, kPrefix);
  fields.number("table", rule.table, 1, kMaxTable);
  fields.number("priority", rule.priority, 1, 32765);
  fields.nothing_else();
  return rule;
}

netns::InterfaceSpec read_interface(const json& value, const std::string& path,
                                    datapath::Hooks& hooks, std::optional<std::string>& fault) {
  netns::InterfaceSpec interface;
  Fields fields(value, path + ".", fault);
  fields.require("name");
  fields.text("name", interface.name);
  if (interface.name.size() > 15) fields.fail("name", "has more than 15 characters");
  fields.parsed<base::MacAddress>("mac", interface.mac, "must be a MAC address");
  auto& hook = hooks.by_interface.emplace(interface.name, hooks.others).first->second;
  fields.parsed<datapath::HookWord>("hook", hook, datapath::HookWord::kMust);
  fields.number("mtu", interface.mtu, 68, 65535);
  fields.list("addresses", [&](const json& v, const std::string& at) {
    auto prefix = v.is_string() ? base::IpPrefix::parse(v.get_ref<const std::string&>())
                                : std::optional<base::IpPrefix>();
    if (!prefix && !fault) fault = at + " " + kPrefix;
    if (prefix) interface.addresses.push_back(*prefix);
  });
  fields.list("routes", [&](const json& v, const std::string& at) {
    interface.routes.push_back(read_route(v, at, fault));
  });
  fields.list("rules", [&](const json& v, const std::string& at) {
    interface.rules.push_back(read_rule(v, at, fault));
  });
  fields.nothing_else();
  return interface;
}

void read_ports(Fields& fields, const char* name, uint16_t& low, uint16_t& high,
                std::optional<std::string>& fault) {
  std::vector<int64_t> ports;
  fields.list(name, [&](const json& v, const std::string& at) {
    bool good = v.is_number_integer() && v >= kLeastPort && v <= 65535;
    if (!good && !fault) fault = at + " must be a port from 1024 to 65535";
    ports.push_back(good ? v.get<int64_t>() : 0);
  });
  if (ports.empty()) return;
  if (ports.size() != 2 || ports[0] >= ports[1])
    return fields.fail(name, "must be two ports, the lower one first");
  low = static_cast<uint16_t>(ports[0]);
  high = static_cast<uint16_t>(ports[1]);
}

void read_all_ports(Fields& fields, Config& config, std::optional<std::string>& fault) {
  const uint16_t &low = config.layout.local_port_min, &high = config.layout.local_port_max;
  read_ports(fields, "snat_ports", config.snat_port_min, config.snat_port_max, fault);
  read_ports(fields, "kernel_ports", config.layout.local_port_min, config.layout.local_port_max,
             fault);
  if (low <= config.snat_port_min && config.snat_port_max <= high)
    fields.fail("snat_ports", "are all among kernel_ports");
}

// "192.0.2.1:80", "[2001:db8::1]:80"
std::optional<base::Endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = base::IpAddress::parse(host);
  if (!address || brackets != (address->family() == base::Family::ipv6)) return std::nullopt;
  base::Endpoint endpoint{*address, 0};
  const auto [end, err] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (err != std::errc() || end != port.data() + port.size() || endpoint.port == 0)
    return std::nullopt;
  return endpoint;
}

void read_api(Fields& fields, Config& config, std::optional<std::string>& fault) {
  ApiConfig api;
  std::string bind;
  fields.text("api_bind", bind);
  fields.text("api_token_file", api.token_file);
  fields.object("api_tls", [&](const json& v, const std::string& path) {
    Fields tls(v, path, fault);
    tls.require("certificate");
    tls.text("certificate", api.certificate);
    api.key = api.certificate;
    tls.text("key", api.key);
    tls.nothing_else();
  });
  if (bind.empty()) {
    for (const auto* given : {&api.token_file, &api.certificate})
      if (!given->empty()) fields.fail("api_bind", "is missing: the other api_ settings need it");
    return;
  }
  const auto endpoint = parse_endpoint(bind);
  if (!endpoint)
    return fields.fail("api_bind",
                       "must be an address with a port, as 127.0.0.1:9876 or "
                       "[2001:db8::1]:9876");
  api.bind = *endpoint;
  if (!api.bind.address.is_loopback()) {
    const std::string why = "is missing: " + bind + " is not a loopback address";
    if (api.certificate.empty()) fields.fail("api_tls", why);
    if (api.token_file.empty()) fields.fail("api_token_file", why);
  }
  config.api = std::move(api);
}

FlowLogConfig read_flow_log(const json& value, const std::string& path,
                            std::optional<std::string>& fault) {
  FlowLogConfig log;
  Fields fields(value, path, fault);
  fields.require("target");
  fields.text("target", log.target);
  fields.text("facility", log.facility);
  fields.text("format", log.format);
  fields.number("lines_per_second", log.lines_per_second, 1, kMostLinesPerSecond);
  fields.nothing_else();
  if (fault) return log;
  if (!flow_log::target_of("/dev/log", log.facility))
    fields.fail("facility", "must be one of syslog's, as local0");
  else if (!flow_log::target_of(log.target, log.facility))
    fields.fail("target", "must be the path of a socket, or an address as 192.0.2.5:514");
  return log;
}

// An address that a socket cannot be opened with unless it is told the interface, too.
bool is_scoped(const base::IpAddress& address) {
  return address.family() == base::Family::ipv6 && address.is_link_local();
}

PairConfig read_pair(const json& value, const std::string& path,
                     std::optional<std::string>& fault) {
  PairConfig pair;
  Fields fields(value, path, fault);
  for (const char* name : {"interface", "source", "peer"}) fields.require(name);
  fields.text("interface", pair.interface);
  fields.parsed<base::IpAddress>("source", pair.source, kAddress);
  fields.parsed<base::IpAddress>("peer", pair.peer, kAddress);
  fields.number("priority", pair.priority, 1, kMostPriority);
  fields.number("router_id", pair.router_id, 1, 255);
  int64_t advert = pair.advert.count();
  fields.number("advert_ms", advert, kLeastAdvert, kMostAdvert);
  pair.advert = std::chrono::milliseconds(advert);
  fields.flag("preempt", pair.preempt);
  fields.text("key_file", pair.key_file);
  fields.number("port", pair.port, 1, 65535);
  fields.list("floating", [&](const json& v, const std::string& at) {
    const auto address = v.is_string() ? base::IpAddress::parse(v.get_ref<const std::string&>())
                                       : std::optional<base::IpAddress>();
    if (!address && !fault) fault = at + " " + kAddress;
    if (address) pair.floating.push_back(*address);
  });
  fields.nothing_else();
  if (fault) return pair;
  if (advert % kLeastAdvert != 0) fields.fail("advert_ms", "must be a multiple of 10");
  if (pair.interface.find_first_not_of(kNameCharacters) != std::string::npos ||
      pair.interface.size() > 15)
    fields.fail("interface", "must be the name of an interface");
  if (pair.source.family() != pair.peer.family())
    fields.fail("peer", "must be of the family of source");
  if (pair.source == pair.peer) fields.fail("peer", "must be another address than source");
  if (pair.key_file.empty()) {
    if (value.contains("port")) fields.fail("port", "is of no use without key_file");
    return pair;
  }
  constexpr const char* kNoScope = "must not be link-local: it says nothing of the interface";
  if (is_scoped(pair.source)) fields.fail("source", kNoScope);
  if (is_scoped(pair.peer)) fields.fail("peer", kNoScope);
  return pair;
}

void read_flow_rate(Fields& fields, plan::FlowRate& rate) {
  fields.number("per_listener", rate.listener, 0, LB_MAX_RATE);
  fields.number("per_client", rate.client, 0, LB_MAX_RATE);
  fields.number("per_network", rate.network, 0, LB_MAX_RATE);
}

plan::FlowRates read_flow_rates(const json& value, const std::string& path,
                                std::optional<std::string>& fault) {
  plan::FlowRates rates;
  Fields fields(value, path, fault);
  read_flow_rate(fields, rates.others);
  fields.object("listeners", [&](const json& v, const std::string& at) {
    Fields listeners(v, at, fault);
    listeners.each([&](const std::string& name, const json& given) {
      const auto id = base::Uuid::parse(name);
      if (!id) return listeners.fail(name, "is no id of a listener");
      // What it does not say is as of the others.
      plan::FlowRate& own = rates.by_listener.emplace(*id, rates.others).first->second;
      Fields one(given, at + name + ".", fault);
      read_flow_rate(one, own);
      one.nothing_else();
    });
  });
  fields.nothing_else();
  return rates;
}

VipRangeConfig read_vip_range(const json& value, const std::string& path,
                              std::optional<std::string>& fault) {
  VipRangeConfig range;
  Fields fields(value, path + ".", fault);
  for (const char* name : {"interface", "subnet", "first", "last"}) fields.require(name);
  fields.text("interface", range.interface);
  fields.parsed<base::IpPrefix>("subnet", range.subnet, kPrefix);
  fields.parsed<base::IpAddress>("first", range.first, kAddress);
  fields.parsed<base::IpAddress>("last", range.last, kAddress);
  fields.nothing_else();
  if (fault) return range;
  if (range.subnet != range.subnet.network()) fields.fail("subnet", "has host bits");
  if (!is_host(range.subnet, range.first)) fields.fail("first", "is no host of subnet");
  if (!is_host(range.subnet, range.last)) fields.fail("last", "is no host of subnet");
  if (range.last < range.first) fields.fail("last", "is before first");
  return range;
}

void check_interfaces(const netns::LayoutSpec& layout, std::optional<std::string>& fault) {
  std::set<std::string> names;
  for (const auto& interface : layout.interfaces)
    if (!names.insert(interface.name).second && !fault)
      fault = "interfaces: " + interface.name + " is given twice";
}

// keepalived puts each on the interface whose network has it.
void check_floating(const netns::LayoutSpec& layout, std::optional<std::string>& fault) {
  std::set<base::IpAddress> taken;
  std::set<base::IpPrefix> networks;
  for (const auto& interface : layout.interfaces)
    for (const base::IpPrefix& prefix : interface.addresses) {
      taken.insert(prefix.address);
      if (interface.name != layout.pair_interface) networks.insert(prefix.network());
    }
  for (const base::IpAddress& address : layout.floating) {
    const bool has_network =
        std::any_of(networks.begin(), networks.end(),
                    [&](const auto& network) { return is_host(network, address); });
    const std::string what = "pair.floating: " + address.text();
    if (!has_network && !fault)
      fault = what + " is no host of a network of an interface other than " + layout.pair_interface;
    if (!taken.insert(address).second && !fault) fault = what + " is there already";
  }
}

}  // namespace

base::Result<Config> parse_config(std::string_view text, const std::string& file, Whose whose) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    std::string_view before = text.substr(0, error.byte);
    auto line = 1 + std::count(before.begin(), before.end(), '\n');
    return base::Error{0, file + ":" + std::to_string(line) + ": not JSON: " + error.what()};
  }
  Config config;
  std::optional<std::string> fault;
  Fields fields(document, "", fault);
  if (whose == Whose::amphora) fields.only(kBesideOctavia, "is not for an amphora");
  fields.text_or_nothing("namespace", config.netns);
  fields.text("state_dir", config.state_dir);
  fields.text("control_socket", config.control_socket);
  fields.text("pin_root", config.pin_root);
  fields.text("log_level", config.log_level);
  if (config.log_level != "off" && spdlog::level::from_str(config.log_level) == spdlog::level::off)
    fields.fail("log_level", "must be one of trace, debug, info, warning, error, critical, off");
  if (config.netns.find('/') != std::string::npos) fields.fail("namespace", "must not contain /");
  fields.object("flow_table", [&](const json& v, const std::string& path) {
    Fields table(v, path, fault);
    table.number("ipv4_flows", config.ipv4_flows, 512, kMaxFlows);
    table.number("ipv6_flows", config.ipv6_flows, 512, kMaxFlows);
    table.nothing_else();
  });
  fields.parsed<datapath::HookWord>("hook", config.hooks.others, datapath::HookWord::kMust);
  fields.object("new_flows_per_second", [&](const json& v, const std::string& path) {
    config.flow_rates = read_flow_rates(v, path, fault);
  });
  read_all_ports(fields, config, fault);
  read_api(fields, config, fault);
  fields.object("pair", [&](const json& v, const std::string& path) {
    config.pair = read_pair(v, path, fault);
    config.layout.pair_interface = config.pair->interface;
    config.layout.floating = config.pair->floating;
  });
  fields.object("flow_log", [&](const json& v, const std::string& path) {
    config.flow_log = read_flow_log(v, path, fault);
  });
  fields.text("default_project", config.default_project);
  if (config.default_project.size() > kMostProject)
    fields.fail("default_project", "has more than 36 characters");
  fields.list("vip_ranges", [&](const json& v, const std::string& at) {
    config.vip_ranges.push_back(read_vip_range(v, at, fault));
  });
  fields.list("interfaces", [&](const json& v, const std::string& at) {
    config.layout.interfaces.push_back(read_interface(v, at, config.hooks, fault));
  });
  fields.nothing_else();
  check_interfaces(config.layout, fault);
  check_floating(config.layout, fault);
  if (auto wrong = fault_among(config.vip_ranges, config.layout); wrong && !fault) fault = wrong;
  if (fault) return base::Error{0, file + ": " + *fault};
  return config;
}

base::Result<Config> read_config(const std::string& file, Whose whose) {
  std::ifstream in(file);
  if (!in) return base::Error{errno, "open " + file};
  std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_config(text, file, whose);
}

}  // namespace serve
