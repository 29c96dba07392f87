#include "base/socket_address.h"

#include <netinet/in.h>

#include <cstring>

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
