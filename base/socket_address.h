// An Endpoint, or the path of a socket, as the kernel's calls on sockets take it.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string_view>

#include "base/ip.h"
#include "base/result.h"

namespace base {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;  // bytes of it that count

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint);

// nullopt: no socket can have this path, which is empty or too long.
std::optional<SocketAddress> unix_address(std::string_view path);

// Whether somebody takes connections at `path`, be it that more are waiting than fit. Error::code
// is ENOENT or ECONNREFUSED where nobody does. Does not block.
Status find_listener(std::string_view path);

// The address in what the kernel has given, which is as long as its family says; nullopt: it is
// neither IPv4 nor IPv6.
std::optional<IpAddress> ip_address(const sockaddr& address);

}  // namespace base
