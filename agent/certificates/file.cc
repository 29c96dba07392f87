#include "agent/certificates/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace certificates {

using base::Error;
using base::Fd;
using base::Result;

Result<std::string> read_small_file(const std::string& path, size_t most) {
  // Somebody may have put a pipe there: it must not hold us.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat seen {};
  if (!fd.valid() || ::fstat(fd.get(), &seen) != 0) return Error{errno, "open " + path};
  if (!S_ISREG(seen.st_mode)) return Error{0, path + " is not a regular file"};
  if (static_cast<size_t>(seen.st_size) > most) return Error{EFBIG, "read " + path};
  std::string text(most + 1, '\0');
  size_t have = 0;
  while (have < text.size()) {
    const ssize_t size = ::read(fd.get(), text.data() + have, text.size() - have);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error{errno, "read " + path};
    if (size == 0) break;
    have += static_cast<size_t>(size);
  }
  if (have > most) return Error{EFBIG, "read " + path};
  text.resize(have);
  return text;
}

}  // namespace certificates
