#include "health/attempt.h"

#include <linux/in6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/socket_address.h"

namespace health {
namespace {

using boost::asio::awaitable;
using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::system::error_code;

// ICMPv6 "administratively prohibited" arrives as EACCES, which from a call itself would be a
// privilege of ours that is missing.
int from_network(int error) { return error == EACCES ? EHOSTUNREACH : error; }

// nullptr: the error is not one of our own.
const char* own_reason(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
      return "not probed: no descriptors left";
    case ENOMEM:
    case ENOBUFS:
      return "not probed: no memory left";
    case EACCES:
    case EPERM:
      return "not probed: no privilege for this";
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EAGAIN:
      return "not probed: no local port left";
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
      return "not probed: the kernel has no such sockets";
    case ENETDOWN:
    case ENOSPC:
    case EINVAL:
    case EBADF:
      return "not probed: local error";
    case ECANCELED:
      return "not probed: cancelled";
    default:
      return nullptr;
  }
}

std::string reason_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
      return "connection reset";
    case EPIPE:
      return "connection closed";
    case EHOSTUNREACH:
      return "host unreachable";
    case ENETUNREACH:
      return "network unreachable";
    case ENOPROTOOPT:
    case EPROTO:
      return "protocol unreachable";
    default:
      return std::strerror(error);
  }
}

// Or, where not even the link has one, of this machine alone: ::1.
bool has_address_of_link(int fd) {
  sockaddr_in6 own{};
  socklen_t size = sizeof(own);
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
         own.sin6_family == AF_INET6 &&
         (IN6_IS_ADDR_LINKLOCAL(&own.sin6_addr) || IN6_IS_ADDR_LOOPBACK(&own.sin6_addr));
}

// Shared with others that connect elsewhere. 0 or errno.
int bind_port(int fd, base::Family family, uint16_t port) {
  const int on = 1;
  const base::IpAddress any =
      *base::IpAddress::parse(family == base::Family::ipv4 ? "0.0.0.0" : "::");
  const base::SocketAddress address = base::socket_address({any, port});
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      ::bind(fd, address.get(), address.size) != 0)
    return errno;
  return 0;
}

}  // namespace

Probed success(std::string reason) { return {Probed::Kind::success, std::move(reason)}; }
Probed failure(std::string reason) { return {Probed::Kind::failure, std::move(reason)}; }

std::string to_text(std::chrono::milliseconds time) {
  const auto count = time.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

Attempt::Attempt(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit,
                 uint16_t source_port)
    : limit_(limit), source_port_(source_port), socket_(executor), deadline_(executor) {}

std::shared_ptr<Attempt> Attempt::start(const boost::asio::any_io_executor& executor,
                                        std::chrono::milliseconds limit, uint16_t source_port) {
  std::shared_ptr<Attempt> attempt(new Attempt(executor, limit, source_port));
  attempt->deadline_.expires_after(limit);
  // Weak: the handler may be queued already when the attempt goes.
  attempt->deadline_.async_wait([weak = attempt->weak_from_this()](error_code error) {
    if (error) return;
    if (const auto self = weak.lock()) self->end(ETIME);
  });
  return attempt;
}

void Attempt::cancel() {
  end(ECANCELED);
  deadline_.cancel();
}

void Attempt::end(int why) {
  if (ended_ != 0) return;
  ended_ = why;
  error_code ignored;
  if (socket_.is_open()) socket_.cancel(ignored);
}

int Attempt::open(base::Family family, int type, int protocol) {
  const int domain = family == base::Family::ipv4 ? AF_INET : AF_INET6;
  base::Fd fd(::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!fd.valid()) return errno;
  const int on = 1;
  const linger reset{1, 0};
  int error = 0;
  if (type == SOCK_STREAM)
    error = ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  else if (family == base::Family::ipv4)
    error = ::setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
  else
    error = ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
  if (error != 0) return errno;
  if (source_port_ != 0 && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP))
    if (const int refused = bind_port(fd.get(), family, source_port_)) return refused;
  error_code failed;
  socket_.assign(fd.get(), failed);
  if (failed) return failed.value();
  fd.release();
  return 0;
}

awaitable<int> Attempt::ready(Direction direction) {
  if (ended_ != 0) co_return ended_;
  error_code error;
  co_await socket_.async_wait(direction == Direction::in
                                  ? boost::asio::posix::stream_descriptor::wait_read
                                  : boost::asio::posix::stream_descriptor::wait_write,
                              redirect_error(use_awaitable, error));
  co_return ended_ != 0 ? ended_ : error.value();
}

awaitable<Io> Attempt::connect(base::Endpoint endpoint) {
  const base::SocketAddress address = base::socket_address(endpoint);
  is_beyond_link_ = endpoint.address.family() == base::Family::ipv6 &&
                    !endpoint.address.is_link_local() && !endpoint.address.is_loopback();
  const int refused = ::connect(fd(), address.get(), address.size) == 0 ? 0 : errno;
  is_from_link_ = has_address_of_link(fd());
  if (refused != EINPROGRESS) co_return Io{refused, 0};
  const int waited = co_await ready(Direction::out);
  if (waited != 0) co_return Io{waited, 0};
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  co_return Io{from_network(error), 0};
}

awaitable<Io> Attempt::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno != EAGAIN) {
      co_return Io{errno, 0};
    } else {
      const int waited = co_await ready(Direction::out);
      if (waited != 0) co_return Io{waited, 0};
    }
  }
  co_return Io{};
}

awaitable<Io> Attempt::read(char* to, size_t room) {
  for (;;) {
    const ssize_t got = ::recv(fd(), to, room, 0);
    if (got >= 0) co_return Io{0, static_cast<size_t>(got)};
    if (errno != EAGAIN) co_return Io{from_network(errno), 0};
    const int waited = co_await ready(Direction::in);
    if (waited != 0) co_return Io{waited, 0};
  }
}

Probed Attempt::failed(int error, std::string_view before) const {
  // While the addresses of our own are tentative (RFC 4862), the kernel has none to connect from
  // but one of the link, to which nobody beyond it answers.
  if (is_beyond_link_ && (is_from_link_ || error == EADDRNOTAVAIL))
    return {Probed::Kind::own_error, "not probed: no IPv6 address of ours can be used (yet)"};
  if (const char* reason = own_reason(error)) return {Probed::Kind::own_error, reason};
  if (error == ETIME || error == ETIMEDOUT)
    return failure(std::string(before) + "no answer within " + to_text(limit_));
  return failure(reason_of(error));
}

}  // namespace health
