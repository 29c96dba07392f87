#include "base/sctp.h"

namespace base {
namespace {

constexpr size_t kChecksumAt = 8;

void put(std::string& to, uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) to += static_cast<char>(value >> (8 * i));
}

}  // namespace

// Bit by bit: who asks has some thirty bytes.
uint32_t crc32c(std::string_view bytes) {
  constexpr uint32_t kReversedPolynomial = 0x82f63b78;
  uint32_t crc = 0xffffffff;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReversedPolynomial : 0);
  }
  return ~crc;
}

std::string sctp_packet(uint16_t from, uint16_t to, uint32_t tag, std::string_view chunks) {
  std::string packet;
  put(packet, from, 2);
  put(packet, to, 2);
  put(packet, tag, 4);
  put(packet, 0, 4);
  packet += chunks;
  const uint32_t crc = crc32c(packet);
  for (size_t i = 0; i < 4; i++) packet[kChecksumAt + i] = static_cast<char>(crc >> (8 * i));
  return packet;
}

std::string sctp_abort(uint16_t from, uint16_t to, uint32_t tag) {
  constexpr std::string_view kAbort("\x06\0\0\x04", 4);  // type, flags, length
  return sctp_packet(from, to, tag, kAbort);
}

}  // namespace base
