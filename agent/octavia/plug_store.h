// Where an amphora keeps what was plugged: reads and writes the files of interface_file.h and
// vip_rules.h. Every file is there whole or not at all. Calls block.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/octavia/interface_file.h"
#include "agent/octavia/vip_rules.h"
#include "base/result.h"

namespace octavia {

struct Plugs {
  std::map<std::string, InterfaceFile> files;  // by the name of the interface
  PluggedInterfaces macs;
  std::optional<std::vector<VipRule>> rules;  // nullopt: none were ever sent, everything is allowed

  friend bool operator==(const Plugs&, const Plugs&) = default;
};

class PlugStore {
 public:
  struct Paths {
    std::string interfaces = "/etc/octavia/interfaces";  // [amphora_agent] agent_server_network_dir
    std::string macs = "/var/lib/octavia";  // plugged_interfaces; wherever base_path is
    std::string base = "/var/lib/octavia";  // [haproxy_amphora] base_path
  };
  explicit PlugStore(Paths paths) : paths_(std::move(paths)) {}

  struct Loaded {
    Plugs plugs;
    std::vector<std::string> unreadable;  // files that were left out and why, for the log
  };
  // Makes the folders and lo.json where they are missing. Files that are there but cannot be read
  // as what they are are left out. Rules that cannot be read forbid everything, until others come:
  // what they allow is not known.
  base::Result<Loaded> load();

  // Durable when they return; errors name the file.
  base::Status save(const InterfaceFile& file);          // <interfaces>/<name>.json, 0644
  base::Status save(const PluggedInterfaces& macs);      // plugged_interfaces, 0644
  base::Status save(const std::vector<VipRule>& rules);  // <base>/vip-rules.json, 0600

 private:
  void load_interfaces(Loaded& into) const;
  void load_rules(Loaded& into) const;

  Paths paths_;
};

}  // namespace octavia
