#include "health/packet.h"

namespace health {

uint16_t internet_checksum(std::string_view bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i++) {
    const uint32_t byte = static_cast<uint8_t>(bytes[i]);
    sum += i % 2 == 0 ? byte << 8 : byte;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::string_view without_ipv4_header(std::string_view packet) {
  constexpr size_t kLeast = 20;
  if (packet.size() < kLeast) return {};
  const size_t header = (static_cast<uint8_t>(packet[0]) & 0x0f) * size_t{4};
  return header < kLeast || header > packet.size() ? std::string_view{} : packet.substr(header);
}

}  // namespace health
