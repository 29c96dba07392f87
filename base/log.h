// Logging: spdlog, to standard error, where systemd's journal takes it. One line per event, logged
// once, where it is handled.
#pragma once

#include <spdlog/spdlog.h>

namespace base {

// Time stamps only when standard error is a terminal: the journal has its own.
void start_log(spdlog::level::level_enum level);

}  // namespace base
