// Looking at a machine for `doctor`: the only part of it that touches the world. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "agent/cli/doctor/facts.h"

namespace look {

// Which configuration the agent runs with. Both empty: the one that its unit is given
// (/etc/default/amphora-xdp).
struct Options {
  std::string config;        // as --config of the agent
  std::string amphora_conf;  // as --config-file
};

// Everything but what the agent says; that can only be asked when it is known where it listens.
// Blocks, for two seconds where flows look inconsistent.
doctor::Facts look_around(const Options& options);

// Why nobody can connect to the socket: EACCES if it is for who asks, else for everybody.
base::Status can_ask(const std::string& socket);

}  // namespace look
