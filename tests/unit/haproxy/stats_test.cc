#include "haproxy/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "haproxy/processes.h"
#include "tests/unit/haproxy/specs.h"

namespace haproxy {
namespace {

using haproxy_test::id;
using haproxy_test::pool;

TEST(Stats, AreReadByTheNamesOfTheColumns) {
  const std::string l = id(1).text(), b = pool(2).text(), s = id(3).text();
  WorkerStats stats;
  ASSERT_TRUE(parse_stats(
      "# pxname,svname,scur,stot,bin,bout,ereq,econ,eresp,status,check_status,last_chk,\n" + l +
          ",FRONTEND,1,2,3,4,5,,,OPEN,,,\n" + b + "," + s +
          ",1,2,30,40,,6,7,DOWN 1/2,* L7STS,\"code <503>, \"\"no\"\"\",\n" + b +
          ",BACKEND,1,2,30,40,,,,UP,,,\nmetrics,agent,9,9,9,9,,,,UP,,,\n",
      stats));
  ASSERT_EQ(stats.frontends.size(), 1u);
  EXPECT_EQ(stats.frontends.at(id(1)), (FrontendStats{"OPEN", {3, 4, 1, 2, 5}}));
  ASSERT_EQ(stats.backends.size(), 1u);
  const BackendStats& backend = stats.backends.at(pool(2));
  EXPECT_EQ(backend.status, "UP");
  EXPECT_EQ(backend.servers.at(id(3)),
            (ServerStats{"DOWN 1/2", "L7STS: code <503>, \"no\"", {30, 40, 1, 2, 13}}));
}

TEST(Stats, OtherTextIsNone) {
  WorkerStats stats;
  EXPECT_FALSE(parse_stats("", stats));
  EXPECT_FALSE(parse_stats("Unknown command.\n", stats));
}

TEST(Stats, AWorkerIsDrainedWhenOnlyWeKeepIt) {
  EXPECT_TRUE(is_drained("Pid: 1\nJobs: 2\nUnstoppable Jobs: 1\nStopping: 1\n", 1));
  EXPECT_FALSE(is_drained("Pid: 1\nJobs: 3\nUnstoppable Jobs: 1\nStopping: 1\n", 1));
  EXPECT_FALSE(is_drained("Pid: 1\nJobs: 2\nUnstoppable Jobs: 1\nStopping: 0\n", 1));
  EXPECT_FALSE(is_drained("", 1));
}

TEST(Processes, AreThoseOfTheMaster) {
  const auto found = parse_processes(
      "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
      "10323           master          4 [failed: 1]   0d00h00m04s     2.6.12-1+deb12u4\n"
      "# workers\n10539           worker          0               0d00h00m01s     2.6.12\n"
      "# old workers\n10335           worker          1               0d00h00m03s     2.6.12\n"
      "# programs\n\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Processes{10323, 4, 1, 10539, {10335}}));
  EXPECT_FALSE(parse_processes("garbage"));
  EXPECT_FALSE(parse_processes(""));
}

TEST(Stats, AServerIsUpOrDownOnlyIfItIsChecked) {
  for (const char* up : {"UP", "UP 1/3", "DRAIN", "DRAIN (agent)"})
    EXPECT_EQ(health_of(up), Health::up) << up;
  for (const char* down : {"DOWN", "DOWN 1/2"}) EXPECT_EQ(health_of(down), Health::down) << down;
  for (const char* unknown : {"no check", "MAINT", "MAINT (via x)", "NOLB", ""})
    EXPECT_EQ(health_of(unknown), std::nullopt) << unknown;
}

}  // namespace
}  // namespace haproxy
