// A bundle: certificate, chain and private key; or CA certificates; or CRLs. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/certificates/certificates_spec.h"
#include "base/result.h"
#include "base/secret.h"

namespace certificates {

struct Bundle {
  About about;           // without a name
  base::SecretText pem;  // normalised
  std::string sum;       // SHA-256 of `pem`, lower case hex
};

// PEM in any order, or PKCS#12 without a passphrase. The private key is of one of the certificates;
// whether they are valid now is asked separately. Errors say what is wrong with "it".
base::Result<Bundle> read_bundle(std::string_view bytes);

// Whether every CRL is signed by one of the authorities; both are PEM.
bool are_revocations_of(std::string_view revocations, std::string_view authorities);

// Why it cannot be used at `now`: expired, or not valid yet. nullopt: it can.
std::optional<std::string> check_validity(const About& about, Time now);

}  // namespace certificates
