#include "agent/pair/key.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"

namespace pair {

using base::Error;

namespace {

constexpr size_t kShortest = 32, kLongest = 512;
// Who uses the same file for something else has another key there.
constexpr std::string_view kPurpose = "amphora-xdp pair 1";

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

Key derive_key(std::string_view text) {
  Key key{};
  unsigned length = key.size();
  HMAC(EVP_sha256(), text.data(), static_cast<int>(text.size()),
       reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(), key.data(),
       &length);
  return key;
}

base::Result<Key> read_key(const std::string& file) {
  const base::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat seen {};
  if (!fd.valid() || ::fstat(fd.get(), &seen) != 0) return Error{errno, "open " + file};
  if (!S_ISREG(seen.st_mode)) return Error{0, file + " is not a regular file"};
  if ((seen.st_mode & 077) != 0)
    return Error{0, file + " can be read by others than its owner: chmod it to 0600"};
  std::string text(kLongest + 2, '\0');
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size < 0) return Error{errno, "read " + file};
  text.resize(static_cast<size_t>(size));
  if (text.ends_with('\n')) text.pop_back();
  const bool good =
      text.size() >= kShortest && text.size() <= kLongest && std::ranges::all_of(text, is_visible);
  const Key key = derive_key(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!good)
    return Error{0, file + " must have one line of " + std::to_string(kShortest) + " to " +
                        std::to_string(kLongest) + " visible characters, the same on both nodes"};
  return key;
}

}  // namespace pair
