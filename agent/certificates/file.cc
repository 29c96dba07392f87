#include "agent/certificates/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/fd.h"

namespace certificates {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Unit;

Result<Unit> write_all(const std::string& path, std::string_view bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return Error{errno, "create " + path};
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error{errno, "write " + path};
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  if (::fsync(fd.get()) != 0) return Error{errno, "flush " + path};
  return Unit{};
}

}  // namespace

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

Result<Unit> replace_file(const std::string& folder, const std::string& name,
                          std::string_view bytes) {
  const std::string path = folder + "/" + name, beside = folder + "/." + name + ".new";
  ::unlink(beside.c_str());  // of one that was interrupted
  auto written = write_all(beside, bytes);
  if (written && std::rename(beside.c_str(), path.c_str()) != 0)
    written = Error{errno, "rename " + beside};
  if (!written) {
    ::unlink(beside.c_str());
    return written;
  }
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid() || ::fsync(opened.get()) != 0) return Error{errno, "flush " + folder};
  return Unit{};
}

}  // namespace certificates
