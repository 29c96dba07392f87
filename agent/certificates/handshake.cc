#include "agent/certificates/handshake.h"

#include <openssl/ssl.h>

namespace certificates {

namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Release<SSL_free>>;

// More than any handshake has flights.
constexpr int kMostTurns = 16;

// nullopt: it has it.
std::optional<std::string> give(SSL_CTX* server, const std::vector<CertificatePtr>& chain,
                                EVP_PKEY* key) {
  if (SSL_CTX_use_certificate(server, chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(server, key) != 1)
    return openssl_reason();
  for (size_t i = 1; i < chain.size(); i++)
    if (SSL_CTX_add1_chain_cert(server, chain[i].get()) != 1)
      return "of one of its issuers, " + openssl_reason();
  return std::nullopt;
}

bool is_waiting(SSL* side, int result) {
  const int error = SSL_get_error(side, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

// What one side writes, the other reads.
bool connect(SSL* server, SSL* client) {
  BIO *a = nullptr, *b = nullptr;
  if (BIO_new_bio_pair(&a, 0, &b, 0) != 1) return false;
  SSL_set_bio(server, a, a);
  SSL_set_bio(client, b, b);
  SSL_set_accept_state(server);
  SSL_set_connect_state(client);
  for (int turn = 0; turn < kMostTurns; turn++) {
    const int asked = SSL_do_handshake(client);
    if (asked != 1 && !is_waiting(client, asked)) return false;
    const int answered = SSL_do_handshake(server);
    if (answered != 1 && !is_waiting(server, answered)) return false;
    if (asked == 1 && answered == 1) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> no_handshake(const std::vector<CertificatePtr>& chain, EVP_PKEY* key) {
  const ContextPtr server_side(SSL_CTX_new(TLS_server_method()));
  const ContextPtr client_side(SSL_CTX_new(TLS_client_method()));
  if (!server_side || !client_side) return openssl_reason();
  if (auto why = give(server_side.get(), chain, key)) return why;
  const SslPtr server(SSL_new(server_side.get())), client(SSL_new(client_side.get()));
  if (!server || !client) return openssl_reason();
  const bool done = connect(server.get(), client.get());
  const std::string reason = openssl_reason();
  if (done) return std::nullopt;
  return "no client could use it: " + reason;
}

}  // namespace certificates
