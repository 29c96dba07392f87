#include "base/sctp.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Sctp, ChecksumIsTheCommonOne) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);            // the usual check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

TEST(Sctp, AbortAsOnTheWire) {
  std::string packet = sctp_abort(80, 40000, 0x01020304);
  ASSERT_EQ(packet.size(), 16u);
  uint32_t crc = 0;
  for (size_t i = 0; i < 4; i++) {
    crc |= uint32_t{static_cast<uint8_t>(packet[8 + i])} << (8 * i);
    packet[8 + i] = '\0';
  }
  EXPECT_EQ(packet, std::string("\0\x50\x9c\x40\x01\x02\x03\x04\0\0\0\0\x06\0\0\x04", 16));
  EXPECT_EQ(crc, crc32c(packet));
}

}  // namespace
}  // namespace base
