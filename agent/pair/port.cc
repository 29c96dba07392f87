#include "agent/pair/port.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

#include "agent/pair/sockets.h"

namespace pair {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kListenRetry{1};
constexpr char kHandshake = 0x16;                        // of TLS: its first record
constexpr std::string_view kPeersProtocol = "HAProxyS";  // the first bytes of its hello

using Timer = std::shared_ptr<asio::steady_timer>;

// Closes the socket, unless it is cancelled before.
Timer limit(const asio::any_io_executor& loop, const std::shared_ptr<tcp::socket>& socket) {
  auto timer = std::make_shared<asio::steady_timer>(loop, Port::kSilence);
  timer->async_wait([socket](const error_code& error) {
    error_code ignored;
    if (!error) socket->close(ignored);
  });
  return timer;
}

// The end of one direction is the end of both.
asio::awaitable<void> pump(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  std::array<char, 16384> bytes{};
  error_code error;
  while (!error) {
    const size_t read = co_await from->async_read_some(asio::buffer(bytes), into(error));
    if (!error) co_await asio::async_write(*to, asio::buffer(bytes.data(), read), into(error));
  }
  from->close(error);
  to->close(error);
}

}  // namespace

Port::Port(asio::any_io_executor loop, const Place& place, Wants wants, Counts& counts)
    : loop_(loop),
      place_(place),
      wants_(std::move(wants)),
      counts_(counts),
      acceptor_(loop),
      rest_(loop) {}

void Port::close() {
  closed_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  rest_.cancel();
  for (const Shared& socket : open_) socket->close(ignored);
}

// The address may come later than the agent, and go with its interface.
asio::awaitable<void> Port::run() {
  const auto self = shared_from_this();
  while (!closed_) {
    const tcp::endpoint at = endpoint(place_.own, place_.port);
    error_code error;
    acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      wants_.trouble("cannot listen on " + place_.own.text() + " port " +
                     std::to_string(place_.port) + ": " + error.message());
    else
      co_await accept();
    acceptor_.close(error);
    if (closed_) co_return;
    rest_.expires_after(kListenRetry);
    co_await rest_.async_wait(into(error));
  }
}

asio::awaitable<void> Port::accept() {
  while (!closed_) {
    error_code error;
    Socket accepted = co_await acceptor_.async_accept(into(error));
    if (error) co_return;
    const tcp::endpoint from = accepted.remote_endpoint(error);
    if (error || from.address() != endpoint(place_.peer, 0).address() || open_.size() >= kMost) {
      counts_.closed++;
      continue;
    }
    auto socket = std::make_shared<Socket>(std::move(accepted));
    open_.insert(socket);
    asio::co_spawn(loop_, sort(socket), asio::detached);
  }
}

asio::awaitable<void> Port::sort(Shared socket) {
  const auto self = shared_from_this();
  const Timer silence = limit(loop_, socket);
  error_code error;
  char first = 0;
  co_await socket->async_wait(tcp::socket::wait_read, into(error));
  if (!error) socket->receive(asio::buffer(&first, 1), MSG_PEEK, error);
  if (!error && first == kHandshake) {
    silence->cancel();
    open_.erase(socket);
    if (!closed_) wants_.ours(std::move(*socket));
    co_return;
  }
  std::array<char, kPeersProtocol.size()> head{};
  if (!error) co_await asio::async_read(*socket, asio::buffer(head), into(error));
  const bool is_peer = !error && std::string_view(head.data(), head.size()) == kPeersProtocol;
  bool handed_on = false;
  if (is_peer && wants_.haproxy && !closed_) {
    silence->cancel();
    handed_on = co_await hand_on(socket);
  }
  if (!handed_on && !closed_) counts_.closed++;
  silence->cancel();
  socket->close(error);
  open_.erase(socket);
}

// HAProxy itself finds out when its peer is silent. false: HAProxy is not there.
asio::awaitable<bool> Port::hand_on(Shared socket) {
  auto there = std::make_shared<Socket>(loop_);
  const Timer silence = limit(loop_, there);
  error_code error;
  co_await there->async_connect(endpoint(wants_.haproxy->address, wants_.haproxy->port),
                                into(error));
  if (!error) co_await asio::async_write(*there, asio::buffer(kPeersProtocol), into(error));
  silence->cancel();
  if (error || closed_) co_return false;
  counts_.handed_on++;
  asio::co_spawn(loop_, pump(there, socket), asio::detached);
  co_await pump(socket, there);
  counts_.handed_on--;
  co_return true;
}

}  // namespace pair
