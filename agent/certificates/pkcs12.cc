#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include <climits>

#include "agent/certificates/parts.h"

namespace certificates {
namespace {

using base::Error;
using base::Result;

using Pkcs12Ptr = std::unique_ptr<PKCS12, Release<PKCS12_free>>;

// A bundle that is dear to open is none that a load balancer needs: 2,000,000 rounds take about a
// second.
constexpr long kMostRounds = 2'000'000;

// "" and no passphrase at all are two different things to PKCS#12.
const char* passphrase(PKCS12* p12, bool& found) {
  found = true;
  if (PKCS12_mac_present(p12) == 0) return nullptr;
  if (PKCS12_verify_mac(p12, "", 0) == 1) return "";
  if (PKCS12_verify_mac(p12, nullptr, 0) == 1) return nullptr;
  found = false;
  return nullptr;
}

long rounds_of(PKCS12* p12) {
  const ASN1_INTEGER* rounds = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &rounds, p12);
  return rounds == nullptr ? 1 : ASN1_INTEGER_get(rounds);
}

}  // namespace

Result<Parts> read_pkcs12(std::string_view bytes) {
  if (bytes.size() > LONG_MAX) return Error{0, "it is too large"};
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  ERR_clear_error();
  const Pkcs12Ptr p12(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
  if (!p12) {
    ERR_clear_error();
    return Error{0, "it is neither PEM nor PKCS#12"};
  }
  if (const long rounds = rounds_of(p12.get()); rounds < 1 || rounds > kMostRounds)
    return Error{0, "its PKCS#12 has " + std::to_string(rounds) + " rounds of key derivation"};
  bool found = false;
  const char* pass = passphrase(p12.get(), found);
  if (!found) {
    ERR_clear_error();
    return Error{0, "its PKCS#12 needs a passphrase; one without is needed"};
  }
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(p12.get(), pass, &key, &leaf, &others) != 1)
    return Error{0, "its PKCS#12 does not open: " + openssl_reason()};
  Parts parts;
  if (key != nullptr) parts.keys.emplace_back(key);
  if (leaf != nullptr) parts.certificates.emplace_back(leaf);
  while (others != nullptr && sk_X509_num(others) > 0)
    parts.certificates.emplace_back(sk_X509_shift(others));
  sk_X509_free(others);
  return parts;
}

}  // namespace certificates
