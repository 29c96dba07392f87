// Where the agent keeps what: sockets and files that follow from the configuration.
#pragma once

#include <string>

#include "agent/serve/config.h"
#include "haproxy/process.h"

namespace serve {

// Next to the control socket, so that agents with sockets of their own have HAProxies of their own.
std::string run_dir(const Config& config);

haproxy::Paths haproxy_paths(const Config& config);

// At which HAProxy's workers ask for the metrics that PROMETHEUS listeners show.
std::string metrics_socket(const Config& config);

}  // namespace serve
