#include "agent/http/token.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/http/response.h"
#include "base/fd.h"

namespace http {
namespace {

using base::Error;

constexpr size_t kShortest = 16, kLongest = 512;

std::array<uint8_t, 32> sha256(std::string_view text) {
  std::array<uint8_t, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

// As Keystone's middleware words it, and with Octavia's keys beside.
Response unauthorized(const std::string& why) {
  Response response =
      json_response(401, {{"error", {{"code", 401}, {"title", "Unauthorized"}, {"message", why}}},
                          {"faultcode", "Client"},
                          {"faultstring", why},
                          {"debuginfo", nullptr}});
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"amphora-xdp\"");
  return response;
}

}  // namespace

Token::Token(std::string_view text) : digest_(sha256(text)) {}

base::Result<Token> Token::read(const std::string& path) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat seen {};
  if (!fd.valid() || ::fstat(fd.get(), &seen) != 0) return Error{errno, "open " + path};
  if (!S_ISREG(seen.st_mode)) return Error{0, path + " is not a regular file"};
  if ((seen.st_mode & 077) != 0)
    return Error{0, path + " can be read by others than its owner: chmod it to 0600"};
  std::string text(kLongest + 2, '\0');
  const ssize_t size = ::read(fd.get(), text.data(), text.size());
  if (size < 0) return Error{errno, "read " + path};
  text.resize(static_cast<size_t>(size));
  if (text.ends_with('\n')) text.pop_back();
  const bool good =
      text.size() >= kShortest && text.size() <= kLongest && std::ranges::all_of(text, is_visible);
  const Token token(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!good)
    return Error{0, path + " must have one line of " + std::to_string(kShortest) + " to " +
                        std::to_string(kLongest) + " visible characters"};
  return token;
}

bool Token::is(std::string_view given) const {
  const auto digest = sha256(given);
  return CRYPTO_memcmp(digest.data(), digest_.data(), digest.size()) == 0;
}

Guard token_guard(Token token) {
  return [token](const Request& request) -> std::optional<Response> {
    if (request.token.empty())
      return unauthorized("The request you have made requires authentication.");
    if (!token.is(request.token)) return unauthorized("The token of the request is not valid.");
    return std::nullopt;
  };
}

}  // namespace http
