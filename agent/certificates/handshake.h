// Whether TLS takes a certificate: its key, its digest, its curve. Asked of OpenSSL as this machine
// has configured it, which HAProxy asks too. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/certificates/openssl.h"

namespace certificates {

// Why a server cannot have the certificate (the first of `chain`; the others are its issuers), or
// no client of today could talk to it. nullopt: a handshake succeeds.
std::optional<std::string> no_handshake(const std::vector<CertificatePtr>& chain, EVP_PKEY* key);

}  // namespace certificates
