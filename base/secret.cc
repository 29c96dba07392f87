#include "base/secret.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/fd.h"

namespace base {
namespace {

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  text_ = std::move(other.text_);
  other.wipe();
  return *this;
}

void SecretText::wipe() {
  text_.resize(text_.capacity());  // what a move of a short text leaves is in there, too
  OPENSSL_cleanse(text_.data(), text_.size());
  text_.clear();
}

Result<SecretText> read_secret(const std::string& path, size_t shortest, size_t longest) {
  // Somebody may have put a pipe there: it must not hold us.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat seen {};
  if (!fd.valid() || ::fstat(fd.get(), &seen) != 0) return Error{errno, "open " + path};
  if (!S_ISREG(seen.st_mode)) return Error{0, path + " is not a regular file"};
  if ((seen.st_mode & 077) != 0)
    return Error{0, path + " can be read by others than its owner: chmod it to 0600"};
  std::string text(longest + 2, '\0');  // the newline, and one that is too many
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size < 0) return Error{errno, "read " + path};
  text.resize(static_cast<size_t>(size));
  if (text.ends_with('\n')) text.pop_back();
  SecretText secret(std::move(text));
  const std::string_view line = secret.text();
  if (line.size() < shortest || line.size() > longest || !std::ranges::all_of(line, is_visible))
    return Error{0, path + " must have one line of " + std::to_string(shortest) + " to " +
                        std::to_string(longest) + " visible characters"};
  return secret;
}

}  // namespace base
