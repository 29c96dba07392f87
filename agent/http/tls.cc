#include "agent/http/tls.h"

#include <openssl/ssl.h>

namespace http {

namespace ssl = boost::asio::ssl;
using base::Error;
using boost::system::error_code;

namespace {

// TLS 1.2 and newer, and nobody is asked for a passphrase at a terminal: an encrypted key is an
// error.
TlsContext new_context() {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  error_code ignored;
  context->set_password_callback(
      [](size_t, ssl::context::password_purpose) { return std::string(); }, ignored);
  return context;
}

}  // namespace

base::Result<TlsContext> mutual_tls(const std::string& pem, const std::string& client_ca) {
  auto context = new_context();
  SSL_CTX* native = context->native_handle();
  error_code error;
  context->use_certificate_chain(boost::asio::buffer(pem), error);
  if (error) return Error{0, "certificate: " + error.message()};
  context->use_private_key(boost::asio::buffer(pem), ssl::context::pem, error);
  if (error) return Error{0, "key: " + error.message()};
  if (SSL_CTX_check_private_key(native) != 1)
    return Error{0, "the key does not match the certificate"};
  context->load_verify_file(client_ca, error);
  if (error) return Error{0, "authorities of clients " + client_ca + ": " + error.message()};
  SSL_CTX_set_client_CA_list(native, SSL_load_client_CA_file(client_ca.c_str()));
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A resumed session would go on under the certificate that it began with.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  return context;
}

base::Result<TlsContext> server_tls(const std::string& certificate, const std::string& key) {
  auto context = new_context();
  SSL_CTX* native = context->native_handle();
  error_code error;
  context->use_certificate_chain_file(certificate, error);
  if (error) return Error{0, "certificate " + certificate + ": " + error.message()};
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error) return Error{0, "key " + key + ": " + error.message()};
  if (SSL_CTX_check_private_key(native) != 1)
    return Error{0, "key " + key + " does not match the certificate " + certificate};
  return context;
}

}  // namespace http
