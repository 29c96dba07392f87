#include "haproxy/processes.h"

#include <sstream>
#include <string>

namespace haproxy {

namespace {

enum class Part { none, workers, old_workers, others };

std::optional<Part> heading(const std::string& line) {
  if (line == "# workers") return Part::workers;
  if (line == "# old workers") return Part::old_workers;
  if (line.starts_with("#")) return line == "# programs" ? Part::others : Part::none;
  return std::nullopt;
}

}  // namespace

std::optional<Processes> parse_processes(std::string_view text) {
  Processes found;
  Part part = Part::none;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (const auto next = heading(line)) {
      part = *next;
      continue;
    }
    std::istringstream words(line);
    pid_t pid = 0;
    std::string type, failed;
    if (!(words >> pid >> type)) continue;
    if (type == "master") {
      found.master = pid;
      words >> found.reloads >> failed >> found.failed;  // "1 [failed: 0]"
    } else if (type == "worker" && part == Part::old_workers) {
      found.old_workers.push_back(pid);
    } else if (type == "worker" && part == Part::workers) {
      found.worker = pid;
    }
  }
  if (found.master == 0) return std::nullopt;
  return found;
}

}  // namespace haproxy
