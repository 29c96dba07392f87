// Certificates, keys and CRLs made on the spot.
#pragma once

#include <chrono>
#include <string>

#include "agent/certificates/certificates_spec.h"
#include "agent/certificates/openssl.h"

namespace certificates::testing {

Time noon();  // the clock of a test: 2026-11-22, 12:00 UTC
constexpr std::chrono::hours kDay{24};

struct Pair {
  CertificatePtr certificate;
  KeyPtr key;

  std::string certificate_pem() const;
  std::string key_pem() const;
};

struct Wish {
  std::string name = {};       // common name
  std::string alternate = {};  // "DNS:www.example.com,IP:192.0.2.1"; empty: none
  bool authority = false;
  Time from = noon() - kDay, to = noon() + 30 * kDay;
  std::string curve = "P-256";
  int rsa_bits = 0;  // not 0: an RSA key instead
  const char* digest = "SHA256";
};

// Signed by `issuer`, or by itself.
Pair make(const Wish& wish, const Pair* issuer = nullptr);

std::string encrypted_key_pem(const Pair& pair, const std::string& passphrase);
std::string pkcs12(const Pair& pair, const std::string& chain_name, const Pair* chain,
                   const char* passphrase);
std::string crl_pem(const Pair& issuer, Time from, Time to);

}  // namespace certificates::testing
