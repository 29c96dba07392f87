// SCTP's checksum after a change of the ports, against one over the whole packet.
#include "bpf/crc32c.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace {

// RFC 9260, appendix A: bit by bit, as it lies in the packet.
uint32_t checksum(const std::vector<uint8_t>& bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  crc = ~crc;
  const uint8_t wire[4] = {static_cast<uint8_t>(crc), static_cast<uint8_t>(crc >> 8),
                           static_cast<uint8_t>(crc >> 16), static_cast<uint8_t>(crc >> 24)};
  uint32_t value;
  std::memcpy(&value, wire, sizeof(value));
  return value;
}

class Crc32c : public testing::Test {
 protected:
  Crc32c() { lb_crc32c_set(zeros_.get()); }

  // A packet of so many bytes, whose checksum is zero while it is computed, with other ports.
  void expect_change(std::vector<uint8_t> packet, uint32_t change) {
    const uint32_t before = checksum(packet);
    uint32_t ports;
    std::memcpy(&ports, packet.data(), sizeof(ports));
    ports ^= change;
    std::memcpy(packet.data(), &ports, sizeof(ports));
    const auto length = static_cast<uint32_t>(packet.size());
    ASSERT_EQ(before ^ lb_crc32c_change(zeros_.get(), change, length), checksum(packet))
        << length << " bytes";
  }

  std::vector<uint8_t> packet(size_t length) {
    std::vector<uint8_t> bytes(length);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    std::fill_n(bytes.begin() + 8, 4, uint8_t{0});
    return bytes;
  }

  std::unique_ptr<lb_crc32c> zeros_ = std::make_unique<lb_crc32c>();
  std::mt19937 random_{9260};
};

TEST(Checksum, AsTheCatalogueOfCrcsHasIt) {
  const uint8_t wire[4] = {0x83, 0x92, 0x06, 0xe3};  // of "123456789": 0xe3069283
  uint32_t expected;
  std::memcpy(&expected, wire, sizeof(expected));
  EXPECT_EQ(checksum({'1', '2', '3', '4', '5', '6', '7', '8', '9'}), expected);
}

TEST_F(Crc32c, EveryLength) {
  for (size_t length = 12; length <= 9000; ++length)
    expect_change(packet(length), static_cast<uint32_t>(random_()));
}

TEST_F(Crc32c, EveryBitOfThePorts) {
  for (int bit = 0; bit < 32; ++bit)
    for (const size_t length : {12u, 32u, 1480u, 8960u}) expect_change(packet(length), 1u << bit);
}

TEST_F(Crc32c, TheLongest) {
  for (const size_t length : {32767u, 32768u, 65515u, 65535u})
    expect_change(packet(length), static_cast<uint32_t>(random_()));
}

TEST_F(Crc32c, NoChangeIsNone) { EXPECT_EQ(lb_crc32c_change(zeros_.get(), 0, 1480), 0u); }

}  // namespace
