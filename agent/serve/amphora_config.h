// What amphora-agent.conf says, as the agent's configuration: what Octavia does not say has its
// default.
#pragma once

#include "agent/octavia/amphora_conf.h"
#include "agent/serve/config.h"

namespace serve {

Config config_of(const octavia::AmphoraConf& conf);

}  // namespace serve
