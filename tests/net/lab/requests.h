// Many short exchanges: connect, ask some times, close; count who answered.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/net/lab/channel.h"
#include "tests/net/lab/report.h"

namespace lab {

struct Load {
  Target target;
  uint64_t connections = 1;  // 0: until the time is over
  uint64_t concurrency = 1;
  uint64_t requests = 1;               // on each connection
  std::chrono::milliseconds pause{0};  // after every request
  std::chrono::milliseconds deadline{5000};
  std::vector<asio::ip::address> sources = {};  // in turn; none: the kernel's choice
  bool member_closes = false;                   // TCP: after one request, and first
};

// Held by all that are not there yet; whoever made it learns, by its deleter, when the last lets
// go.
using Latch = std::shared_ptr<void>;

// Stops beginning connections when `stop` becomes true; those under way are finished.
template <class Protocol>
void start_requests(asio::io_context& loop, const Load& load, const bool& stop, Latch done,
                    Report& report);

// Keeps `connections` connections open and verifies that every one stays with its member and echoes
// what it is sent, in order. `opening` is held until all are open (or have failed to).
template <class Protocol>
void start_holding(asio::io_context& loop, const Load& load, const bool& stop, Latch opening,
                   Latch done, Report& report);

}  // namespace lab
