#include "health/tls_stream.h"

#include <openssl/err.h>

#include <cerrno>
#include <new>

#include "base/ip.h"
#include "health/state.h"

namespace health {
namespace {

using boost::asio::awaitable;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// Old members count as alive, too: no security level, no version is too low.
SSL_CTX* context() {
  static const std::unique_ptr<SSL_CTX, FreeContext> kContext = [] {
    std::unique_ptr<SSL_CTX, FreeContext> made(SSL_CTX_new(TLS_client_method()));
    if (!made) throw std::bad_alloc();
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_min_proto_version(made.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(made.get(), 0);
    SSL_CTX_set_options(made.get(), SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
    return made;
  }();
  return kContext.get();
}

}  // namespace

std::unique_ptr<SSL, TlsStream::Free> TlsStream::make(const std::string& name) {
  std::unique_ptr<SSL, Free> ssl(SSL_new(context()));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (!ssl || !in || !out) {
    BIO_free(in);
    BIO_free(out);
    throw std::bad_alloc();
  }
  SSL_set_bio(ssl.get(), in, out);
  // RFC 6066: an address is no server name.
  if (!name.empty() && !base::IpAddress::parse(name))
    SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  SSL_set_connect_state(ssl.get());
  return ssl;
}

TlsStream::TlsStream(Stream& below, const std::string& name) : below_(below), ssl_(make(name)) {}

std::string TlsStream::client_hello(const std::string& name) {
  const auto ssl = make(name);
  ERR_clear_error();
  SSL_do_handshake(ssl.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &bytes);
  return std::string(bytes, static_cast<size_t>(size));
}

awaitable<int> TlsStream::flush() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
  if (size <= 0) co_return 0;
  const std::string out(bytes, static_cast<size_t>(size));
  BIO_reset(SSL_get_wbio(ssl_.get()));
  const Io io = co_await below_.write(out);
  co_return io.error;
}

awaitable<int> TlsStream::fill() {
  char bytes[4096];
  const Io io = co_await below_.read(bytes, sizeof(bytes));
  if (io.error != 0) co_return io.error;
  if (io.bytes == 0) co_return EPIPE;
  BIO_write(SSL_get_rbio(ssl_.get()), bytes, static_cast<int>(io.bytes));
  co_return 0;
}

void TlsStream::note_trouble() {
  const unsigned long error = ERR_peek_last_error();
  const char* words = ERR_reason_error_string(error);
  if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
    trouble_ = "the answer is not TLS";
  else
    trouble_ = std::string("TLS: ") + (words != nullptr ? words : "broken off");
}

// 0: call again. EPIPE: the peer has closed. EPROTO: `trouble_` says what.
awaitable<int> TlsStream::go_on(int result) {
  const int wants = SSL_get_error(ssl_.get(), result);
  if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_ZERO_RETURN) note_trouble();
  const int error = co_await flush();
  if (wants == SSL_ERROR_ZERO_RETURN) co_return EPIPE;
  if (wants != SSL_ERROR_WANT_READ) co_return EPROTO;
  if (error != 0) co_return error;
  co_return co_await fill();
}

awaitable<Io> TlsStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    const int error = co_await go_on(result);
    if (error == EPIPE) trouble_ = "closed within the TLS handshake";
    if (error != 0) co_return Io{error == EPIPE ? EPROTO : error, 0};
  }
  const int error = co_await flush();
  co_return Io{error, 0};
}

awaitable<Io> TlsStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    const int error = result > 0 ? co_await flush() : co_await go_on(result);
    if (error != 0) co_return Io{error, 0};
    if (result > 0) bytes.remove_prefix(static_cast<size_t>(result));
  }
  co_return Io{};
}

awaitable<Io> TlsStream::read(char* to, size_t room) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_read(ssl_.get(), to, static_cast<int>(room));
    if (result > 0) co_return Io{0, static_cast<size_t>(result)};
    const int error = co_await go_on(result);
    if (error == EPIPE) co_return Io{};
    if (error != 0) co_return Io{error, 0};
  }
}

Probed TlsStream::failed(int error, std::string_view before) const {
  return error == EPROTO ? Probed{Probed::Kind::failure, trouble_} : below_.failed(error, before);
}

}  // namespace health
