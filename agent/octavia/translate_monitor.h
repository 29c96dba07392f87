// The lines of a backend that say how its servers are checked, as a health monitor (contract 5.5,
// 5.7, 5.9).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/translate_server.h"

namespace octavia {

class MonitorReader {
 public:
  // Whether the line is one of a monitor's, and understood. Each kind may be there once.
  bool read_line(const std::vector<std::string>& words);

  // All lines have been read. nullopt with an empty `reason`: nobody checks. One with a reason:
  // something does not fit.
  std::optional<model::HealthMonitor> take(const std::vector<std::optional<ServerCheck>>& servers,
                                           std::string& reason);

 private:
  bool read_option(const std::vector<std::string>& words);
  bool read_httpchk(const std::vector<std::string>& words);
  bool read_version(const std::string& word);
  bool read_http_check(const std::vector<std::string>& words);
  std::optional<model::MonitorType> type(bool over_tls) const;

  model::HealthMonitor found_;
  bool has_lines_ = false;
  bool is_http_ = false, is_hello_ = false, is_external_ = false, has_command_ = false;
};

}  // namespace octavia
