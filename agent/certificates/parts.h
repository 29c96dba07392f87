// The parts of a bundle, as read from PEM or PKCS#12 and in its order.
#pragma once

#include <string_view>
#include <vector>

#include "agent/certificates/openssl.h"
#include "base/result.h"

namespace certificates {

struct Parts {
  std::vector<CertificatePtr> certificates;
  std::vector<CrlPtr> crls;
  std::vector<KeyPtr> keys;
};

// Text between the blocks is skipped. Errors say what is wrong, not with whose bundle.
base::Result<Parts> read_pem(std::string_view text);
// Without a passphrase, or with an empty one.
base::Result<Parts> read_pkcs12(std::string_view bytes);

}  // namespace certificates
