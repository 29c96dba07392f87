// A client of TLS that shows a certificate of its own, and authorities made on the spot.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "tests/unit/certificates/maker.h"
#include "tests/unit/http/wire.h"

namespace http::testing {

// Two authorities, and what they have signed.
struct Authorities {
  Authorities();
  // Certificate and key for `name`, as one PEM text.
  static std::string pem_of(const certificates::testing::Pair& pair);
  certificates::testing::Pair signed_for(const std::string& name,
                                         const certificates::testing::Pair& by) const;

  certificates::testing::Pair ca, stranger;  // `stranger` is nobody's authority
  TemporaryFolder folder;
  std::string ca_file = folder.path("client_ca.pem");
};

class TlsClient {
 public:
  // `shown` may be null: no certificate.
  explicit TlsClient(base::Fd connected, const certificates::testing::Pair* shown,
                     int version = TLS1_2_VERSION);
  // Whether the server let us in: in TLS 1.3 it says so only after the handshake.
  bool handshake();
  std::string peer_name() const;  // common name of the server's certificate
  // Head and body in records of their own. `status` 0: the connection ended.
  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = "");

 private:
  bool fill();

  base::Fd fd_;
  std::unique_ptr<SSL_CTX, certificates::Release<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, certificates::Release<SSL_free>> ssl_;
  std::string buffer_;
};

}  // namespace http::testing
