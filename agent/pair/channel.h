// Channel: the connection between the two nodes of a pair: TCP, TLS 1.3 by a key that both have,
// no certificates. The node with the smaller address dials; when the other one has gone, again and
// again. Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "agent/pair/key.h"
#include "agent/pair/session.h"
#include "base/ip.h"

namespace pair {

class Channel {
 public:
  // The other node is gone that says nothing for so long.
  static constexpr std::chrono::seconds kSilence{2};

  struct Ends {
    base::IpAddress own, peer;  // of one family, not the same
    uint16_t port = 0;
  };

  // `session` outlives it.
  Channel(boost::asio::any_io_executor loop, const Ends& ends, const Key& key, Session& session);
  ~Channel();

  // Until stop().
  boost::asio::awaitable<void> run();
  void stop();

 private:
  struct Line;
  using Socket = boost::asio::ip::tcp::socket;

  boost::asio::awaitable<void> dial();
  boost::asio::awaitable<void> listen();
  boost::asio::awaitable<void> accept(boost::asio::ip::tcp::acceptor& acceptor);
  boost::asio::awaitable<void> greet(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> serve(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> read(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> write(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> watch(std::shared_ptr<Line> line);
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  void end(Line& line, const std::string& why);
  void say(const std::string& trouble);

  boost::asio::any_io_executor loop_;
  Ends ends_;
  Session& session_;
  struct Tls;
  std::unique_ptr<Tls> tls_;
  std::shared_ptr<Line> line_;  // that the session is over; null: none
  std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  std::string trouble_;  // that was said last
  bool stopped_ = false;
};

}  // namespace pair
