// Teardown: the machine as if no agent had ever been.
#pragma once

#include "agent/serve/config.h"
#include "base/result.h"

namespace serve {

// Everything ever pinned, attached or added goes, and HAProxy; the resources on disk stay. Refused
// while an agent runs.
base::Status teardown(const Config& config);

}  // namespace serve
