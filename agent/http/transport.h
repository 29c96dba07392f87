// Transport: what a connection's bytes go over, a socket or TLS over one. Whoever speaks HTTP over
// it need not know which, and is compiled once.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/system/error_code.hpp>
#include <memory>

#include "agent/http/tls.h"

namespace http {

using Socket = boost::asio::generic::stream_protocol::socket;  // UNIX and TCP

// One operation in each direction at a time. cancel() ends those that go on, with
// operation_aborted, close() the connection; they may be called at any time.
class Transport {
 public:
  struct Read {
    boost::system::error_code error;  // eof: nothing more comes
    size_t bytes = 0;
  };
  using Buffers = std::array<boost::asio::const_buffer, 3>;  // in their order; may be empty

  virtual ~Transport() = default;

  virtual const char* scheme() const = 0;  // "http" or "https"
  virtual Socket& socket() = 0;
  // Before anything else: the handshake.
  virtual boost::asio::awaitable<boost::system::error_code> greet() = 0;
  // After everything else: says that nothing more comes, so that no end is taken for one that was
  // cut off.
  virtual boost::asio::awaitable<boost::system::error_code> part() = 0;
  // What the buffers point to must stay until then.
  virtual boost::asio::awaitable<Read> read_some(boost::asio::mutable_buffer into) = 0;
  virtual boost::asio::awaitable<boost::system::error_code> write(Buffers all) = 0;

  void cancel();
  void close();
};

std::shared_ptr<Transport> plain(Socket socket);
std::shared_ptr<Transport> over_tls(Socket socket, const TlsContext& tls);

}  // namespace http
