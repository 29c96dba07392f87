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

}  // namespace base
