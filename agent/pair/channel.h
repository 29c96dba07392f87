// Channel: the connection between the two nodes of a pair: TCP, TLS 1.3 by a key that both have,
// no certificates. The node with the smaller address dials; when the other one has gone, again and
// again. Where HAProxy's peers protocol has the same port, both nodes listen. Lives on the loop's
// thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/pair/key.h"
#include "agent/pair/port.h"
#include "agent/pair/session.h"
#include "base/ip.h"

namespace pair {

class Channel {
 public:
  // The other node is gone that says nothing for so long.
  static constexpr std::chrono::seconds kSilence{2};

  // The other node, and what proves that it is that one.
  struct Target {
    base::IpAddress own, peer;  // of one family, not the same
    uint16_t port = 0;
    Key key{};
    // Where this node's HAProxy waits for its peers; none: the port is ours alone.
    std::optional<base::Endpoint> haproxy = {};

    friend bool operator==(const Target&, const Target&) = default;
  };

  // `session` outlives it.
  Channel(boost::asio::any_io_executor loop, Session& session);
  ~Channel();

  // Who it is with from now on; nullopt: nobody. What there is with another one ends.
  void aim(std::optional<Target> target);
  // Until stop().
  boost::asio::awaitable<void> run();
  void stop();

  Port::Counts port_counts() const { return counts_; }

 private:
  struct Line;
  struct Tls;
  using Socket = boost::asio::ip::tcp::socket;

  bool is_dialling() const { return target_ && target_->own < target_->peer; }
  void leave();
  void listen();
  void answer(Socket socket);
  boost::asio::awaitable<void> dial();
  boost::asio::awaitable<void> greet(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> serve(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> read(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> write(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> watch(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  boost::asio::awaitable<void> rest(std::chrono::milliseconds time);
  void end(Line& line, const std::string& why);
  void say(const std::string& trouble);

  boost::asio::any_io_executor loop_;
  Session& session_;
  std::optional<Target> target_;
  uint64_t aims_ = 0;              // targets so far
  std::shared_ptr<Tls> tls_;       // of the target
  std::shared_ptr<Line> line_;     // that the session is over; null: none
  std::shared_ptr<Line> dialled_;  // that may become that; null: none
  std::shared_ptr<Port> port_;     // null: nobody listens
  Port::Counts counts_;
  boost::asio::steady_timer rest_;  // ends early when there is another target
  std::string trouble_;             // that was said last
  bool stopped_ = false;
};

}  // namespace pair
