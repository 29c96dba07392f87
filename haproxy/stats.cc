#include "haproxy/stats.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

namespace haproxy {

namespace {

uint64_t to_number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// One line, read by the names of its columns.
class Row {
 public:
  Row(const std::map<std::string, size_t>& columns, std::vector<std::string> fields)
      : columns_(columns), fields_(std::move(fields)) {}

  std::string text(const std::string& column) const {
    const auto found = columns_.find(column);
    if (found == columns_.end() || found->second >= fields_.size()) return "";
    return fields_[found->second];
  }
  uint64_t number(const std::string& column) const { return to_number(text(column)); }

 private:
  const std::map<std::string, size_t>& columns_;
  std::vector<std::string> fields_;
};

std::optional<BackendId> backend_id(const std::string& name) {
  const size_t colon = name.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto pool = base::Uuid::parse(name.substr(0, colon));
  const auto listener = base::Uuid::parse(name.substr(colon + 1));
  if (!pool || !listener) return std::nullopt;
  return BackendId{*pool, *listener};
}

// HTTP messages are counted in HAProxy's own form of them (four bytes less for each header); what
// HTTP/1 had on the wire is counted beside. In TCP mode that is 0; with HTTP/2, its share is only
// in the former.
Traffic traffic_of(const Row& row) {
  Traffic traffic{std::max(row.number("bin"), row.number("h1_bytes_in")),
                  std::max(row.number("bout"), row.number("h1_bytes_out")), row.number("scur"),
                  row.number("stot"), 0};
  traffic.errors = row.number("ereq") + row.number("econ") + row.number("eresp");
  return traffic;
}

// "L7STS/503: HTTP status check returned code <503>"; an asterisk marks a check that is running.
std::string reason_of(const Row& row) {
  std::string status = row.text("check_status");
  if (status.starts_with("* ")) status.erase(0, 2);
  std::string words = row.text("last_chk");
  if (words.empty()) words = row.text("check_desc");
  if (status.empty() || status == "INI") return "";
  if (const std::string code = row.text("check_code"); !code.empty()) status += "/" + code;
  return words.empty() ? status : status + ": " + words;
}

void add_row(const Row& row, WorkerStats& into) {
  const std::string proxy = row.text("pxname"), name = row.text("svname");
  if (name == "FRONTEND") {
    if (const auto listener = base::Uuid::parse(proxy))
      into.frontends[*listener] = {row.text("status"), traffic_of(row)};
    return;
  }
  const auto id = backend_id(proxy);
  if (!id) return;
  BackendStats& backend = into.backends[*id];
  if (name == "BACKEND") {
    backend.status = row.text("status");
    backend.traffic = traffic_of(row);
  } else if (const auto member = base::Uuid::parse(name)) {
    backend.servers[*member] = {row.text("status"), reason_of(row), traffic_of(row)};
  }
}

}  // namespace

std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

bool parse_stats(std::string_view csv, WorkerStats& into) {
  std::istringstream lines{std::string(csv)};
  std::string line;
  std::map<std::string, size_t> columns;
  while (std::getline(lines, line)) {
    if (line.empty()) continue;
    if (line.starts_with("# ")) {
      const std::vector<std::string> names = csv_fields(std::string_view(line).substr(2));
      for (size_t i = 0; i < names.size(); i++) columns.emplace(names[i], i);
    } else if (!columns.empty()) {
      add_row(Row(columns, csv_fields(line)), into);
    }
  }
  return columns.contains("pxname") && columns.contains("svname");
}

bool is_drained(std::string_view info, uint64_t held) {
  std::optional<uint64_t> jobs, unstoppable;
  bool stopping = false;
  std::istringstream lines{std::string(info)};
  for (std::string line; std::getline(lines, line);) {
    const std::string_view view = line;
    if (view.starts_with("Jobs: ")) jobs = to_number(view.substr(6));
    if (view.starts_with("Unstoppable Jobs: ")) unstoppable = to_number(view.substr(18));
    if (view.starts_with("Stopping: ")) stopping = to_number(view.substr(10)) != 0;
  }
  return stopping && jobs && unstoppable && *jobs <= *unstoppable + held;
}

std::optional<Health> health_of(std::string_view status) {
  if (status.starts_with("UP") || status.starts_with("DRAIN")) return Health::up;
  if (status.starts_with("DOWN")) return Health::down;
  return std::nullopt;
}

}  // namespace haproxy
