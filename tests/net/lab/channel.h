// Channel: one TCP connection or one connected UDP socket of the lab's client, with a deadline on
// every operation. TCP and UDP look the same: connect, send, receive.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace lab {

namespace asio = boost::asio;

struct Target {
  asio::ip::address address;
  uint16_t port = 0;
};

template <class Protocol>  // asio::ip::tcp or asio::ip::udp
class Channel {
 public:
  using Status = boost::system::error_code;  // timed_out: the deadline passed

  Channel(const asio::any_io_executor& executor, std::chrono::milliseconds deadline)
      : socket_(executor), timer_(executor), deadline_(deadline) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { ++*operation_; }

  // From this address of the machine, by any port that is free towards the target.
  Status bind(const asio::ip::address& source) {
    Status status;
    const int yes = 1;
    socket_.open(source.is_v4() ? Protocol::v4() : Protocol::v6(), status);
    if (!status && setsockopt(socket_.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes,
                              sizeof(yes)) != 0)
      status.assign(errno, boost::system::system_category());
    if (!status) socket_.bind({source, 0}, status);
    return status;
  }

  asio::awaitable<Status> connect(Target target) {
    Status status;
    arm();
    co_await socket_.async_connect({target.address, target.port}, token(status));
    co_return disarm(status);
  }

  asio::awaitable<Status> send(const std::string& bytes) {
    Status status;
    arm();
    if constexpr (kStream)
      co_await asio::async_write(socket_, asio::buffer(bytes), token(status));
    else
      co_await socket_.async_send(asio::buffer(bytes), token(status));
    co_return disarm(status);
  }

  // Appends what comes next: a piece of the stream, or one datagram.
  asio::awaitable<Status> receive(std::string& into) {
    Status status;
    char piece[16384];
    arm();
    size_t got = 0;
    if constexpr (kStream)
      got = co_await socket_.async_read_some(asio::buffer(piece), token(status));
    else
      got = co_await socket_.async_receive(asio::buffer(piece), token(status));
    into.append(piece, got);
    co_return disarm(status);
  }

 private:
  static constexpr bool kStream = std::is_same_v<Protocol, asio::ip::tcp>;

  static auto token(Status& status) { return asio::redirect_error(asio::use_awaitable, status); }

  // The timer's handler may be queued already when the operation ends, and run when *this is gone
  // or busy with the next one: it acts only while the operation that it was made for lasts.
  void arm() {
    timer_.expires_after(deadline_);
    timer_.async_wait([this, current = operation_, mine = *operation_](const Status& status) {
      if (!status && *current == mine) {
        late_ = true;
        socket_.cancel();
      }
    });
  }

  Status disarm(const Status& status) {
    ++*operation_;
    timer_.cancel();
    const bool late = std::exchange(late_, false);
    return late && status ? Status(asio::error::timed_out) : status;
  }

  typename Protocol::socket socket_;
  asio::steady_timer timer_;
  std::chrono::milliseconds deadline_;
  std::shared_ptr<uint64_t> operation_ = std::make_shared<uint64_t>(0);
  bool late_ = false;
};

}  // namespace lab
