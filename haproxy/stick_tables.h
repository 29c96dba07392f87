// Stick tables, handed from a worker to the one that takes its place. HAProxy's own way, a peer
// that listens on the machine, gives on only what a worker has had for ten seconds. Pure: texts of
// the command line in, commands for it out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace haproxy {

// Names of those that hold something (`show table`).
std::vector<std::string> used_tables(std::string_view list);

struct StickEntry {
  std::string key, server;  // the server's name

  friend bool operator==(const StickEntry&, const StickEntry&) = default;
};
// `show servers state`: numbers by (backend, server). They are given anew to each worker.
using ServerNumbers = std::map<std::pair<std::string, std::string>, uint64_t>;
ServerNumbers server_numbers(std::string_view state);

// `show table NAME`, of a worker with these numbers: an entry that it was given has no name of a
// server, only a number. Entries of nobody are left out.
std::vector<StickEntry> stick_entries(const std::string& table, std::string_view dump,
                                      const ServerNumbers& numbers);

// What gives the new worker the entries of a table; those of servers that it has not are left out.
// Each command is a line of several, as long as HAProxy takes them.
std::vector<std::string> set_commands(const std::string& table,
                                      const std::vector<StickEntry>& entries,
                                      const ServerNumbers& numbers);

}  // namespace haproxy
