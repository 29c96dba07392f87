// Any bytes at all on a connection: every request in them is answered in HTTP, or the connection
// ends, and it always ends when they do.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "agent/control/router.h"
#include "agent/http/response.h"
#include "agent/http/session.h"

namespace {

using http::Response;

void check(bool holds) {
  if (!holds) std::abort();
}

boost::asio::awaitable<Response> answer(http::Request request) {
  const auto routed = control::route(request.method, request.target, request.body);
  if (const auto* refusal = std::get_if<control::NoRoute>(&routed))
    co_return http::fault_response(refusal->fault);
  co_return http::json_response(200, request.target);
}

// Somebody with this token is known; the others are told so before their body is read.
std::optional<Response> guard(const http::Request& request) {
  if (request.token.empty() || request.token == "known") return std::nullopt;
  return http::fault_response({401, "Who are you?"});
}

std::string converse(std::string_view said) {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const int large = 1 << 20;  // all answers fit in, as nobody reads before the end
  ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
  check(::send(ends[0], said.data(), said.size(), 0) == static_cast<ssize_t>(said.size()));
  ::shutdown(ends[0], SHUT_WR);

  boost::asio::io_context loop(1);
  http::Socket socket(loop);
  socket.assign(boost::asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
  http::Limits limits;
  limits.header_bytes = 1024;
  limits.body_bytes = 2048;
  limits.write = std::chrono::milliseconds(500);
  auto transport = http::plain(std::move(socket));
  boost::asio::co_spawn(loop, http::serve(transport, {limits, answer, guard, {}}),
                        boost::asio::detached);
  loop.run();
  transport.reset();

  std::string heard;
  char bytes[4096];
  for (ssize_t size = 0; (size = ::recv(ends[0], bytes, sizeof(bytes), 0)) > 0;)
    heard.append(bytes, static_cast<size_t>(size));
  ::close(ends[0]);
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string heard = converse({reinterpret_cast<const char*>(data), size});
  check(heard.empty() || heard.starts_with("HTTP/1."));
  return 0;
}
