#include "agent/http/peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace http {
namespace {

base::Result<std::vector<gid_t>> groups_of(int socket) {
  std::vector<gid_t> groups(16);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE) return base::Error{errno, "SO_PEERGROUPS of the control socket"};
    groups.resize(size / sizeof(gid_t) + 1);
  }
}

}  // namespace

base::Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return base::Error{errno, "SO_PEERCRED of the control socket"};
  auto groups = groups_of(socket);
  if (!groups.ok()) return groups.error();
  Peer peer{credentials.pid, credentials.uid, std::move(*groups)};
  peer.groups.push_back(credentials.gid);
  return peer;
}

bool may_control(const Peer& peer, uid_t own_uid, std::optional<gid_t> group) {
  if (peer.uid == 0 || peer.uid == own_uid) return true;
  return group && std::ranges::find(peer.groups, *group) != peer.groups.end();
}

}  // namespace http
