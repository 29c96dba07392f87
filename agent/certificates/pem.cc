#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <climits>
#include <string>

#include "agent/certificates/parts.h"

namespace certificates {
namespace {

using base::Error;
using base::Result;
using base::Unit;

// One block as PEM_read_bio gives it; its bytes may be a private key.
struct Block {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(bytes, static_cast<size_t>(size));
  }
};

bool is_key(std::string_view name) {
  return name == "PRIVATE KEY" || name == "RSA PRIVATE KEY" || name == "EC PRIVATE KEY" ||
         name == "DSA PRIVATE KEY";
}

Result<Unit> take(const Block& block, Parts& parts) {
  const std::string name = block.name;
  const unsigned char* at = block.bytes;
  if (name == "ENCRYPTED PRIVATE KEY" ||
      std::string_view(block.header).find("ENCRYPTED") != std::string_view::npos)
    return Error{0, "its private key is encrypted; a key without a passphrase is needed"};
  if (name == "EC PARAMETERS" || name == "DH PARAMETERS") return Unit{};
  if (name == "CERTIFICATE" || name == "X509 CERTIFICATE" || name == "TRUSTED CERTIFICATE") {
    auto* read = name[0] == 'T' ? d2i_X509_AUX(nullptr, &at, block.size)
                                : d2i_X509(nullptr, &at, block.size);
    parts.certificates.emplace_back(read);
  } else if (name == "X509 CRL") {
    parts.crls.emplace_back(d2i_X509_CRL(nullptr, &at, block.size));
  } else if (is_key(name)) {
    parts.keys.emplace_back(d2i_AutoPrivateKey(nullptr, &at, block.size));
  } else {
    return Error{
        0, "it has a block " + name + "; only certificates, private keys and CRLs are accepted"};
  }
  const bool good = name == "X509 CRL" ? parts.crls.back() != nullptr
                    : is_key(name)     ? parts.keys.back() != nullptr
                                       : parts.certificates.back() != nullptr;
  if (!good) return Error{0, "its block " + name + " does not parse: " + openssl_reason()};
  return Unit{};
}

}  // namespace

std::string openssl_reason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason == nullptr ? "no reason is given" : reason;
}

Result<Parts> read_pem(std::string_view text) {
  if (text.size() > INT_MAX) return Error{0, "it is too large"};
  const BioPtr in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!in) return Error{0, "no memory"};
  Parts parts;
  for (;;) {
    Block block;
    ERR_clear_error();
    if (PEM_read_bio(in.get(), &block.name, &block.header, &block.bytes, &block.size) != 1) {
      const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      const std::string reason = openssl_reason();
      if (at_end) return parts;
      return Error{0, "its PEM is damaged: " + reason};
    }
    if (auto taken = take(block, parts); !taken) return taken.error();
  }
}

}  // namespace certificates
