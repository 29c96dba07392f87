#include "haproxy/processes.h"

#include <fstream>
#include <iterator>
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

std::optional<uint64_t> start_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  // The name may hold anything; the last parenthesis ends it. Field 22 is 20 after it.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream words(text.substr(name_end + 1));
  std::string word;
  for (int field = 3; field < 22; field++)
    if (!(words >> word)) return std::nullopt;
  uint64_t start = 0;
  if (!(words >> start)) return std::nullopt;
  return start;
}

}  // namespace haproxy
