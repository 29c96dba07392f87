// Whom an amphora shares its connections with: what the controller's text for keepalived and the
// configuration say is the same for both of two, and nobody else's. Pure.
#pragma once

#include <optional>
#include <string>

#include "agent/pair/channel.h"
#include "base/result.h"
#include "keepalived/keepalived_spec.h"

namespace serve {

// nullopt: the text names no other node, or there is no heartbeat key.
base::Result<std::optional<pair::Channel::Target>> target_of(const keepalived::Instance& instance,
                                                             const std::string& heartbeat_key);

}  // namespace serve
