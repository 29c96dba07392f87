#include "haproxy/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/fd.h"

namespace haproxy {

using base::Error;

base::Result<base::Unit> write_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".tmp";
  ::unlink(beside.c_str());  // whatever its mode was
  base::Fd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return Error{errno, "create " + beside};
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = ::write(fd.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{errno, "write " + beside};
    left.remove_prefix(static_cast<size_t>(written));
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return Error{errno, "rename to " + path};
  return base::Unit{};
}

std::optional<std::string> read_file(const std::string& path, size_t from) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  in.seekg(static_cast<std::streamoff>(from));
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

}  // namespace haproxy
