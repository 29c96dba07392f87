// HeartbeatSender: tells Octavia's health managers that the amphora lives, one of them each
// interval (contract, 4.1). Lives on the loop's thread and never blocks it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/ip.h"
#include "base/result.h"

namespace serve {

// Where heartbeats leave from: the network namespace that the caller of open() is in.
struct HeartbeatSockets {
  base::Fd ipv4, ipv6;  // a family that the machine does not have: invalid

  static HeartbeatSockets open();
};

class HeartbeatSender {
 public:
  struct Settings {
    std::vector<base::Endpoint> controllers;  // none: nothing is sent
    std::chrono::milliseconds interval{10'000};
    std::string key;
  };
  // The JSON of the message with this number; nullopt: none is to be sent now.
  using Compose = std::function<boost::asio::awaitable<std::optional<std::string>>(uint64_t seq)>;

  HeartbeatSender(boost::asio::any_io_executor loop, HeartbeatSockets sockets, Compose compose);

  // The first one at once, then one each interval, until stop(). What cannot be sent is lost: the
  // next one says more.
  boost::asio::awaitable<void> run();
  // From the next message on; an interval that is over by the new measure ends at once.
  void configure(Settings settings);
  void stop();

 private:
  boost::asio::awaitable<void> beat();
  base::Status send(const std::string& bytes, const base::Endpoint& to) const;
  void note(const base::Status& sent, const base::Endpoint& to);

  HeartbeatSockets sockets_;
  Compose compose_;
  Settings settings_;
  boost::asio::steady_timer wake_;
  uint64_t seq_ = 0;
  size_t turn_ = 0;      // of the controllers
  std::string trouble_;  // of the last message; empty: it was sent
  bool stopped_ = false;
};

}  // namespace serve
