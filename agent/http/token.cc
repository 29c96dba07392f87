#include "agent/http/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "agent/http/response.h"
#include "base/secret.h"

namespace http {
namespace {

constexpr size_t kShortest = 16, kLongest = 512;

std::array<uint8_t, 32> sha256(std::string_view text) {
  std::array<uint8_t, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

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
  const auto secret = base::read_secret(path, kShortest, kLongest);
  if (!secret) return secret.error();
  return Token(secret->text());
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
