#include "agent/octavia/amphora_conf.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "agent/octavia/ini.h"
#include "base/file.h"
#include "base/number.h"
#include "base/uuid.h"

namespace octavia {
namespace {

using base::Error;
using base::Result;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A word of a fixed vocabulary: case and dashes do not count.
std::string word(std::string_view text) {
  std::string out = lower(text);
  std::ranges::replace(out, '-', '_');
  return out;
}

// Each of these sets one value of the file; what they return is "" or what it must be instead.
using Set = std::function<std::string(AmphoraConf&, const std::string&)>;

Set flag(bool AmphoraConf::*field) {
  return [field](AmphoraConf& conf, const std::string& value) -> std::string {
    const std::string text = lower(value);
    const bool on = text == "true" || text == "1" || text == "yes" || text == "on";
    const bool off = text == "false" || text == "0" || text == "no" || text == "off";
    if (!on && !off) return "must be true or false";
    conf.*field = on;
    return "";
  };
}

std::string range(int min, int max) {
  return "must be a number from " + std::to_string(min) + " to " + std::to_string(max);
}

constexpr int kMostLocal = 7;  // of LOG_LOCALn

std::string set_administrative_facility(AmphoraConf& conf, const std::string& value) {
  const auto read = base::parse_number(value, 0, kMostLocal);
  if (!read) return range(0, kMostLocal);
  conf.administrative_log_facility = *read;
  return "";
}

std::string check_user_facility(AmphoraConf&, const std::string& value) {
  return base::parse_number(value, 0, kMostLocal) ? "" : range(0, kMostLocal);
}

Set seconds(std::chrono::seconds AmphoraConf::*field) {
  constexpr int kDay = 86400;
  return [field](AmphoraConf& conf, const std::string& value) -> std::string {
    const auto read = base::parse_number(value, 1, kDay);
    if (!read) return range(1, kDay);
    conf.*field = std::chrono::seconds(*read);
    return "";
  };
}

Set path(std::string AmphoraConf::*field) {
  return [field](AmphoraConf& conf, const std::string& value) -> std::string {
    if (!value.starts_with('/') || value.find('\n') != std::string::npos)
      return "must be an absolute path";
    conf.*field = value;
    return "";
  };
}

std::string set_bind_host(AmphoraConf& conf, const std::string& value) {
  const auto address = base::IpAddress::parse(value);
  if (!address) return "must be an IP address";
  conf.bind.address = *address;
  return "";
}

std::string set_bind_port(AmphoraConf& conf, const std::string& value) {
  const auto port = base::parse_number(value, 0, 65535);
  if (!port) return range(0, 65535);
  conf.bind.port = static_cast<uint16_t>(*port);
  return "";
}

std::string set_facility(AmphoraConf& conf, const std::string& value) {
  constexpr std::array<std::pair<std::string_view, int>, 20> kNames{{
      {"kern", LOG_KERN},     {"user", LOG_USER},     {"mail", LOG_MAIL},
      {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH},     {"syslog", LOG_SYSLOG},
      {"lpr", LOG_LPR},       {"news", LOG_NEWS},     {"uucp", LOG_UUCP},
      {"cron", LOG_CRON},     {"ftp", LOG_FTP},       {"authpriv", LOG_AUTHPRIV},
      {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
      {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
      {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
  }};
  std::string name = word(value);
  if (name.starts_with("log_")) name.erase(0, 4);
  const auto* found =
      std::ranges::find_if(kNames, [&](const auto& entry) { return entry.first == name; });
  if (found == kNames.end()) return "must be a facility of syslog, as in LOG_LOCAL1";
  conf.syslog_facility = found->second >> 3;
  return "";
}

// "ip:port", "[ip]:port"; IPv6 may come without brackets, the port is after the last colon.
std::optional<base::Endpoint> endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = base::IpAddress::parse(host);
  const auto port = base::parse_number(text.substr(colon + 1), 1, 65535);
  if (!address || !port) return std::nullopt;
  return base::Endpoint{*address, static_cast<uint16_t>(*port)};
}

std::string set_controllers(AmphoraConf& conf, const std::string& value) {
  std::vector<base::Endpoint> all;
  for (std::string_view rest = value; !rest.empty();) {
    const size_t comma = rest.find(',');
    const std::string_view one = trimmed(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (one.empty()) continue;
    const auto read = endpoint(one);
    if (!read) return "must be a list of ADDRESS:PORT; this is none: " + std::string(one);
    all.push_back(*read);
  }
  conf.controllers = std::move(all);
  return "";
}

std::string set_key(AmphoraConf& conf, const std::string& value) {
  conf.heartbeat_key = value;
  return "";
}

std::string set_amphora_id(AmphoraConf& conf, const std::string& value) {
  const auto id = base::Uuid::parse(value);
  if (!id) return "must be a UUID";
  conf.amphora_id = id->text();
  return "";
}

std::string set_topology(AmphoraConf& conf, const std::string& value) {
  const std::string name = word(value);
  if (name != "single" && name != "active_standby") return "must be SINGLE or ACTIVE_STANDBY";
  conf.topology = name == "single" ? Topology::single : Topology::active_standby;
  return "";
}

std::string check_udp_driver(AmphoraConf&, const std::string& value) {
  return word(value) == "keepalived_lvs" ? "" : "must be keepalived_lvs";
}

// Known, and nothing to us: what the controller renders for itself or for older agents. TLS 1.2 and
// 1.3 are always spoken.
std::string ignore(AmphoraConf&, const std::string&) { return ""; }

// "section option" -> how it is set.
const std::map<std::string, Set>& options() {
  using C = AmphoraConf;
  static const std::map<std::string, Set> kOptions{
      {"DEFAULT debug", flag(&C::debug)},
      {"DEFAULT use_syslog", flag(&C::use_syslog)},
      {"DEFAULT syslog_log_facility", set_facility},
      {"haproxy_amphora base_path", path(&C::base_path)},
      {"haproxy_amphora base_cert_dir", path(&C::base_cert_dir)},
      {"haproxy_amphora bind_host", set_bind_host},
      {"haproxy_amphora bind_port", set_bind_port},
      {"haproxy_amphora haproxy_cmd", path(&C::haproxy_cmd)},
      {"haproxy_amphora respawn_count", ignore},
      {"haproxy_amphora respawn_interval", ignore},
      {"haproxy_amphora use_upstart", ignore},
      {"haproxy_amphora user_log_facility", check_user_facility},
      {"haproxy_amphora administrative_log_facility", set_administrative_facility},
      {"health_manager controller_ip_port_list", set_controllers},
      {"health_manager heartbeat_interval", seconds(&C::heartbeat_interval)},
      {"health_manager heartbeat_key", set_key},
      {"amphora_agent agent_server_ca", path(&C::agent_server_ca)},
      {"amphora_agent agent_server_cert", path(&C::agent_server_cert)},
      {"amphora_agent agent_server_network_dir", path(&C::agent_server_network_dir)},
      {"amphora_agent agent_request_read_timeout", seconds(&C::agent_request_read_timeout)},
      {"amphora_agent amphora_id", set_amphora_id},
      {"amphora_agent amphora_udp_driver", check_udp_driver},
      {"amphora_agent agent_tls_protocol", ignore},
      {"amphora_agent user_log_facility", check_user_facility},
      {"amphora_agent administrative_log_facility", set_administrative_facility},
      {"amphora_agent admin_log_targets", ignore},
      {"amphora_agent tenant_log_targets", ignore},
      {"amphora_agent log_protocol", ignore},
      {"amphora_agent log_retry_count", ignore},
      {"amphora_agent log_retry_interval", ignore},
      {"amphora_agent log_queue_size", ignore},
      {"amphora_agent logging_template_override", ignore},
      {"amphora_agent forward_all_logs", ignore},
      {"amphora_agent disable_local_log_storage", ignore},
      {"controller_worker loadbalancer_topology", set_topology},
  };
  return kOptions;
}

// What [haproxy_amphora] says comes first, so that [amphora_agent] can overrule it wherever it is
// in the file.
bool is_second_place(const IniEntry& entry) {
  return entry.section == "haproxy_amphora" && entry.option.ends_with("_log_facility");
}

}  // namespace

AmphoraConf::AmphoraConf() : bind{*base::IpAddress::parse("::"), 9443} {}

Result<ReadConf> parse_conf(std::string_view text, const std::string& file) {
  auto entries = parse_ini(text, file);
  if (!entries) return entries.error();
  std::stable_partition(entries->begin(), entries->end(), is_second_place);
  ReadConf out;
  for (const IniEntry& entry : *entries) {
    const auto known = options().find(entry.section + " " + entry.option);
    if (known == options().end()) {
      out.unknown.push_back("[" + entry.section + "] " + entry.option + " (line " +
                            std::to_string(entry.line) + ")");
      continue;
    }
    if (const auto wrong = known->second(out.conf, entry.value); !wrong.empty())
      return Error{0, file + ":" + std::to_string(entry.line) + ": " + entry.option + " " + wrong};
  }
  return out;
}

Result<ReadConf> read_conf(const std::string& file) {
  auto text = base::read_file(file);
  if (!text) return text.error();
  return parse_conf(*text, file);
}

AmphoraConf with_mutable(const AmphoraConf& running, const AmphoraConf& read) {
  AmphoraConf out = running;
  out.controllers = read.controllers;
  out.heartbeat_interval = read.heartbeat_interval;
  out.heartbeat_key = read.heartbeat_key;
  out.topology = read.topology;
  return out;
}

}  // namespace octavia
