#include "agent/serve/servers.h"

#include <grp.h>

#include <filesystem>
#include <utility>

#include "agent/http/response.h"
#include "agent/serve/paths.h"

namespace serve {

namespace asio = boost::asio;

namespace {

// HAProxy's workers get the metrics of their load balancer here, and nothing else.
asio::awaitable<http::Response> answer_metrics(control::Api& door, http::Request request) {
  if (request.target.starts_with("/metrics?loadbalancer=") &&
      (request.method == "GET" || request.method == "HEAD"))
    co_return co_await door.handle(std::move(request));
  co_return http::fault_response({404, "The resource could not be found."});
}

std::optional<gid_t> group_of_haproxy() {
  const group* found = ::getgrnam("haproxy");
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

}  // namespace

base::Result<Servers> start_servers(asio::any_io_executor loop, const Config& config,
                                    std::optional<http::TcpOptions> api, control::Api& door) {
  const auto handle = [&door](http::Request request) { return door.handle(std::move(request)); };
  std::error_code failed;
  std::filesystem::create_directories(run_dir(config), failed);
  if (failed) return base::Error{failed.value(), "make " + run_dir(config)};
  Servers servers;
  auto local = http::Server::start(
      loop, {.path = config.control_socket, .group = std::nullopt, .limits = {}}, handle);
  if (!local) return local.error();
  servers.push_back(std::move(*local));
  auto metrics = http::Server::start(
      loop, {.path = metrics_socket(config), .group = group_of_haproxy(), .limits = {}},
      [&door](http::Request request) { return answer_metrics(door, std::move(request)); });
  if (!metrics) return metrics.error();
  servers.push_back(std::move(*metrics));
  if (!api) return servers;
  auto remote = http::Server::start_tcp(loop, std::move(*api), handle);
  if (!remote) return remote.error();
  servers.push_back(std::move(*remote));
  return servers;
}

}  // namespace serve
