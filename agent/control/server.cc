#include "agent/control/server.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <set>
#include <utility>

#include "agent/control/peer.h"
#include "agent/control/response.h"
#include "agent/control/unix_listener.h"
#include "base/log.h"

namespace control {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};  // when descriptors have run out
// Connections that are told that there are too many; beyond those, they are just closed.
constexpr int kTurnedAwayAtOnce = 64;

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor executor, const ServerOptions& server_options, Handler on_request,
        UnixListener unix_listener)
      : loop(std::move(executor)),
        options(server_options),
        handler(std::move(on_request)),
        listener(std::move(unix_listener)),
        acceptor(loop) {}

  asio::awaitable<void> accept();
  void admit(UnixSocket socket);
  void stop();
  // What a new connection is told instead of being served.
  std::optional<Response> refusal(UnixSocket& socket) const;
  asio::awaitable<void> run(std::shared_ptr<UnixSocket> socket);
  asio::awaitable<void> refuse(std::shared_ptr<UnixSocket> socket, Response response);

  asio::any_io_executor loop;
  ServerOptions options;
  Handler handler;
  UnixListener listener;
  stream_protocol::acceptor acceptor;
  std::set<std::shared_ptr<UnixSocket>> served, refused;
  bool stopped = false;
};

std::optional<Response> Server::State::refusal(UnixSocket& socket) const {
  const auto peer = peer_of(socket.native_handle());
  if (!peer.ok()) return fault_response({500, peer.error().message()});
  if (!may_control(*peer, ::geteuid(), options.group))
    return fault_response({403, "User " + std::to_string(peer->uid) +
                                    " may not use the control socket: root may, and the agent's "
                                    "user and group."});
  if (served.size() >= static_cast<size_t>(options.limits.connections))
    return fault_response(
        {503, "There are " + std::to_string(options.limits.connections) + " connections already."});
  return std::nullopt;
}

asio::awaitable<void> Server::State::run(std::shared_ptr<UnixSocket> socket) {
  co_await serve(socket, options.limits, handler);
  served.erase(socket);
}

asio::awaitable<void> Server::State::refuse(std::shared_ptr<UnixSocket> socket, Response response) {
  co_await turn_away(socket, options.limits, std::move(response));
  refused.erase(socket);
}

void Server::State::admit(UnixSocket accepted) {
  auto socket = std::make_shared<UnixSocket>(std::move(accepted));
  auto response = refusal(*socket);
  if (!response) {
    served.insert(socket);
    asio::co_spawn(
        loop, [self = shared_from_this(), socket]() { return self->run(socket); }, asio::detached);
  } else if (refused.size() < kTurnedAwayAtOnce) {
    refused.insert(socket);
    auto words = std::make_shared<Response>(std::move(*response));
    asio::co_spawn(
        loop,
        [self = shared_from_this(), socket, words]() {
          return self->refuse(socket, std::move(*words));
        },
        asio::detached);
  }
}

asio::awaitable<void> Server::State::accept() {
  while (!stopped) {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    UnixSocket socket = co_await acceptor.async_accept(token);
    if (stopped) break;
    if (!error) {
      admit(std::move(socket));
      continue;
    }
    if (error == asio::error::connection_aborted) continue;
    spdlog::warn("control: accept: {}", error.message());
    asio::steady_timer pause(loop, kAcceptPause);
    co_await pause.async_wait(token);
  }
}

void Server::State::stop() {
  if (std::exchange(stopped, true)) return;
  error_code ignored;
  acceptor.close(ignored);
  remove_path(listener);
  for (const auto& socket : served) socket->close(ignored);
  for (const auto& socket : refused) socket->close(ignored);
}

base::Result<std::unique_ptr<Server>> Server::start(asio::any_io_executor loop,
                                                    const ServerOptions& options, Handler handler) {
  auto listener = listen_unix(options.path, options.group);
  if (!listener.ok()) return listener.error();
  const int fd = listener->fd.release();
  auto state =
      std::make_shared<State>(std::move(loop), options, std::move(handler), std::move(*listener));
  error_code error;
  state->acceptor.assign(stream_protocol(), fd, error);
  if (error) {
    ::close(fd);
    remove_path(state->listener);
    return base::Error{error.value(), "accept on control socket " + options.path};
  }
  asio::co_spawn(
      state->loop, [state]() { return state->accept(); }, asio::detached);
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { stop(); }

void Server::stop() { state_->stop(); }

}  // namespace control
