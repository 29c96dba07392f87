#include "agent/http/server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "agent/http/peer.h"
#include "agent/http/response.h"
#include "agent/http/unix_listener.h"
#include "base/log.h"
#include "base/socket_address.h"

namespace http {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};  // when descriptors have run out
// Connections that are told that there are too many; beyond those, they are just closed.
constexpr int kTurnedAwayAtOnce = 64;

}  // namespace

// Who is served.
struct Guest {
  std::string source;  // its address; "" over a UNIX socket
  uint64_t number = 0;
  bool let_in = false;  // the guard took a request of its
  bool left = false;    // closed from here; its coroutine ends soon
};

// The address of whoever is at the other end.
std::string source_of(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  const auto address = base::ip_address(*static_cast<const sockaddr*>(endpoint.data()));
  return address ? address->text() : "";
}

struct Server::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor executor, Service to_all, TlsContext tls_context)
      : loop(std::move(executor)),
        service(std::move(to_all)),
        tls(std::move(tls_context)),
        acceptor(loop) {}

  // Serves who connects to `fd` from now on.
  static base::Result<std::unique_ptr<Server>> run(std::shared_ptr<State> state, int family,
                                                   base::Fd fd);
  asio::awaitable<void> accept();
  void admit(Socket socket);
  void stop();
  // Those who were not let in yet give way to somebody new, the oldest first: of the source that
  // has too many, then of all. False: everybody was let in.
  bool make_room(const std::string& source);
  size_t here() const;
  // What a new connection is told instead of being served.
  std::optional<Response> refusal(Socket& socket);
  asio::awaitable<void> serve_one(std::shared_ptr<Transport> one);
  asio::awaitable<void> refuse(std::shared_ptr<Transport> one, std::shared_ptr<Response> response);

  asio::any_io_executor loop;
  Service service;
  TlsContext tls;                         // none: not spoken
  std::optional<UnixListener> unix_path;  // none: it is TCP
  std::optional<gid_t> group;
  asio::basic_socket_acceptor<stream_protocol> acceptor;
  std::map<std::shared_ptr<Transport>, Guest> served;
  std::set<std::shared_ptr<Transport>> refused;
  uint64_t guests = 0;  // so far
  bool stopped = false;
};

size_t Server::State::here() const {
  return static_cast<size_t>(
      std::ranges::count_if(served, [](const auto& entry) { return !entry.second.left; }));
}

bool Server::State::make_room(const std::string& source) {
  const auto leave_oldest = [this](auto of) {
    auto oldest = served.end();
    for (auto it = served.begin(); it != served.end(); ++it)
      if (!it->second.let_in && !it->second.left && of(it->second) &&
          (oldest == served.end() || it->second.number < oldest->second.number))
        oldest = it;
    if (oldest == served.end()) return false;
    oldest->second.left = true;
    oldest->first->close();
    return true;
  };
  const auto is_of_source = [&](const Guest& guest) { return guest.source == source; };
  const auto strangers = std::ranges::count_if(served, [&](const auto& entry) {
    const Guest& guest = entry.second;
    return !guest.let_in && !guest.left && is_of_source(guest);
  });
  if (!unix_path && strangers >= service.limits.strangers_of_a_source) leave_oldest(is_of_source);
  if (here() < static_cast<size_t>(service.limits.connections)) return true;
  return leave_oldest([](const Guest&) { return true; });
}

std::optional<Response> Server::State::refusal(Socket& socket) {
  if (unix_path) {
    const auto peer = peer_of(socket.native_handle());
    if (!peer.ok()) return fault_response({500, peer.error().message()});
    if (!may_control(*peer, ::geteuid(), group))
      return fault_response({403, "User " + std::to_string(peer->uid) +
                                      " may not use the control socket: root may, and the agent's "
                                      "user and group."});
  }
  if (!make_room(source_of(socket)))
    return worded(
        service.words, 503,
        "There are " + std::to_string(service.limits.connections) + " connections already.");
  return std::nullopt;
}

