// Bytes as they go over the wire.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/ip.h"

namespace netns {

// Bytes of a frame, in network order.
class Frame {
 public:
  Frame& u8(unsigned value) {
    bytes_.push_back(static_cast<uint8_t>(value));
    return *this;
  }
  Frame& u16(unsigned value) { return u8(value >> 8).u8(value & 0xff); }
  Frame& u32(uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
  Frame& raw(std::span<const uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Frame& mac(const base::MacAddress& address) { return raw(address.bytes); }
  Frame& ip(const base::IpAddress& address) { return raw({address.bytes(), address.size()}); }

  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

// RFC 1071; an even number of bytes.
inline unsigned internet_checksum(std::span<const uint8_t> bytes) {
  unsigned sum = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) sum += (unsigned{bytes[i]} << 8) | bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

}  // namespace netns
