#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

namespace base {

void start_log(spdlog::level::level_enum level) {
  auto logger = spdlog::stderr_logger_st("amphora-xdp");
  logger->set_level(level);
  logger->set_pattern(isatty(STDERR_FILENO) != 0 ? "%H:%M:%S.%e %l: %v" : "%l: %v");
  spdlog::set_default_logger(logger);
}

}  // namespace base
