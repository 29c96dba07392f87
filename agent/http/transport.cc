#include "agent/http/transport.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What a socket and a stream of TLS have in common.
template <class Stream>
class Over : public Transport {
 public:
  template <class... Arguments>
  explicit Over(Arguments&&... arguments) : stream_(std::forward<Arguments>(arguments)...) {}

  asio::awaitable<Read> read_some(asio::mutable_buffer into) override {
    Read read;
    auto token = asio::redirect_error(asio::use_awaitable, read.error);
    read.bytes = co_await stream_.async_read_some(into, token);
    co_return read;
  }
  asio::awaitable<error_code> write(Buffers all) override {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(stream_, all, token);
    co_return error;
  }

 protected:
  Stream stream_;
};

class Plain final : public Over<Socket> {
 public:
  using Over::Over;
  const char* scheme() const override { return "http"; }
  Socket& socket() override { return stream_; }
  asio::awaitable<error_code> greet() override { co_return error_code(); }
  asio::awaitable<error_code> part() override { co_return error_code(); }
};

class Tls final : public Over<asio::ssl::stream<Socket>> {
 public:
  using Over::Over;
  const char* scheme() const override { return "https"; }
  Socket& socket() override { return stream_.next_layer(); }
  asio::awaitable<error_code> greet() override {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await stream_.async_handshake(asio::ssl::stream_base::server, token);
    co_return error;
  }
  asio::awaitable<error_code> part() override {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await stream_.async_shutdown(token);
    co_return error;
  }
};

}  // namespace

void Transport::cancel() {
  error_code ignored;
  socket().cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  socket().close(ignored);
}

std::shared_ptr<Transport> plain(Socket socket) {
  return std::make_shared<Plain>(std::move(socket));
}

std::shared_ptr<Transport> over_tls(Socket socket, const TlsContext& tls) {
  return std::make_shared<Tls>(std::move(socket), *tls);
}

}  // namespace http
