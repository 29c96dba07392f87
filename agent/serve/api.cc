#include "agent/serve/api.h"

#include <utility>

#include "agent/control/networks.h"
#include "agent/http/tcp_listener.h"
#include "agent/http/token.h"

namespace serve {
namespace {

using base::Error;
using base::Result;

// All but the socket.
Result<http::TcpOptions> prepare(const ApiConfig& api) {
  http::TcpOptions options;
  if (!api.certificate.empty()) {
    auto tls = http::server_tls(api.certificate, api.key);
    if (!tls) return Error{tls.error().code, "api_tls: " + tls.error().what};
    options.tls = std::move(*tls);
  }
  if (!api.token_file.empty()) {
    auto token = http::Token::read(api.token_file);
    if (!token) return Error{token.error().code, "api_token_file: " + token.error().what};
    options.guard = http::token_guard(*token);
  }
  return options;
}

}  // namespace

Result<base::Unit> check_api(const Config& config) {
  if (!config.api) return base::Unit{};
  auto options = prepare(*config.api);
  if (!options) return options.error();
  return base::Unit{};
}

std::shared_ptr<const model::VipRanges> vip_ranges_of(const Config& config) {
  model::VipRanges ranges;
  for (const VipRangeConfig& range : config.vip_ranges)
    ranges.push_back({control::network_id(range.interface),
                      control::subnet_id(range.subnet, range.interface), range.subnet, range.first,
                      range.last});
  return std::make_shared<const model::VipRanges>(std::move(ranges));
}

Result<std::optional<http::TcpOptions>> open_api(const Config& config) {
  if (!config.api) return std::optional<http::TcpOptions>();
  auto options = prepare(*config.api);
  if (!options) return options.error();
  auto listener = http::listen_tcp(config.api->bind);
  if (!listener) return Error{listener.error().code, "api_bind: " + listener.error().what};
  options->listener = std::move(*listener);
  return std::optional<http::TcpOptions>(std::move(*options));
}

}  // namespace serve
