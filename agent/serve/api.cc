#include "agent/serve/api.h"

#include "agent/http/tcp_listener.h"
#include "agent/http/token.h"

namespace agent {
namespace {

using base::Error;
using base::Result;

// All but the socket.
Result<control::TcpOptions> prepare(const ApiConfig& api) {
  control::TcpOptions options;
  if (!api.certificate.empty()) {
    auto tls = control::server_tls(api.certificate, api.key);
    if (!tls) return Error{tls.error().code, "api_tls: " + tls.error().what};
    options.tls = std::move(*tls);
  }
  if (!api.token_file.empty()) {
    auto token = control::Token::read(api.token_file);
    if (!token) return Error{token.error().code, "api_token_file: " + token.error().what};
    options.guard = control::token_guard(*token);
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

Result<std::optional<control::TcpOptions>> open_api(const Config& config) {
  if (!config.api) return std::optional<control::TcpOptions>();
  auto options = prepare(*config.api);
  if (!options) return options.error();
  auto listener = control::listen_tcp(config.api->bind);
  if (!listener) return Error{listener.error().code, "api_bind: " + listener.error().what};
  options->listener = std::move(*listener);
  return std::optional<control::TcpOptions>(std::move(*options));
}

}  // namespace agent
