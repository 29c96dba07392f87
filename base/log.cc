#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace base {

namespace {

constexpr char kName[] = "amphora-xdp-agent";
constexpr char kSyslogSocket[] = "/dev/log";
constexpr int kFacilityShift = 3;  // of syslog(3): priorities are below

// syslog's priority before each line, as the journal reads it: "<3>".
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& line, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const char prefix[] = {'<', priority_of(line.level), '>'};
    out.append(prefix, prefix + sizeof(prefix));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }

 private:
  static char priority_of(spdlog::level::level_enum level) {
    if (level == spdlog::level::critical) return '2';
    if (level == spdlog::level::err) return '3';
    if (level == spdlog::level::warn) return '4';
    return level == spdlog::level::info ? '6' : '7';
  }
};

// Whether standard error goes to the journal: systemd says which file that is.
bool is_journal(int fd) {
  const char* said = std::getenv("JOURNAL_STREAM");
  struct stat seen {};
  if (said == nullptr || ::fstat(fd, &seen) != 0) return false;
  return std::to_string(seen.st_dev) + ":" + std::to_string(seen.st_ino) == said;
}

}  // namespace

void start_log(spdlog::level::level_enum level, std::optional<int> facility) {
  const bool to_syslog = facility && ::access(kSyslogSocket, W_OK) == 0;
  auto logger = to_syslog
                    ? spdlog::syslog_logger_mt(kName, kName, LOG_PID, *facility << kFacilityShift)
                    : spdlog::stderr_logger_mt(kName);
  logger->set_level(level);
  if (to_syslog) {
    logger->set_pattern("%v");
  } else if (is_journal(STDERR_FILENO)) {
    auto lines = std::make_unique<spdlog::pattern_formatter>();
    lines->add_flag<Priority>('P').set_pattern("%P%v");
    logger->set_formatter(std::move(lines));
  } else {
    logger->set_pattern(isatty(STDERR_FILENO) != 0 ? "%H:%M:%S.%e %l: %v" : "%l: %v");
  }
  spdlog::set_default_logger(logger);
}

}  // namespace base
