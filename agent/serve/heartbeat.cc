#include "agent/serve/heartbeat.h"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/socket_address.h"
#include "health/heartbeat.h"

namespace serve {

namespace asio = boost::asio;
using base::Status;
using Clock = std::chrono::steady_clock;

HeartbeatSockets HeartbeatSockets::open() {
  const int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  return {base::Fd(::socket(AF_INET, type, 0)), base::Fd(::socket(AF_INET6, type, 0))};
}

HeartbeatSender::HeartbeatSender(asio::any_io_executor loop, HeartbeatSockets sockets,
                                 Compose compose)
    : sockets_(std::move(sockets)), compose_(std::move(compose)), wake_(std::move(loop)) {}

void HeartbeatSender::configure(Settings settings) {
  settings_ = std::move(settings);
  wake_.cancel();
}

void HeartbeatSender::stop() {
  stopped_ = true;
  wake_.cancel();
}

asio::awaitable<void> HeartbeatSender::run() {
  std::optional<Clock::time_point> last;
  while (!stopped_) {
    const auto due = last ? *last + settings_.interval : Clock::now();
    if (Clock::now() < due) {
      boost::system::error_code woken;
      wake_.expires_at(due);
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    last = Clock::now();
    co_await beat();
  }
}

asio::awaitable<void> HeartbeatSender::beat() {
  if (settings_.controllers.empty()) co_return;
  const auto json = co_await compose_(seq_);
  if (!json || settings_.controllers.empty()) co_return;
  ++seq_;
  const base::Endpoint to = settings_.controllers[turn_++ % settings_.controllers.size()];
  const auto bytes = health::datagram(*json, settings_.key);
  note(bytes ? send(*bytes, to) : Status(bytes.error()), to);
}

Status HeartbeatSender::send(const std::string& bytes, const base::Endpoint& to) const {
  const base::SocketAddress address = base::socket_address(to);
  const bool four = to.address.family() == base::Family::ipv4;
  const int fd = four ? sockets_.ipv4.get() : sockets_.ipv6.get();
  if (::sendto(fd, bytes.data(), bytes.size(), 0, address.get(), address.size) < 0)
    return base::Error{errno, "send a heartbeat to " + to.text()};
  return base::Unit{};
}

// Once when it begins and once when it is over, not every interval.
void HeartbeatSender::note(const Status& sent, const base::Endpoint& to) {
  const std::string now = sent ? "" : sent.error().message();
  if (now == trouble_) return;
  if (!now.empty())
    spdlog::warn("heartbeat: {}", now);
  else
    spdlog::info("heartbeat: sent to {} again", to.text());
  trouble_ = now;
}

}  // namespace serve