// What nobody foresaw (out of memory) ends this connection, not the agent.
asio::awaitable<void> Server::State::serve_one(std::shared_ptr<Transport> one) {
  Service mine = service;
  if (!unix_path)
    mine.let_in = [this, one = one.get()] {
      for (auto& [transport, guest] : served)
        if (transport.get() == one) guest.let_in = true;
    };
  try {
    co_await serve(one, std::move(mine));
  } catch (const std::exception& failure) {
    spdlog::error("control: a connection ends: {}", failure.what());
  }
  one->close();
  served.erase(one);
}

asio::awaitable<void> Server::State::refuse(std::shared_ptr<Transport> one,
                                            std::shared_ptr<Response> response) {
  co_await turn_away(one, service.limits, std::move(*response));
  refused.erase(one);
}

void Server::State::admit(Socket accepted) {
  const std::string source = source_of(accepted);
  auto response = refusal(accepted);
  if (response && (tls || refused.size() >= kTurnedAwayAtOnce))
    return;  // who expects TLS is just left
  auto one = tls ? over_tls(std::move(accepted), tls) : plain(std::move(accepted));
  auto self = shared_from_this();
  if (!response) {
    served.emplace(one, Guest{source, guests++, unix_path.has_value(), false});
    asio::co_spawn(
        loop, [self, one]() { return self->serve_one(one); }, asio::detached);
  } else {
    refused.insert(one);
    auto words = std::make_shared<Response>(std::move(*response));
    asio::co_spawn(
        loop, [self, one, words]() { return self->refuse(one, words); }, asio::detached);
  }
}

asio::awaitable<void> Server::State::accept() {
  while (!stopped) {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    Socket socket = co_await acceptor.async_accept(token);
    if (stopped) break;
    if (!error) {
      try {
        admit(std::move(socket));
      } catch (const std::exception& failure) {
        spdlog::error("control: a connection is not taken: {}", failure.what());
      }
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
  if (unix_path) remove_path(*unix_path);
  for (const auto& [one, guest] : served) one->close();
  for (const auto& one : refused) one->close();
}

base::Result<std::unique_ptr<Server>> Server::State::run(std::shared_ptr<State> state, int family,
                                                         base::Fd fd) {
  error_code error;
  state->acceptor.assign(stream_protocol(family, 0), fd.get(), error);
  if (error) return base::Error{error.value(), "accept connections"};
  fd.release();
  asio::co_spawn(
      state->loop, [state]() { return state->accept(); }, asio::detached);
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

base::Result<std::unique_ptr<Server>> Server::start(asio::any_io_executor loop,
                                                    const ServerOptions& options, Handler handler) {
  auto listener = listen_unix(options.path, options.group);
  if (!listener.ok()) return listener.error();
  auto state = std::make_shared<State>(
      std::move(loop), Service{options.limits, std::move(handler), {}, {}, {}}, TlsContext());
  base::Fd fd = std::move(listener->fd);
  state->group = options.group;
  state->unix_path = std::move(*listener);
  auto started = State::run(state, AF_UNIX, std::move(fd));
  if (!started) remove_path(*state->unix_path);
  return started;
}

base::Result<std::unique_ptr<Server>> Server::start_tcp(asio::any_io_executor loop,
                                                        TcpOptions options, Handler handler) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(options.listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return base::Error{errno, "address of the API's socket"};
  auto state = std::make_shared<State>(std::move(loop),
                                       Service{options.limits,
                                               std::move(handler),
                                               std::move(options.guard),
                                               std::move(options.words),
                                               {}},
                                       std::move(options.tls));
  return State::run(std::move(state), address.ss_family, std::move(options.listener));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { stop(); }

void Server::stop() { state_->stop(); }

void Server::show(TlsContext tls) { state_->tls = std::move(tls); }

}  // namespace http
