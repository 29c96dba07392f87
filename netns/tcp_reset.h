// Telling both ends of a TCP connection that whoever stood between them has ended it: an RST with
// the very number that its receiver waits for, since no other is believed (RFC 5961).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace netns {

struct TcpReset {
  // Whose address `from` has to be for it to be sent: connections of an address that has moved to
  // another node are that node's, but a service that is removed takes its address with it.
  enum class Source { ours, anybodys };

  base::Endpoint from, to;  // of one family
  uint32_t seq = 0;         // the next byte that `to` expects
  uint32_t ack = 0;         // the next byte that it would send
  Source source = Source::ours;
};

// The TCP segment, with its checksum.
std::vector<uint8_t> tcp_reset_segment(const TcpReset& reset);

// Sends them from inside the namespace, routed as the kernel routes what comes from `from`; how
// many. One that is not sent (its source is not ours, there is no way) is passed over: nobody is
// worse off than without it. Blocks for microseconds each; works from any thread. Errors: no
// socket to be had (errno).
base::Result<size_t> send_resets(int namespace_fd, std::span<const TcpReset> resets);

}  // namespace netns
