// A listening UNIX socket at a path.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace http {

struct UnixListener {
  base::Fd fd;
  std::string path;
  dev_t device = 0;  // of the path, so that nobody else's is ever taken away
  ino_t inode = 0;
};

// Mode 0660, owned by `group` if there is one. A socket that nobody listens on any more is
// replaced, in one step; anything else at the path is an error and stays.
base::Result<UnixListener> listen_unix(const std::string& path, std::optional<gid_t> group);

// Takes the path away, if it is still this listener's.
void remove_path(const UnixListener& listener);

}  // namespace http
