#include "health/sctp_text.h"

#include "base/crc32c.h"

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

std::string common_header(const SctpPath& path, uint32_t tag) {
  std::string packet;
  put(packet, path.own_port, 2);
  put(packet, path.peer_port, 2);
  put(packet, tag, 4);
  put(packet, 0, 4);
  return packet;
}

// Lowest byte first, other than every other field.
void put_checksum(std::string& packet, uint32_t crc) {
  for (size_t i = 0; i < 4; i++) packet[kChecksumAt + i] = static_cast<char>(crc >> (8 * i));
}

std::string sealed(std::string packet) {
  put_checksum(packet, base::crc32c(packet));
  return packet;
}

// A checksum of zero is one that the sender left to its card, as between two interfaces of one
// machine; the tags still tell that the packet is for us.
bool is_intact(std::string_view packet) {
  if (get(packet, kChecksumAt, 4) == 0) return true;
  std::string copy(packet);
  put_checksum(copy, 0);
  return sealed(copy) == packet;
}

}  // namespace

std::string sctp_init(const SctpPath& path) {
  std::string packet = common_header(path, 0);
  put(packet, kInit, 1);
  put(packet, 0, 1);
  put(packet, kInitSize, 2);
  put(packet, path.own_tag, 4);
  put(packet, kWindow, 4);
  put(packet, kStreams, 2);
  put(packet, kStreams, 2);
  put(packet, path.own_tag, 4);  // first TSN: any number will do
  return sealed(std::move(packet));
}

std::string sctp_abort(const SctpPath& path, uint32_t peer_tag) {
  std::string packet = common_header(path, peer_tag);
  put(packet, kAbort, 1);
  put(packet, 0, 1);
  put(packet, kChunkHeader, 2);
  return sealed(std::move(packet));
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
