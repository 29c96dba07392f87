#include "agent/flow_log/target.h"

#include <algorithm>
#include <array>

#include "base/number.h"
#include "base/socket_address.h"

namespace flow_log {

namespace {

constexpr uint16_t kSyslogPort = 514;
constexpr int kMostPort = 65535;

std::optional<int> facility_of(std::string_view word) {
  // In the order of their numbers; HAProxy's names.
  static constexpr std::array<std::string_view, 24> kNames = {
      "kern",   "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
      "uucp",   "cron",   "auth2",  "ftp",    "ntp",    "audit",  "alert",  "cron2",
      "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
  const auto found = std::find(kNames.begin(), kNames.end(), word);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<int>(found - kNames.begin());
}

// HAProxy's way: the port is behind the last colon, and an address alone has none.
std::optional<base::Endpoint> place_of(std::string_view text) {
  if (const auto address = base::IpAddress::parse(text))
    return base::Endpoint{*address, kSyslogPort};
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = base::IpAddress::parse(host);
  const auto port = base::parse_number(text.substr(colon + 1), 1, kMostPort);
  if (!address || !port) return std::nullopt;
  return base::Endpoint{*address, static_cast<uint16_t>(*port)};
}

}  // namespace

std::optional<Target> target_of(std::string_view address, std::string_view facility) {
  Target target;
  const auto number = facility_of(facility);
  if (!number) return std::nullopt;
  target.facility = *number;
  if (address.starts_with('/')) {
    if (!base::unix_address(address)) return std::nullopt;
    target.path = address;
    return target;
  }
  const auto place = place_of(address);
  if (!place) return std::nullopt;
  target.place = *place;
  return target;
}

}  // namespace flow_log
