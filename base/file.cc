#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/fd.h"

namespace base {

Result<std::string> read_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Error{errno, "open " + path};
  std::string bytes;
  std::array<char, 16384> part{};
  for (;;) {
    const ssize_t n = ::read(fd.get(), part.data(), part.size());
    if (n == 0) return bytes;
    if (n > 0) bytes.append(part.data(), static_cast<size_t>(n));
    if (n < 0 && errno != EINTR) return Error{errno, "read " + path};
  }
}

Result<Unit> write_file(const std::string& path, std::string_view bytes, mode_t mode) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd.valid() || ::fchmod(fd.get(), mode) != 0) return Error{errno, "create " + path};
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{errno, "write " + path};
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  if (::fsync(fd.get()) != 0) return Error{errno, "flush " + path};
  return Unit{};
}

Result<Unit> flush_directory(const std::string& directory) {
  Fd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) return Error{errno, "flush " + directory};
  return Unit{};
}

Result<Unit> replace_file(const std::string& directory, const std::string& name,
                          std::string_view bytes, mode_t mode) {
  const std::string path = directory + "/" + name, beside = directory + "/." + name + ".next";
  ::unlink(beside.c_str());  // of one that was interrupted, whatever its mode
  auto written = write_file(beside, bytes, mode);
  if (written && std::rename(beside.c_str(), path.c_str()) != 0)
    written = Error{errno, "rename " + beside};
  if (!written) {
    ::unlink(beside.c_str());
    return written;
  }
  return flush_directory(directory);
}

}  // namespace base
