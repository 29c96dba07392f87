#include "haproxy/stick_tables.h"

#include <sstream>

namespace haproxy {

namespace {

// HAProxy takes lines of less than a buffer, of 16 KiB.
constexpr size_t kLongestLine = 8192;
// Keys of ours are addresses and cookies; what could end a word or a command is not handed on.
constexpr std::string_view kUnfit = " \t\\;\"'#\r\n";

// What follows `name` up to a blank; "": it is not there.
std::string field(std::string_view line, std::string_view name) {
  const size_t at = line.find(name);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = line.substr(at + name.size());
  return std::string(rest.substr(0, rest.find_first_of(" ,\r\n")));
}

template <class See>
void each_line(std::string_view text, See see) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) see(line);
}

}  // namespace

std::vector<std::string> used_tables(std::string_view list) {
  std::vector<std::string> names;
  each_line(list, [&names](const std::string& line) {
    const std::string name = field(line, "# table: ");
    if (!name.empty() && field(line, " used:") != "0") names.push_back(name);
  });
  return names;
}

std::vector<StickEntry> stick_entries(const std::string& table, std::string_view dump,
                                      const ServerNumbers& numbers) {
  std::map<std::string, std::string> names;  // by number
  for (const auto& [place, number] : numbers)
    if (place.first == table) names[std::to_string(number)] = place.second;
  std::vector<StickEntry> entries;
  each_line(dump, [&](const std::string& line) {
    StickEntry entry{field(line, ": key="), field(line, " server_key=")};
    if (entry.server.empty() || entry.server == "-")
      entry.server = names[field(line, " server_id=")];
    if (entry.key.empty() || entry.server.empty()) return;
    if (entry.key.find_first_of(kUnfit) == std::string::npos) entries.push_back(std::move(entry));
  });
  return entries;
}

// A line: be_id be_name srv_id srv_name ...
ServerNumbers server_numbers(std::string_view state) {
  ServerNumbers numbers;
  each_line(state, [&numbers](const std::string& line) {
    std::istringstream words(line);
    uint64_t backend_id = 0, server_id = 0;
    std::string backend, server;
    if (words >> backend_id >> backend >> server_id >> server)
      numbers[{backend, server}] = server_id;
  });
  return numbers;
}

std::vector<std::string> set_commands(const std::string& table,
                                      const std::vector<StickEntry>& entries,
                                      const ServerNumbers& numbers) {
  std::vector<std::string> commands;
  for (const StickEntry& entry : entries) {
    const auto number = numbers.find({table, entry.server});
    if (number == numbers.end()) continue;
    const std::string command = "set table " + table + " key " + entry.key + " data.server_id " +
                                std::to_string(number->second);
    if (commands.empty() || commands.back().size() + command.size() > kLongestLine)
      commands.push_back(command);
    else
      commands.back() += ";" + command;
  }
  return commands;
}

}  // namespace haproxy
