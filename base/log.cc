#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>
#include <unistd.h>

namespace base {

namespace {

constexpr char kName[] = "amphora-xdp-agent";
constexpr char kSyslogSocket[] = "/dev/log";
constexpr int kFacilityShift = 3;  // of syslog(3): priorities are below

}  // namespace

void start_log(spdlog::level::level_enum level, std::optional<int> facility) {
  const bool to_syslog = facility && ::access(kSyslogSocket, W_OK) == 0;
  auto logger = to_syslog
                    ? spdlog::syslog_logger_mt(kName, kName, LOG_PID, *facility << kFacilityShift)
                    : spdlog::stderr_logger_mt(kName);
  logger->set_level(level);
  if (to_syslog)
    logger->set_pattern("%v");
  else
    logger->set_pattern(isatty(STDERR_FILENO) != 0 ? "%H:%M:%S.%e %l: %v" : "%l: %v");
  spdlog::set_default_logger(logger);
}

}  // namespace base
