#include "agent/http/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/socket_address.h"

namespace http {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Unit;

constexpr int kBacklog = 128;

// Whether the path may be taken: nothing there, or a socket that refuses.
Result<Unit> check_stale(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return Unit{};
    return Error{errno, "control socket " + path};
  }
  if (!S_ISSOCK(there.st_mode)) return Error{EEXIST, "control socket " + path + ": not a socket"};
  if (base::find_listener(path))
    return Error{EADDRINUSE, "control socket " + path + ": another agent listens there"};
  return Unit{};
}

Result<Unit> prepare(const Fd& fd, const std::string& path, std::optional<gid_t> group) {
  const auto address = base::unix_address(path);
  if (!address) return Error{ENAMETOOLONG, "control socket " + path};
  ::unlink(path.c_str());
  if (::bind(fd.get(), address->get(), address->size) != 0)
    return Error{errno, "bind control socket " + path};
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
    return Error{errno, "chown control socket " + path};
  if (::chmod(path.c_str(), 0660) != 0) return Error{errno, "chmod control socket " + path};
  if (::listen(fd.get(), kBacklog) != 0) return Error{errno, "listen on control socket " + path};
  return Unit{};
}

}  // namespace

Result<UnixListener> listen_unix(const std::string& path, std::optional<gid_t> group) {
  if (const auto stale = check_stale(path); !stale.ok()) return stale.error();
  UnixListener listener{Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), path,
                        0, 0};
  if (!listener.fd.valid()) return Error{errno, "socket for " + path};
  // Under another name until it is ready: nobody meets it with the wrong mode, or not listening.
  const std::string unready = path + ".new";
  if (const auto ready = prepare(listener.fd, unready, group); !ready.ok()) {
    ::unlink(unready.c_str());
    return ready.error();
  }
  struct stat made {};
  if (::lstat(unready.c_str(), &made) != 0 || std::rename(unready.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(unready.c_str());
    return Error{error, "rename control socket to " + path};
  }
  listener.device = made.st_dev;
  listener.inode = made.st_ino;
  return listener;
}

void remove_path(const UnixListener& listener) {
  struct stat there {};
  if (::lstat(listener.path.c_str(), &there) != 0) return;
  if (there.st_dev == listener.device && there.st_ino == listener.inode)
    ::unlink(listener.path.c_str());
}

}  // namespace http
