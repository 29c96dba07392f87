// Who is at the other end of a UNIX socket, and who may be.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/result.h"

namespace http {

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  std::vector<gid_t> groups;  // its group and its supplementary ones
};

// SO_PEERCRED, SO_PEERGROUPS: as they were when the peer connected.
base::Result<Peer> peer_of(int socket);

// root, `own_uid`, and whoever is in `group`, if there is one.
bool may_control(const Peer& peer, uid_t own_uid, std::optional<gid_t> group);

}  // namespace http
