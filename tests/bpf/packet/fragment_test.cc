// Packets in pieces: the first one finds or makes the flow, the others follow it.
#include "tests/bpf/packet/fragment_lab.h"

namespace test {
namespace {

INSTANTIATE_TEST_SUITE_P(Families, Fragment, testing::Values(&kPlaces4, &kPlaces6),
                         [](const auto& test) { return test.param->name; });

TEST_P(Fragment, LargeDatagramsBothWays) {
  const Ends inside = forwarded(udp(client(), vip()));
  for (const size_t bytes : {size_t{1500}, size_t{4096}, size_t{8192}, places().largest}) {
    const Packet asked = question(bytes);
    expect_whole(sent(fragments(asked, kPiece, kId)), asked.between(inside.from, inside.to));
    const Packet answer = asked.between(inside.to, inside.from);
    expect_whole(sent(fragments(answer, kPiece, kId), kEth1), asked.between(vip(), client()));
  }
  EXPECT_EQ(traces(), 0u) << "nothing is kept of what has come";
}

TEST_P(Fragment, TheFirstOneMakesTheFlow) {
  const Packet asked = question(4000);
  const auto frames = sent(fragments(asked, kPiece, kId));
  const Ends inside = ends_of(frames.front());
  EXPECT_EQ(inside.to, at(places().member, 53));
  expect_whole(frames, asked.between(inside.from, inside.to));
  EXPECT_EQ(live_flows(), 1u);
  pass(std::chrono::hours(1));
  sweep();
  EXPECT_EQ(stats_of(vip(), 17).bytes_in, 4000u) << "of all of them";
}

TEST_P(Fragment, BehindTheFirstInAnyOrder) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet asked = question(8000);
  auto frames = fragments(asked, kPiece, kId);
  std::reverse(frames.begin() + 1, frames.end());
  std::swap(frames[2], frames[4]);
  expect_whole(sent(frames), asked.between(inside.from, inside.to));
}

TEST_P(Fragment, ConnectionsToo) {
  const Ends inside = connect(client(), vip());
  const Packet packet = tcp(client(), vip()).payload(2000).may_be_fragmented();
  expect_whole(sent(fragments(packet, 1200, kId)), packet.between(inside.from, inside.to));
}

TEST_P(Fragment, WithoutChecksum) {
  if (six()) return;  // there it must have one
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet asked = question(3000).no_checksum();
  expect_whole(sent(fragments(asked, kPiece, kId)), asked.between(inside.from, inside.to));
}

TEST_P(Fragment, OfWhatIsTheKernels) {
  const Packet other = udp(client(), {vip().address, 5}).payload(3000).may_be_fragmented();
  const auto frames = fragments(other, kPiece, kId);
  EXPECT_THAT(run(frames[0]), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(frames[1]), Passes(LB_FRAGMENT));
  EXPECT_THAT(run(again(frames[2])), Passes(LB_FRAGMENT)) << "it was held, because it came first";
}

// Its checksum would have to be changed by the length of the whole packet.
TEST_P(Fragment, OfSctpAreTheKernels) {
  const Packet init = sctp(client(), vip()).init(1).may_be_fragmented();
  for (const Bytes& frame : fragments(init, 16, kId)) EXPECT_THAT(run(frame), Passes(LB_FRAGMENT));
}

// Both leave from our address: a receiver would mix them.
TEST_P(Fragment, IdsOfTwoSendersDoNotMeet) {
  const auto one = sent(fragments(question(3000), kPiece, kId));
  const auto two =
      sent(fragments(question(3000).between(places().other_client, vip()), kPiece, kId));
  EXPECT_NE(fragment_id(one.front()), fragment_id(two.front()));
  EXPECT_NE(joined(one), std::nullopt);
  EXPECT_NE(joined(two), std::nullopt);
}

TEST_P(Fragment, TheSameIdAgainOnceAllHaveCome) {
  const Ends inside = forwarded(udp(client(), vip()));
  for (int i = 0; i < 3; ++i) {
    const Packet asked = question(3000);
    expect_whole(sent(fragments(asked, kPiece, kId)), asked.between(inside.from, inside.to));
  }
}

TEST_P(Fragment, TheSameIdAgainWhenOneWasLost) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet asked = question(3000);
  sent({fragments(asked, kPiece, kId).front()});
  age(2);
  expect_whole(sent(fragments(asked, kPiece, kId)), asked.between(inside.from, inside.to));
}

