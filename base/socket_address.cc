#include "base/socket_address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/fd.h"

namespace base {

SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.address.family() == Family::ipv4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.bytes(), endpoint.address.size());
    std::memcpy(&out.storage, &address, out.size = sizeof(address));
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    std::memcpy(&address.sin6_addr, endpoint.address.bytes(), endpoint.address.size());
    std::memcpy(&out.storage, &address, out.size = sizeof(address));
  }
  return out;
}

std::optional<SocketAddress> unix_address(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return std::nullopt;
  path.copy(address.sun_path, path.size());
  SocketAddress out;
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  std::memcpy(&out.storage, &address, out.size);
  return out;
}

Status find_listener(std::string_view path) {
  const std::string what = "connect " + std::string(path);
  const auto address = unix_address(path);
  if (!address) return Error{ENAMETOOLONG, what};
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error{errno, "socket for " + std::string(path)};
  // EAGAIN is a full backlog: of somebody who listens, and is busy.
  if (::connect(socket.get(), address->get(), address->size) != 0 && errno != EAGAIN)
    return Error{errno, what};
  return Unit{};
}

std::optional<IpAddress> ip_address(const sockaddr& address) {
  const auto of = [](Family family, const void* bytes) {
    return IpAddress::from_bytes(family, static_cast<const uint8_t*>(bytes));
  };
  if (address.sa_family == AF_INET)
    return of(Family::ipv4, &reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family == AF_INET6)
    return of(Family::ipv6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return std::nullopt;
}

}  // namespace base
