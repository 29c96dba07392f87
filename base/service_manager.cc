#include "base/service_manager.h"

#include <sys/socket.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/socket_address.h"

namespace base {

void tell_service_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  auto to = unix_address(path);
  if (!to) return;
  if (path[0] == '@') {  // abstract: a NUL before the name, and none after it
    reinterpret_cast<sockaddr&>(to->storage).sa_data[0] = '\0';
    --to->size;
  }
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return;
  (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, to->get(), to->size);
}

}  // namespace base