// ---- what is wrong with them --------------------------------------------------------------------

TEST_P(Fragment, Twice) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet asked = question(6000);
  const auto frames = fragments(asked, kPiece, kId);
  auto out = sent({frames[0], frames[1]});
  EXPECT_THAT(run(frames[0]), Drops(LB_BAD_FRAGMENT));
  EXPECT_THAT(run(frames[1]), Drops(LB_BAD_FRAGMENT));
  for (size_t i = 2; i < frames.size(); ++i) out.push_back(sent({frames[i]}).front());
  expect_whole(out, asked.between(inside.from, inside.to));
  EXPECT_EQ(stats_of(vip(), 17).verdicts[LB_BAD_FRAGMENT], 2u);
}

TEST_P(Fragment, OverlappingSpoilsThePacket) {
  const Packet asked = question(6000);
  const auto frames = fragments(asked, kPiece, kId);
  sent({frames[0]});
  EXPECT_THAT(run(fragment(asked, kPiece - 8, kPiece, kId, true)), Drops(LB_BAD_FRAGMENT));
  for (size_t i = 1; i < frames.size(); ++i)
    EXPECT_THAT(run(frames[i]), Drops(LB_BAD_FRAGMENT)) << i;
}

TEST_P(Fragment, BehindTheLast) {
  const Packet asked = question(6000);
  const auto frames = fragments(asked, kPiece, kId);
  sent({frames[0], frames.back()});
  EXPECT_THAT(run(fragment(asked, 8000, 800, kId, true)), Drops(LB_BAD_FRAGMENT));
  EXPECT_THAT(run(frames[1]), Drops(LB_BAD_FRAGMENT));
}

// Other ports: what follows must not go to another flow.
TEST_P(Fragment, AnotherFirstOne) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Packet asked = question(3000);
  const auto frames = fragments(asked, kPiece, kId);
  auto out = sent({frames[0]});
  const auto other = fragments(asked.between(client(), {vip().address, 81}), kPiece, kId);
  EXPECT_THAT(run(other[0]), Drops(LB_BAD_FRAGMENT));
  out.push_back(sent({frames[1]}).front());
  out.push_back(sent({frames[2]}).front());
  expect_whole(out, asked.between(inside.from, inside.to));
}

TEST_P(Fragment, TooMany) {
  const Packet asked = question(2000);
  Outcome last = run(fragment(asked, 0, 8, kId, true));
  EXPECT_EQ(last.verdict(), LB_NEW_FLOW);
  for (size_t i = 1; i < 128; ++i) sent({fragment(asked, i * 8, 8, kId, true)});
  EXPECT_THAT(run(fragment(asked, 128 * 8, 8, kId, true)), Drops(LB_BAD_FRAGMENT));
}

TEST_P(Fragment, TooLate) {
  const auto frames = fragments(question(3000), kPiece, kId);
  sent({frames[0]});
  age(31);
  EXPECT_THAT(run(frames[1]), Drops(LB_BAD_FRAGMENT));
}

TEST_P(Fragment, Lies) {
  const Packet syn = tcp(client(), vip()).syn().payload(100), asked = question(4000);
  EXPECT_THAT(run(fragment(syn, 0, 16, kId, true)), Drops(LB_BAD_FRAGMENT)) << "tiny";
  EXPECT_THAT(run(fragment(asked, 0, 30, kId, true)), Drops(LB_BAD_FRAGMENT)) << "no whole unit";
  sent({fragment(asked, 0, kPiece, kId, true)});
  EXPECT_THAT(run(fragment(asked, kPiece, 1001, kId, true)), Drops(LB_BAD_FRAGMENT));
  EXPECT_THAT(run(fragment(asked, 65528, 8, kId, false)), Drops(LB_BAD_FRAGMENT)) << "beyond";
}

