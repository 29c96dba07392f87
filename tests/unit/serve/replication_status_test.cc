// What a pair's session says of itself, as it is shown.
#include "agent/serve/replication_status.h"

#include <gmock/gmock.h>

#include "tests/support/addresses.h"

namespace serve {
namespace {

using namespace std::chrono_literals;
using test::ip;
using testing::ElementsAre;
using testing::Pair;

TEST(StatusOfReplication, SaysWhatThePeerIsOnceItHasSaidSo) {
  pair::Report report;
  report.trouble = "says nothing";
  auto status = replication_status(ip("192.0.2.3"), report, 0, {});
  EXPECT_EQ(status.peer, ip("192.0.2.3"));
  EXPECT_EQ(status.peer_role, "");
  EXPECT_EQ(status.trouble, "says nothing");
  EXPECT_EQ(status.synced, std::nullopt);
  report.connected = true;
  EXPECT_EQ(replication_status(ip("192.0.2.3"), report, 0, {}).peer_role, "");
  report.peer = pair::Role::active;
  EXPECT_EQ(replication_status(ip("192.0.2.3"), report, 0, {}).peer_role, "ACTIVE");
  report.peer = pair::Role::standby;
  EXPECT_EQ(replication_status(ip("192.0.2.3"), report, 0, {}).peer_role, "STANDBY");
}

TEST(StatusOfReplication, SaysWhatIsLeftBehind) {
  pair::Report report;
  report.connected = report.in_sync = true;
  report.synced = 1500ms;
  report.flows = 7;
  report.unknown = 1;
  report.unknown_there = 2;
  report.behind = 3;
  report.behind_ms = 40ms;
  report.walks = 5;
  report.changes_lost = 6;
  report.taken.taken = 8;
  report.taken.ended = 9;
  report.taken.refused = {1, 2, 3, 4};
  const auto status = replication_status(ip("192.0.2.3"), report, 10, {11, 12});
  EXPECT_TRUE(status.in_sync);
  EXPECT_EQ(status.synced, 1500ms);
  EXPECT_EQ(status.flows, 7u);
  EXPECT_EQ(status.unknown, 1u);
  EXPECT_EQ(status.unknown_there, 2u);
  EXPECT_EQ(status.not_movable, 10u);
  EXPECT_EQ(status.closed, 11u);
  EXPECT_EQ(status.handed_on, 12u);
  EXPECT_EQ(status.behind, 3u);
  EXPECT_EQ(status.behind_ms, 40ms);
  EXPECT_EQ(status.walks, 5u);
  EXPECT_EQ(status.changes_lost, 6u);
  EXPECT_EQ(status.taken, 8u);
  EXPECT_EQ(status.ended, 9u);
  EXPECT_THAT(status.refused, ElementsAre(Pair("no_room", 4), Pair("not_movable", 2),
                                          Pair("taken", 3), Pair("unknown", 1)));
}

}  // namespace
}  // namespace serve
