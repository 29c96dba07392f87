#include "agent/http/tls.h"

#include <openssl/ssl.h>

namespace http {

namespace ssl = boost::asio::ssl;
using base::Error;
using boost::system::error_code;

base::Result<TlsContext> server_tls(const std::string& certificate, const std::string& key) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Without a passphrase an encrypted key is an error; nobody is asked at a terminal.
  error_code error;
  context->set_password_callback(
      [](size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context->use_certificate_chain_file(certificate, error);
  if (error) return Error{0, "certificate " + certificate + ": " + error.message()};
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error) return Error{0, "key " + key + ": " + error.message()};
  if (SSL_CTX_check_private_key(native) != 1)
    return Error{0, "key " + key + " does not match the certificate " + certificate};
  return context;
}

}  // namespace http
