// Telling both ends of a connection that whoever stood between them has ended it: TCP's RST with
// the very number that its receiver waits for, since no other is believed (RFC 5961), and SCTP's
// ABORT with the tag that its receiver has chosen (RFC 9260, 8.5).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace netns {

struct Reset {
  enum class Protocol : uint8_t { tcp, sctp };
  // Whose address `from` has to be for it to be sent: connections of an address that has moved to
  // another node are that node's, but a service that is removed takes its address with it.
  enum class Source : uint8_t { ours, anybodys };

  base::Endpoint from, to;  // of one family
  uint32_t awaited = 0;     // TCP: the next byte that `to` expects; SCTP: the tag of `to`
  uint32_t next = 0;        // TCP: the next byte that it would send
  Source source = Source::ours;
  Protocol protocol = Protocol::tcp;
};

// What the IP packet carries, with its checksum.
std::vector<uint8_t> reset_packet(const Reset& reset);

// Sends them from inside the namespace, routed as the kernel routes what comes from `from`; how
// many. One that is not sent (its source is not ours, there is no way) is passed over: nobody is
// worse off than without it. Blocks for microseconds each; works from any thread. Errors: no
// socket to be had (errno).
base::Result<size_t> send_resets(int namespace_fd, std::span<const Reset> resets);

}  // namespace netns
