// Every way in for requests: the control socket, the metrics' socket, the API over TCP.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "agent/control/api.h"
#include "agent/http/server.h"
#include "agent/serve/config.h"
#include "base/result.h"

namespace serve {

using Servers = std::vector<std::unique_ptr<http::Server>>;

// They take requests from now on. `door` outlives them; `api` is open already (open_api).
base::Result<Servers> start_servers(boost::asio::any_io_executor loop, const Config& config,
                                    std::optional<http::TcpOptions> api, control::Api& door);

}  // namespace serve
