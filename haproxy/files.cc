#include "haproxy/files.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/file.h"

namespace haproxy {

base::Status write_file(const std::string& path, const std::string& text) {
  const std::filesystem::path file(path);
  return base::replace_file(file.parent_path().string(), file.filename().string(), text, 0600);
}

base::Status make_private_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return base::Error{error.value(), "make folder " + path};
  struct stat made {};
  // Not where nothing is to be done: it may be on a disk that can only be read.
  if (::stat(path.c_str(), &made) == 0 && (made.st_mode & 07777) == 0700) return base::Unit{};
  if (::chmod(path.c_str(), 0700) != 0) return base::Error{errno, "chmod 0700 " + path};
  return base::Unit{};
}

base::Status make_private_folders(std::initializer_list<std::string> paths) {
  for (const std::string& path : paths)
    if (auto made = make_private_folder(path); !made) return made.error();
  return base::Unit{};
}

std::optional<std::string> read_file(const std::string& path, size_t from) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  in.seekg(static_cast<std::streamoff>(from));
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

}  // namespace haproxy
