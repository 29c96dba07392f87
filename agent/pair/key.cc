#include "agent/pair/key.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>

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
