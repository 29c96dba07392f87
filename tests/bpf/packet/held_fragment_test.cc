// Fragments before the first one of their packet: they wait for it outside of the program.
#include "tests/bpf/packet/fragment_lab.h"

namespace test {
namespace {

TEST_P(Fragment, BeforeTheFirstIsHeld) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet asked = question(4000);
  const auto frames = fragments(asked, kPiece, kId);
  EXPECT_THAT(run(frames[2]), Drops(LB_FRAGMENT_HELD));
  EXPECT_THAT(run(frames[1]), Drops(LB_FRAGMENT_HELD));
  const std::vector<lb_held> held = read_held();
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(frame_of(held[0]), frames[2]);
  EXPECT_EQ(frame_of(held[1]), frames[1]);
  for (const lb_held& one : held) {
    EXPECT_EQ(one.ifindex, kEth0);
    EXPECT_EQ(bytes_of_key(one.key), bytes_of_key(held[0].key)) << "of one packet";
  }
  const auto out = sent({frames[0], again(frames[2]), again(frames[1])});
  expect_whole(out, asked.between(inside.from, inside.to));
}

TEST_P(Fragment, AnswersAreHeldToo) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet answer = question(4000).between(inside.to, inside.from);
  const auto frames = fragments(answer, kPiece, kId);
  EXPECT_THAT(run(frames[1], kEth1), Drops(LB_FRAGMENT_HELD));
  EXPECT_EQ(read_held().at(0).ifindex, kEth1);
}

// Whoever gives it to the program again waits no more.
TEST_P(Fragment, NoneIsHeldTwice) {
  forwarded(udp(client(), vip()));
  const auto frames = fragments(question(4000), kPiece, kId);
  EXPECT_THAT(run(again(frames[1])), Drops(LB_FRAGMENT_LOST));
  EXPECT_TRUE(read_held().empty());
}

TEST_P(Fragment, LargeOnesAreTheKernels) {
  const Packet asked = question(9000);
  EXPECT_THAT(run(fragment(asked, 4096, 2400, kId, true)), Passes(LB_FRAGMENT));
  EXPECT_THAT(run(fragment(asked, 4096, 1600, kId, true)), Drops(LB_FRAGMENT_HELD));
}

TEST_P(Fragment, WithoutRoomItIsTheKernels) {
  const auto frames = fragments(question(4000), kPiece, kId);
  int kept = 0;
  for (Outcome outcome = run(frames[1]); outcome.verdict() == LB_FRAGMENT_HELD;
       outcome = run(frames[1]))
    ASSERT_LT(++kept, 1000);
  EXPECT_GT(kept, 100);
  EXPECT_THAT(run(frames[1]), Passes(LB_FRAGMENT));
  EXPECT_EQ(read_held().size(), static_cast<size_t>(kept));
  EXPECT_THAT(run(frames[1]), Drops(LB_FRAGMENT_HELD)) << "there is room again";
}

// What is in it does not matter: the first one's protocol says whose they are.
TEST_P(Fragment, OfAPing) {
  auto frames = fragments(question(4000), kPiece, kId);
  for (Bytes& frame : frames) frame[six() ? 14 + 40 : 14 + 9] = six() ? 58 : 1;
  EXPECT_THAT(run(frames[1]), Drops(LB_FRAGMENT_HELD));
  EXPECT_THAT(run(frames[0]), Passes(LB_ICMP));
  EXPECT_THAT(run(again(frames[1])), Passes(LB_FRAGMENT));
  EXPECT_THAT(run(frames[2]), Passes(LB_FRAGMENT));
}

}  // namespace
}  // namespace test
