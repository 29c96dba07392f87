// Failover: moves the VIPs to the other node of the pair on purpose. What there is to tell is told
// and answered first; then this node is not fit for the VIPs until the other one has them
// (docs/pair.md). Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>

#include "agent/control/operator.h"
#include "agent/model/fault.h"
#include "agent/pair/session.h"
#include "base/ip.h"

namespace serve {

struct FailoverFacts {
  enum class Node : uint8_t {
    alone,
    of_octavia,   // whose controller moves VIPs
    without_key,  // connections do not go along
    of_pair,
  };
  Node node = Node::alone;
  bool has_vips = false;
  bool takes_back = false;  // keepalived here takes the VIPs from a node of a lower priority
  base::IpAddress peer;
  pair::Report report;
  uint64_t not_movable = 0;
};

// Why the VIPs cannot go to the other node now without losing a connection. Pure.
model::Refusal why_not(const FailoverFacts& facts);

class Failover {
 public:
  // All are called on the loop, and must not wait.
  struct Around {
    std::function<FailoverFacts()> facts;
    std::function<void()> fitness_changed;  // is_leaving() is another
    // What is told to the other node: that the VIPs are about to go there, that they are not here
    // any more, and no more of that.
    std::function<void()> leave, gone, stop_leaving;
  };
  struct Patience {
    std::chrono::milliseconds answer{2000};  // for the other node to answer what it was told
    std::chrono::milliseconds taken{6000};   // for the VIPs to be there; less than a client waits
  };

  Failover(boost::asio::any_io_executor loop, Around around, Patience patience);

  // One at a time. A fault: 409, nothing has been done; 500, this node may have the VIPs again.
  boost::asio::awaitable<model::Outcome<control::MovedVips>> run();
  // This node is not fit for the VIPs: the other one is to take them.
  bool is_leaving() const { return is_leaving_; }

 private:
  boost::asio::awaitable<model::Outcome<control::MovedVips>> move();
  boost::asio::awaitable<bool> until(std::chrono::milliseconds patience,
                                     std::function<bool()> is_so);
  boost::asio::awaitable<bool> taken();
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  void set_leaving(bool is_leaving);

  boost::asio::any_io_executor loop_;
  Around around_;
  Patience patience_;
  bool is_under_way_ = false, is_leaving_ = false;
};

}  // namespace serve
