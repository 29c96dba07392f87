// An Endpoint as the kernel's calls on sockets take it.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "base/ip.h"

namespace base {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;  // bytes of it that count

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint);

// The address in what the kernel has given, which is as long as its family says; nullopt: it is
// neither IPv4 nor IPv6.
std::optional<IpAddress> ip_address(const sockaddr& address);

}  // namespace base
