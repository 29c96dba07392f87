// The parts of look_around().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/doctor/facts.h"
#include "agent/cli/look/look.h"
#include "agent/octavia/amphora_conf.h"
#include "agent/serve/config.h"

namespace look {

struct Read {
  doctor::Configuration configuration;
  serve::Config config;                      // its default where there is a fault
  std::optional<octavia::AmphoraConf> conf;  // none: standalone
};
Read read_configuration(const Options& options);

// Of a file as /etc/default/amphora-xdp: what the agent is told. Pure.
Options options_in(std::string_view text);

// "2.6.12-1+deb12u3" of what a program says of itself; empty: it says none. Pure.
std::string version_in(std::string_view said);

doctor::Kernel look_at_kernel(const std::string& pin_root);
doctor::Seen<doctor::Flows> look_at_flows(const std::string& pin_root);
doctor::Seen<doctor::Space> look_at_space(const Read& read);
std::vector<doctor::Program> look_at_programs(const Read& read);
bool is_clock_synchronised();
// Of the folder, or the nearest one above it that is there.
doctor::Seen<doctor::Disk> look_at_disk(const std::string& folder);
std::vector<doctor::Certificate> look_at_certificates(const Read& read);
// From the namespace that this process is in, which is the one that the agent is started in.
std::vector<doctor::Controller> look_at_controllers(const std::vector<base::Endpoint>& addresses);

}  // namespace look
