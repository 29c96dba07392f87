#include "haproxy/files.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/file.h"

namespace haproxy {

base::Status write_file(const std::string& path, const std::string& text) {
  const std::filesystem::path file(path);
  return base::replace_file(file.parent_path().string(), file.filename().string(), text, 0600);
}

std::optional<std::string> read_file(const std::string& path, size_t from) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  in.seekg(static_cast<std::streamoff>(from));
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

}  // namespace haproxy
