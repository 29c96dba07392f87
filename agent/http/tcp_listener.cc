#include "agent/http/tcp_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/socket_address.h"

namespace http {
namespace {

using base::Error;

constexpr int kTcpBacklog = 128;

}  // namespace

base::Result<base::Fd> listen_tcp(const base::Endpoint& endpoint, Stack stack) {
  const base::SocketAddress address = base::socket_address(endpoint);
  base::Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!fd.valid() || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
    return Error{errno, "socket for " + endpoint.text()};
  const int only_six = stack == Stack::own ? 1 : 0;
  if (address.storage.ss_family == AF_INET6)
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_six, sizeof(only_six));
  if (::bind(fd.get(), address.get(), address.size) != 0)
    return Error{errno, "bind " + endpoint.text()};
  // Accepted sockets have it from here: an answer does not wait for what may come after it.
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::listen(fd.get(), kTcpBacklog) != 0) return Error{errno, "listen on " + endpoint.text()};
  return fd;
}

}  // namespace http
