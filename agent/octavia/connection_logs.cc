#include "agent/octavia/connection_logs.h"

#include <utility>
#include <vector>

#include "agent/octavia/translate_words.h"
#include "haproxy/document.h"

namespace octavia {

namespace {

using flow_log::ConnectionLog;
using Line = std::vector<std::string>;

class LogReader {
 public:
  LogReader(const haproxy::Document& document, flow_log::ConnectionLogs& logs)
      : document_(document), logs_(logs) {}

  void read() {
    for (const haproxy::Section& section : document_.sections()) {
      if (section.kind == "global") read_lines(section, [this](const Line& line) { global(line); });
      if (section.kind == "defaults")
        read_lines(section, [this](const Line& line) { defaults(line); });
      if (section.kind == "frontend") read_frontend(section);
    }
  }

 private:
  // A line that an environment variable decides about says nothing.
  template <class Take>
  void read_lines(const haproxy::Section& section, Take take) {
    for (uint32_t number = section.begin + 1; number < section.end; number++) {
      const haproxy::Words line = document_.words(number);
      if (!line.words.empty() && !line.has_variable) take(line.words);
    }
  }

  // "log <target> <facility> [<level>]": connections are logged at "info".
  void global(const Line& line) {
    if (line.size() < 3 || line[0] != "log") return;
    if (line.size() == 3 || line[3] == "info" || line[3] == "debug")
      receivers_.push_back({line[1], line[2]});
  }

  void defaults(const Line& line) {
    if (line == Line{"log", "global"}) logs_global_ = true;
    if (line == Line{"no", "log"}) logs_global_ = false;
  }

  void read_frontend(const haproxy::Section& section) {
    const auto listener = uuid_of(section.name);
    if (!listener || !logs_global_ || receivers_.empty()) return;
    read_lines(section, [this, &listener](const Line& line) {
      if (line.size() == 2 && line[0] == "log-format") logs_[*listener] = {receivers_, line[1]};
    });
  }

  const haproxy::Document& document_;
  flow_log::ConnectionLogs& logs_;
  std::vector<ConnectionLog::Receiver> receivers_;
  bool logs_global_ = false;
};

}  // namespace

flow_log::ConnectionLogs connection_logs(const Uploads& uploads) {
  flow_log::ConnectionLogs logs;
  for (const auto& [load_balancer, text] : uploads.haproxy)
    if (const auto document = haproxy::Document::parse(text)) LogReader(*document, logs).read();
  return logs;
}

}  // namespace octavia
