#include "health/packet.h"

#include <gtest/gtest.h>

#include "base/sctp.h"
#include "health/sctp_text.h"

namespace health {
namespace {

using namespace std::string_literals;

TEST(Packet, Checksum) {
  EXPECT_EQ(internet_checksum("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7"s), 0x220d);  // RFC 1071, 3
  EXPECT_EQ(internet_checksum("\x01"s), 0xfeff);
}

TEST(Packet, Ipv4Header) {
  EXPECT_EQ(without_ipv4_header("\x45"s + std::string(19, 'h') + "body"), "body");
  EXPECT_EQ(without_ipv4_header("\x46"s + std::string(23, 'h') + "body"), "body");
  EXPECT_EQ(without_ipv4_header("\x4f"s + std::string(19, 'h') + "body"), "");
  EXPECT_EQ(without_ipv4_header("\x44"s + std::string(30, 'h')), "");
  EXPECT_EQ(without_ipv4_header("E"), "");
}

// An answer as a peer would send it: header from `from`, then the chunk; `tag` is the packet's.
std::string packet(uint16_t from, uint16_t to, uint32_t tag, const std::string& chunk) {
  auto number = [](uint64_t value, int bytes) {
    std::string out;
    while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
    return out;
  };
  std::string p = number(from, 2) + number(to, 2) + number(tag, 4) + number(0, 4) + chunk;
  const uint32_t crc = base::crc32c(p);
  for (size_t i = 0; i < 4; i++) p[8 + i] = static_cast<char>(crc >> (8 * i));
  return p;
}

const SctpPath kPath{2000, 3868, 0x11223344};
const std::string kInitAck = "\x02\x00\x00\x14\xaa\xbb\xcc\xdd"s + std::string(12, 'x');
const std::string kAbort = "\x06\x00\x00\x04"s, kReflectingAbort = "\x06\x01\x00\x04"s;

TEST(Sctp, InitAsOnTheWire) {
  const std::string init = sctp_init(kPath);
  ASSERT_EQ(init.size(), 32u);
  EXPECT_EQ(init.substr(0, 8), "\x07\xd0\x0f\x1c\x00\x00\x00\x00"s);  // an INIT has tag 0
  EXPECT_EQ(init.substr(12, 8), "\x01\x00\x00\x14\x11\x22\x33\x44"s);
  EXPECT_EQ(init, packet(2000, 3868, 0, init.substr(12)));
  EXPECT_EQ(sctp_abort(kPath, 0xaabbccdd), packet(2000, 3868, 0xaabbccdd, kAbort));
}

TEST(Sctp, Answers) {
  const auto ack = parse_sctp_reply(packet(3868, 2000, kPath.own_tag, kInitAck), kPath);
  ASSERT_TRUE(ack.has_value());
  EXPECT_EQ(ack->answer, SctpAnswer::init_ack);
  EXPECT_EQ(ack->peer_tag, 0xaabbccddu);
  const auto abort = parse_sctp_reply(packet(3868, 2000, kPath.own_tag, kAbort), kPath);
  ASSERT_TRUE(abort.has_value());
  EXPECT_EQ(abort->answer, SctpAnswer::abort);
  EXPECT_TRUE(parse_sctp_reply(packet(3868, 2000, 0, kReflectingAbort), kPath).has_value());
  std::string offloaded = packet(3868, 2000, kPath.own_tag, kInitAck);
  offloaded.replace(8, 4, 4, '\0');
  EXPECT_TRUE(parse_sctp_reply(offloaded, kPath).has_value());
}

TEST(Sctp, WhatIsNoAnswer) {
  const uint32_t tag = kPath.own_tag;
  std::string broken = packet(3868, 2000, tag, kInitAck);
  broken.back() ^= 1;
  const std::string too_long = "\x02\x00\x00\x40"s + kInitAck.substr(4);
  const std::string no_tag = "\x02\x00\x00\x14"s + std::string(16, '\0');
  for (const std::string& p :
       {broken, packet(3868, 2000, tag + 1, kInitAck), packet(3868, 2000, 0, kInitAck),
        packet(3868, 2001, tag, kInitAck), packet(3869, 2000, tag, kInitAck),
        packet(3868, 2000, tag + 1, kAbort), packet(3868, 2000, 0, kAbort),
        packet(3868, 2000, tag, kReflectingAbort), packet(3868, 2000, tag, too_long),
        packet(3868, 2000, tag, no_tag), packet(3868, 2000, tag, "\x02\x00\x00\x04"s),
        packet(3868, 2000, tag, "\x02\x00\x00\x04"s + kInitAck.substr(4)),
        packet(3868, 2000, tag, "\x03\x00\x00\x14"s + kInitAck.substr(4)),
        packet(3868, 2000, tag, ""), sctp_init(kPath), std::string()})
    EXPECT_FALSE(parse_sctp_reply(p, kPath).has_value());
}

// No prefix of an answer is read beyond its end, or taken for one.
TEST(Sctp, CutAnswers) {
  const std::string whole = packet(3868, 2000, kPath.own_tag, kInitAck);
  for (size_t size = 0; size < whole.size(); size++) {
    std::string cut = whole.substr(0, size);
    if (size >= 12) cut.replace(8, 4, 4, '\0');
    EXPECT_FALSE(parse_sctp_reply(cut, kPath).has_value()) << size;
  }
}

}  // namespace
}  // namespace health
