// The SCTP packets of a probe (RFC 9260): INIT, the two answers to it, and ABORT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace health {

struct SctpPath {
  uint16_t own_port = 0, peer_port = 0;
  uint32_t own_tag = 0;  // not 0; every answer has it
};

enum class SctpAnswer { init_ack, abort };

struct SctpReply {
  SctpAnswer answer = SctpAnswer::abort;
  uint32_t peer_tag = 0;  // of an INIT ACK
};

std::string sctp_init(const SctpPath& path);
std::string sctp_abort(const SctpPath& path, uint32_t peer_tag);

// `packet` without IP header. nullopt: broken, somebody else's, or no answer to the INIT.
std::optional<SctpReply> parse_sctp_reply(std::string_view packet, const SctpPath& path);

}  // namespace health
