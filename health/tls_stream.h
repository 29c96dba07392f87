// TlsStream: a TLS client over another stream, as HAProxy's checks with `verify none`: any
// certificate will do.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "health/stream.h"

namespace health {

class TlsStream final : public Stream {
 public:
  // `below` is connected and outlives this. `name` is asked for (SNI); empty: none is.
  TlsStream(Stream& below, const std::string& name);

  // A failure that TLS has words for is EPROTO, and failed() says them.
  boost::asio::awaitable<Io> handshake();
  boost::asio::awaitable<Io> write(std::string_view bytes) override;
  boost::asio::awaitable<Io> read(char* to, size_t room) override;
  Probed failed(int error, std::string_view before) const override;

  // The first bytes that a client sends.
  static std::string client_hello(const std::string& name);

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  static std::unique_ptr<SSL, Free> make(const std::string& name);
  boost::asio::awaitable<int> flush();
  // Does what OpenSSL asked for with `result`.
  boost::asio::awaitable<int> go_on(int result);
  boost::asio::awaitable<int> fill();
  void note_trouble();

  Stream& below_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string trouble_;
};

}  // namespace health
