// Teardown: the machine as if no agent had ever been.
#pragma once

#include <optional>

#include "agent/serve/config.h"
#include "base/result.h"
#include "keepalived/process.h"

namespace serve {

// Everything ever pinned, attached or added goes, and HAProxy, and the keepalived of `vrrp` with
// its VIPs (nullopt: there is none); the resources on disk stay. Refused while an agent runs.
base::Status teardown(const Config& config, const std::optional<keepalived::Paths>& vrrp);

}  // namespace serve
