// What amphora-agent.conf says, as the agent's configuration, and what Octavia does not say.
#pragma once

#include "agent/octavia/amphora_conf.h"
#include "agent/serve/config.h"

namespace serve {

// Optional: without it, what Octavia does not say has its default.
inline constexpr char kAmphoraConfig[] = "/etc/amphora-xdp/amphora.json";

// `file`: a JSON configuration for an amphora; "": kAmphoraConfig, if it is there.
base::Result<Config> config_of(const octavia::AmphoraConf& conf, const std::string& file);

}  // namespace serve
