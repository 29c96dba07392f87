#include "agent/pair/key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/secret.h"

namespace pair {

namespace {

constexpr size_t kShortest = 32, kLongest = 512;
// Who uses the same file for something else has another key there.
constexpr std::string_view kPurpose = "amphora-xdp pair 1";

}  // namespace

Key derive_key(std::string_view text) {
  Key key{};
  unsigned length = key.size();
  HMAC(EVP_sha256(), text.data(), static_cast<int>(text.size()),
       reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(), key.data(),
       &length);
  return key;
}

base::Result<Key> derive_key(const Shared& shared) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
  // OpenSSL only reads them.
  const auto bytes = [](const char* name, std::string_view text) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(text.data()), text.size());
  };
  std::string digest = "SHA256";
  const std::string info = std::string(kPurpose) + shared.password;
  const std::array<OSSL_PARAM, 5> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      bytes(OSSL_KDF_PARAM_KEY, shared.heartbeat_key),
      bytes(OSSL_KDF_PARAM_SALT, shared.load_balancer), bytes(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end()};
  Key key{};
  if (!context || EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) != 1)
    return base::Error{0, "OpenSSL cannot derive the key of the pair"};
  return key;
}

uint64_t name_of_maps(uint64_t seed) {
  std::string text = "amphora-xdp maps 1";
  text.append(reinterpret_cast<const char*>(&seed), sizeof(seed));
  const Key hash = derive_key(text);
  uint64_t name = 0;
  std::memcpy(&name, hash.data(), sizeof(name));
  return name;
}

base::Result<Key> read_key(const std::string& file) {
  const auto secret = base::read_secret(file, kShortest, kLongest);
  if (!secret) return secret.error();
  return derive_key(secret->text());
}

}  // namespace pair
