// Where a log goes, and how much of it.
#include "agent/flow_log/target.h"

#include <gtest/gtest.h>

#include "agent/flow_log/allowance.h"

namespace flow_log {
namespace {

using namespace std::chrono_literals;

TEST(LogTarget, IsASocketOrAnAddress) {
  EXPECT_EQ(target_of("/run/rsyslog/octavia/log", "local0")->path, "/run/rsyslog/octavia/log");
  EXPECT_EQ(target_of("/dev/log", "local7")->facility, 23);
  EXPECT_EQ(target_of("/dev/log", "user")->facility, 1);
  EXPECT_EQ(target_of("192.0.2.5", "local0")->text(), "192.0.2.5:514");
  EXPECT_EQ(target_of("192.0.2.5:1514", "local0")->text(), "192.0.2.5:1514");
  EXPECT_EQ(target_of("2001:db8::5", "local0")->text(), "[2001:db8::5]:514");
  EXPECT_EQ(target_of("[2001:db8::5]:99", "local0")->text(), "[2001:db8::5]:99");
}

TEST(LogTarget, IsNothingElse) {
  for (const char* address :
       {"", "log", "stdout", "fd@1", "192.0.2.5:0", "192.0.2.5:x", "host:514"})
    EXPECT_FALSE(target_of(address, "local0")) << address;
  EXPECT_FALSE(target_of("/" + std::string(200, 'a'), "local0"));
  EXPECT_FALSE(target_of("/dev/log", "local8"));
  EXPECT_FALSE(target_of("/dev/log", "notice"));
}

TEST(Allowance, IsSoManyASecondAndSomeAtOnce) {
  Allowance allowance(10, 40);
  const Allowance::Time begin{1h};
  int taken = 0;
  while (allowance.take(begin)) taken++;
  EXPECT_EQ(taken, 40);
  EXPECT_FALSE(allowance.take(begin + 50ms));
  EXPECT_TRUE(allowance.take(begin + 150ms));
  EXPECT_FALSE(allowance.take(begin + 150ms));
  taken = 0;
  while (allowance.take(begin + 1h)) taken++;
  EXPECT_EQ(taken, 40);
}

}  // namespace
}  // namespace flow_log
