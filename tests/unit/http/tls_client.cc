#include "tests/unit/http/tls_client.h"

#include <array>
#include <cstdlib>
#include <fstream>

namespace http::testing {
namespace {

using certificates::testing::Pair;

constexpr auto kFarAway = certificates::testing::kDay * 365 * 20;

Pair authority(const std::string& name) {
  return certificates::testing::make({.name = name,
                                      .alternate = {},
                                      .authority = true,
                                      .to = certificates::testing::noon() + kFarAway});
}

}  // namespace

Authorities::Authorities() : ca(authority("client ca")), stranger(authority("stranger")) {
  std::ofstream(ca_file) << ca.certificate_pem();
}

std::string Authorities::pem_of(const Pair& pair) {
  return pair.certificate_pem() + pair.key_pem();
}

Pair Authorities::signed_for(const std::string& name, const Pair& by) const {
  return certificates::testing::make(
      {.name = name, .alternate = "DNS:" + name, .to = certificates::testing::noon() + kFarAway},
      &by);
}

TlsClient::TlsClient(base::Fd connected, const Pair* shown, int version)
    : fd_(std::move(connected)), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  if (version < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.get(), 0);
  if (shown != nullptr) {
    SSL_CTX_use_certificate(context_.get(), shown->certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), shown->key.get());
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_.get());
}

bool TlsClient::handshake() { return SSL_connect(ssl_.get()) == 1; }

std::string TlsClient::peer_name() const {
  std::array<char, 256> name{};
  X509* shown = SSL_get_peer_certificate(ssl_.get());
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  X509_free(shown);
  return name.data();
}

bool TlsClient::fill() {
  std::array<char, 16384> piece{};
  const int size = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
  if (size > 0) buffer_.append(piece.data(), static_cast<size_t>(size));
  return size > 0;
}

Answer TlsClient::ask(const std::string& method, const std::string& target, const std::string& body,
                      const std::string& headers) {
  const std::string head = method + " " + target + " HTTP/1.1\r\nHost: lb:9443\r\n" + headers +
                           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  SSL_write(ssl_.get(), head.data(), static_cast<int>(head.size()));
  if (!body.empty()) SSL_write(ssl_.get(), body.data(), static_cast<int>(body.size()));
  Answer answer;
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return answer;
  answer.head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  const size_t size = std::strtoul(answer.header("Content-Length").c_str(), nullptr, 10);
  while (buffer_.size() < size)
    if (!fill()) return answer;
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  answer.status = std::atoi(answer.head.substr(9, 3).c_str());
  return answer;
}

}  // namespace http::testing
