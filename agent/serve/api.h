// The API over TCP, as configured: its socket, certificate and token.
#pragma once

#include <memory>
#include <optional>

#include "agent/http/server.h"
#include "agent/model/vip_ranges.h"
#include "agent/serve/config.h"
#include "base/result.h"

namespace serve {

// The files that the configuration names are there and good. Errors name the field.
base::Result<base::Unit> check_api(const Config& config);

// Listens, in the network namespace that the caller is in. nullopt: it is not wanted.
base::Result<std::optional<http::TcpOptions>> open_api(const Config& config);

// Ranges as the API names their networks.
std::shared_ptr<const model::VipRanges> vip_ranges_of(const Config& config);

}  // namespace serve
