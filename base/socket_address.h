// An Endpoint as the kernel's calls on sockets take it.
#pragma once

#include <sys/socket.h>

#include "base/ip.h"

namespace base {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;  // bytes of it that count

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint);

}  // namespace base
