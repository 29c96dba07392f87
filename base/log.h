// Logging: spdlog, to standard error, where systemd's journal takes it, or to syslog. One line per
// event, logged once, where it is handled.
#pragma once

#include <spdlog/spdlog.h>

#include <optional>

namespace base {

// `facility`: syslog(3)'s number without the shift (17: LOG_LOCAL1); none, or no syslog on this
// machine: standard error, with time stamps only when it is a terminal: the journal has its own,
// and is told each line's priority.
void start_log(spdlog::level::level_enum level, std::optional<int> facility);

}  // namespace base
