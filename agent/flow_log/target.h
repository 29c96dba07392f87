// Where a log goes: HAProxy's "log" line, or the same of our own configuration. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace flow_log {

struct Target {
  std::string path;      // of a socket in the file system; "": `place` is meant
  base::Endpoint place;  // UDP
  int facility = 16;     // syslog(3)'s number without the shift; 16: local0

  std::string text() const { return path.empty() ? place.text() : path; }
  auto operator<=>(const Target&) const = default;
};

// "/dev/log", "192.0.2.5", "192.0.2.5:514", "2001:db8::5:514"; "local0". nullopt: none of these.
std::optional<Target> target_of(std::string_view address, std::string_view facility);

}  // namespace flow_log