TEST_P(Fragment, AfterTheFlowHasEnded) {
  const auto frames = fragments(question(4000), kPiece, kId);
  sent({frames[0]});
  pass(std::chrono::hours(1));
  sweep(2);
  EXPECT_THAT(run(frames[1]), Drops(LB_RECYCLED));
}

TEST_P(Fragment, FromTheWrongSide) {
  const auto frames = fragments(question(4000), kPiece, kId);
  sent({frames[0]});
  EXPECT_THAT(run(frames[1], kEth1), Drops(LB_WRONG_SIDE));
}

// ---- ways that they cannot go -------------------------------------------------------------------

TEST_P(Fragment, WithoutAHopLeft) {
  const Packet asked = question(4000);
  sent({fragments(asked, kPiece, kId)[0]});
  EXPECT_THAT(run(fragments(Packet(asked).ttl(1), kPiece, kId)[1]), Drops(LB_TTL_EXPIRED));
}

TEST_P(Fragment, LargerThanTheWay) {
  net().link(kEth1, "eth1", {"203.0.113.10/24", "2001:db8:2::10/64"}, 1280);
  install_all();
  const auto frames = fragments(question(4000), kPiece, kId);
  const Outcome first = run(frames[0]);
  if (six()) {
    EXPECT_EQ(first.verdict(), LB_TOLD_TOO_BIG);
    EXPECT_THAT(run(frames[1]), Drops(LB_FRAGMENT_HELD));
    return;
  }
  // The kernel makes smaller ones of them.
  EXPECT_EQ(first.verdict(), LB_NEEDS_FRAGMENTS);
  std::vector<Bytes> handed{first.after};
  for (size_t i = 1; i < frames.size(); ++i) {
    const Outcome outcome = run(frames[i]);
    handed.push_back(outcome.after);
    EXPECT_TRUE(outcome.verdict() == LB_NEEDS_FRAGMENTS || i + 1 == frames.size()) << outcome;
  }
  EXPECT_NE(joined(handed), std::nullopt);
}

TEST_P(Fragment, TheKernelForwardsAllOrNone) {
  const base::Endpoint stranger = at(places().unknown, 40000);
  const Ends inside = ends_of(run(udp(stranger, vip())).after);
  const Packet answer = udp(inside.to, inside.from).payload(4000).may_be_fragmented();
  std::vector<Bytes> handed;
  for (const Bytes& frame : fragments(answer, kPiece, kId)) {
    const Outcome outcome = run(frame, kEth1);
    EXPECT_EQ(outcome.verdict(), LB_NEXTHOP_UNRESOLVED) << outcome;
    handed.push_back(outcome.after);
  }
  const auto whole = joined(handed);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(flaw(*whole), std::nullopt);
  EXPECT_EQ(ends_of(*whole).to, stranger);
}

// ---- and errors about them ----------------------------------------------------------------------

TEST_P(Fragment, QuotedInAnError) {
  const Ends inside = forwarded(udp(client(), vip()));
  const Error too_big = six() ? Error{2, 0, 1280} : Error{3, 4, 1280};
  const auto error = [&](const Packet& about) {
    return Packet(about).fragment(six() ? 1 : 0x2000).payload(1472);
  };
  const auto router = ip(places().member);
  EXPECT_THAT(run(icmp_error(router, error(udp(inside.from, inside.to)), too_big), kEth1),
              Translates(icmp_error(vip().address, error(udp(client(), vip())), too_big)));
  const auto later = [&](Packet about) { return about.fragment(six() ? 1480 | 1 : 0x20b9); };
  EXPECT_THAT(run(icmp_error(router, later(udp(inside.from, inside.to)), too_big), kEth1),
              Passes(LB_ICMP_ERROR));
}

}  // namespace
}  // namespace test
