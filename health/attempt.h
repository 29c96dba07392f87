// Attempt: one probe under way: a socket, a deadline, and waiting for both.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "health/stream.h"

namespace health {

constexpr std::string_view kConnectedBut = "connected, but ";

class Attempt final : public Stream, public std::enable_shared_from_this<Attempt> {
 public:
  // The deadline counts from here. `source_port`: of its TCP and UDP sockets, and of what is sent
  // by raw ones that have ports; 0: the kernel chooses.
  static std::shared_ptr<Attempt> start(const boost::asio::any_io_executor& executor,
                                        std::chrono::milliseconds limit, uint16_t source_port);

  void cancel();  // ends every wait, now and later, with ECANCELED

  // A non-blocking socket, which belongs to the calling thread's network namespace. ICMP errors are
  // reported to it; a stream ends with RST, so that no member collects TIME_WAIT. 0 or errno.
  int open(base::Family family, int type, int protocol);
  int fd() { return socket_.native_handle(); }

  boost::asio::awaitable<Io> connect(base::Endpoint endpoint);
  boost::asio::awaitable<Io> write(std::string_view bytes) override;
  boost::asio::awaitable<Io> read(char* to, size_t room) override;
  Probed failed(int error, std::string_view before) const override;

  std::chrono::milliseconds limit() const { return limit_; }
  uint16_t source_port() const { return source_port_; }

 private:
  enum class Direction { in, out };
  Attempt(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit,
          uint16_t source_port);
  boost::asio::awaitable<int> ready(Direction direction);
  void end(int why);

  const std::chrono::milliseconds limit_;
  const uint16_t source_port_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer deadline_;
  // Of a connection: beyond the link by IPv6, and from an address of the link.
  bool is_beyond_link_ = false, is_from_link_ = false;
  int ended_ = 0;  // why waiting is over: ETIME or ECANCELED
};

Probed success(std::string reason);
Probed failure(std::string reason);
std::string to_text(std::chrono::milliseconds time);  // "5 s", "1500 ms"

}  // namespace health
