#include "health/sctp_text.h"

#include "base/sctp.h"

namespace health {
namespace {

constexpr size_t kCommonHeader = 12, kChunkHeader = 4, kChecksumAt = 8;
constexpr size_t kInitSize = 20;  // of INIT and INIT ACK, without parameters
constexpr uint8_t kInit = 1, kInitAck = 2, kAbort = 6;
constexpr uint8_t kTagReflected = 1;  // T flag of ABORT
constexpr uint32_t kWindow = 65536;
constexpr uint16_t kStreams = 1;

void put(std::string& to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) to += static_cast<char>(value >> (8 * i));
}

uint32_t get(std::string_view from, size_t at, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | static_cast<uint8_t>(from[at + i]);
  return value;
}

// A checksum of zero is one that the sender left to its card, as between two interfaces of one
// machine; the tags still tell that the packet is for us.
bool is_intact(std::string_view packet) {
  if (get(packet, kChecksumAt, 4) == 0) return true;
  return base::sctp_packet(static_cast<uint16_t>(get(packet, 0, 2)),
                           static_cast<uint16_t>(get(packet, 2, 2)), get(packet, 4, 4),
                           packet.substr(kCommonHeader)) == packet;
}

}  // namespace

std::string sctp_init(const SctpPath& path) {
  std::string chunk;
  put(chunk, kInit, 1);
  put(chunk, 0, 1);
  put(chunk, kInitSize, 2);
  put(chunk, path.own_tag, 4);
  put(chunk, kWindow, 4);
  put(chunk, kStreams, 2);
  put(chunk, kStreams, 2);
  put(chunk, path.own_tag, 4);  // first TSN: any number will do
  return base::sctp_packet(path.own_port, path.peer_port, 0, chunk);
}

std::string sctp_abort(const SctpPath& path, uint32_t peer_tag) {
  return base::sctp_abort(path.own_port, path.peer_port, peer_tag);
}

std::optional<SctpReply> parse_sctp_reply(std::string_view packet, const SctpPath& path) {
  if (packet.size() < kCommonHeader + kChunkHeader || !is_intact(packet)) return std::nullopt;
  if (get(packet, 0, 2) != path.peer_port || get(packet, 2, 2) != path.own_port)
    return std::nullopt;
  const uint32_t tag = get(packet, 4, 4);
  const std::string_view chunk = packet.substr(kCommonHeader);
  const uint32_t type = get(chunk, 0, 1), flags = get(chunk, 1, 1), size = get(chunk, 2, 2);
  if (size < kChunkHeader || size > chunk.size()) return std::nullopt;
  if (type == kInitAck && tag == path.own_tag && size >= kInitSize) {
    const uint32_t peer_tag = get(chunk, kChunkHeader, 4);
    if (peer_tag == 0) return std::nullopt;
    return SctpReply{SctpAnswer::init_ack, peer_tag};
  }
  // With the T flag the tag is the one that we sent, and an INIT has 0 (section 8.5.1).
  const uint32_t expected = (flags & kTagReflected) != 0 ? 0 : path.own_tag;
  if (type == kAbort && tag == expected) return SctpReply{SctpAnswer::abort, 0};
  return std::nullopt;
}

}  // namespace health
