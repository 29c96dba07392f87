// Frames as bytes, and bytes that are none.
#include "agent/pair/frames.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <random>

#include "tests/support/addresses.h"
#include "tests/unit/pair/fake_table.h"

namespace pair {
namespace {

using testing::HasSubstr;

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What the other end makes of it.
base::Result<std::optional<Frame>> read(const std::string& bytes) {
  const auto all = bytes_of(bytes);
  const auto header = decode_header(all.first<kHeaderBytes>());
  if (!header) return header.error();
  EXPECT_EQ(header->bytes, all.size() - kHeaderBytes);
  return decode(header->type, all.subspan(kHeaderBytes));
}

Flow six() {
  Flow flow = flow_of(40000, 50000, State::closing_member);
  flow.name = {base::Family::ipv6, 77, 0xffffffff};
  flow.protocol = IPPROTO_UDP;
  flow.is_answered = false;
  flow.client.address = test::ip("2001:db8::1");
  flow.vip.address = flow.snat.address = test::ip("2001:db8::10");
  flow.member.address = test::ip("2001:db8:1::2");
  flow.next_client = 0x01020304;
  flow.next_member = 0xfffefdfc;
  return flow;
}

std::vector<Frame> all_frames() {
  return {Hello{1, 3, 0x0102030405060708, 1024, 2048},
          Flows{{flow_of(1, 2), six()}},
          Flows{},
          Ends{{{base::Family::ipv4, 1, 2}, {base::Family::ipv6, 3, 4}}},
          WalkBegin{},
          WalkEnd{},
          Position{1ull << 40, 7, Role::active},
          Again{},
          Leaving{}};
}

TEST(Frames, ComeOutAsTheyWentIn) {
  for (const Frame& frame : all_frames()) {
    const auto again = read(encode(frame));
    ASSERT_TRUE(again.ok()) << again.error().message();
    ASSERT_TRUE(again->has_value());
    EXPECT_EQ(**again, frame) << frame.index();
  }
}

TEST(Frames, AFullOneIsNotTooLong) {
  Flows flows{std::vector<Flow>(kMostFlows, six())};
  EXPECT_LE(encode(flows).size(), kHeaderBytes + kMostBody);
  Ends ends{std::vector<Name>(kMostEnds)};
  EXPECT_LE(encode(ends).size(), kHeaderBytes + kMostBody);
}

TEST(Frames, CutAnywhereAreNone) {
  for (const Frame& frame : all_frames()) {
    const std::string whole = encode(frame);
    for (size_t length = kHeaderBytes; length < whole.size(); length++) {
      const auto cut = decode(static_cast<uint8_t>(whole[4]),
                              bytes_of(whole).subspan(kHeaderBytes, length - kHeaderBytes));
      // Between two entries a list may end.
      if (cut.ok() && *cut) {
        EXPECT_LT(encode(**cut).size(), whole.size());
      }
    }
  }
  EXPECT_FALSE(decode(1, {}).ok());
  EXPECT_FALSE(decode(6, bytes_of("12345678")).ok());
}

TEST(Frames, AreRefusedForWhatCannotBe) {
  const auto why = [](Flow flow) {
    const auto result = read(encode(Flows{{flow}}));
    return result.ok() ? "" : result.error().message();
  };
  EXPECT_EQ(why(six()), "");
  Flow flow = six();
  flow.protocol = IPPROTO_ICMP;
  EXPECT_THAT(why(flow), HasSubstr("protocol"));
  flow = six();
  flow.state = static_cast<State>(9);
  EXPECT_THAT(why(flow), HasSubstr("state"));
  flow = six();
  flow.client.port = 0;
  EXPECT_THAT(why(flow), HasSubstr("an end"));
  flow = six();
  flow.snat.address = test::ip("::");
  EXPECT_THAT(why(flow), HasSubstr("an end"));
  EXPECT_FALSE(decode(4, bytes_of("x")).ok());
}

TEST(Frames, OfLaterVersionsAreSkipped) {
  const auto later = decode(200, bytes_of("whatever"));
  ASSERT_TRUE(later.ok());
  EXPECT_FALSE(later->has_value());
}

TEST(Frames, AreNotLongerThanAllowed) {
  const std::array<uint8_t, kHeaderBytes> long_one{0, 1, 0, 1, 2};
  EXPECT_THAT(decode_header(long_one).error().message(), HasSubstr("65537 bytes"));
}

TEST(Frames, GarbageIsRefusedOrMeansWhatItSays) {
  std::mt19937 dice(7);
  const std::vector<Frame> frames = all_frames();
  for (int round = 0; round < 20000; round++) {
    std::string bytes = encode(frames[dice() % frames.size()]);
    for (uint32_t changes = dice() % 4; changes > 0 && bytes.size() > kHeaderBytes; changes--)
      bytes[kHeaderBytes + dice() % (bytes.size() - kHeaderBytes)] = static_cast<char>(dice());
    const auto result =
        decode(static_cast<uint8_t>(bytes[4]), bytes_of(bytes).subspan(kHeaderBytes));
    if (result.ok() && *result) {
      EXPECT_EQ(encode(**result), bytes);
    }
  }
}

}  // namespace
}  // namespace pair
