// Port: where the other node's connections come in. Under Octavia no port but this one is open
// between two amphorae, and HAProxy's peers, who exchange stick tables, have it: the first bytes of
// a connection tell whose it is. Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/ip.h"

namespace pair {

class Port : public std::enable_shared_from_this<Port> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // Who has not said what it is after so long is left.
  static constexpr std::chrono::seconds kSilence{2};
  // Connections at a time that are not ours yet, or HAProxy's; more are closed.
  static constexpr size_t kMost = 16;

  struct Place {
    base::IpAddress own, peer;  // nobody but `peer` is let in
    uint16_t port = 0;
  };
  struct Wants {
    std::function<void(Socket)> ours;                      // begins as TLS does; nothing was read
    std::function<void(const std::string& what)> trouble;  // cannot listen; tried again
    std::optional<base::Endpoint> haproxy = {};  // of this node; none: its peers are let in nowhere
  };
  struct Counts {
    uint64_t closed = 0;   // others' connections, and those that were too many
    size_t handed_on = 0;  // to HAProxy, now

    friend bool operator==(const Counts&, const Counts&) = default;
  };

  // `counts` outlives it; what it says is added.
  Port(boost::asio::any_io_executor loop, const Place& place, Wants wants, Counts& counts);

  // Until close(), which ends what was handed on, too. What is wanted is asked for no more then.
  boost::asio::awaitable<void> run();
  void close();

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;
  using Shared = std::shared_ptr<Socket>;

  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> sort(Shared socket);
  boost::asio::awaitable<bool> hand_on(Shared socket);

  boost::asio::any_io_executor loop_;
  Place place_;
  Wants wants_;
  Counts& counts_;
  Acceptor acceptor_;
  boost::asio::steady_timer rest_;
  std::set<Shared> open_;  // that are not known to be ours
  bool closed_ = false;
};

}  // namespace pair
