// Lines of connections: what HAProxy 2.6 writes of one that it carried in mode tcp, field by field.
#include "agent/flow_log/format.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

namespace flow_log {
namespace {

using namespace std::chrono_literals;

base::Endpoint at(const char* address, uint16_t port) {
  return {*base::IpAddress::parse(address), port};
}

Connection connection() {
  Connection c;
  c.client = at("198.51.100.7", 40000);
  c.vip = at("198.51.100.10", 80);
  c.source = at("203.0.113.2", 20000);
  c.member = at("203.0.113.11", 8080);
  c.frontend = "front";
  c.backend = "pool:front";
  c.server = "one";
  c.bytes_in = 5;
  c.bytes_out = 10;
  c.begun = Connection::Time(std::chrono::seconds(1795913555) + 330ms);
  c.ended = *c.begun + 1500ms;
  c.state = "cD";
  return c;
}

class Lines : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static std::string line(const std::string& format, const Connection& c = connection()) {
    return Format::parse(format).line(c, {"vm", 77});
  }
};

TEST_F(Lines, AreAsOctaviaAsksForThem) {
  EXPECT_EQ(line("1f2e 6e0a %f %ci %cp %t - - %B %U %[ssl_c_verify] %{+Q}[ssl_c_s_dn] %b %s %Tt "
                 "%tsc"),
            "1f2e 6e0a front 198.51.100.7 40000 29/Nov/2026:00:52:35.330 - - 10 5 - \"\" "
            "pool:front one 1500 cD--");
}

// As HAProxy 2.6.12 wrote them of such a connection.
TEST_F(Lines, HaveEveryFieldOfHaproxysModeTcp) {
  EXPECT_EQ(
      line("H=%H|ST=%ST|T=%T|Tl=%Tl|Ts=%Ts|Td=%Td|Th=%Th|Tu=%Tu|ac=%ac|bc=%bc|bi=%bi|bp=%bp|"
           "bq=%bq|fc=%fc|fi=%fi|fp=%fp|ft=%ft|lc=%lc|ms=%ms|pid=%pid|rc=%rc|rt=%rt|sc=%sc|"
           "si=%si|sp=%sp|sq=%sq|sslc=%sslc|sslv=%sslv|ts=%ts|ID=%ID|lit=%%"),
      "H=vm|ST=0|T=29/Nov/2026:00:52:35 +0000|Tl=29/Nov/2026:00:52:35 +0000|Ts=1795913555|"
      "Td=1500|Th=0|Tu=1500|ac=0|bc=0|bi=203.0.113.2|bp=20000|bq=0|fc=0|fi=198.51.100.10|fp=80|"
      "ft=front|lc=0|ms=330|pid=77|rc=0|rt=0|sc=0|si=203.0.113.11|sp=8080|sq=0|sslc=-|sslv=-|"
      "ts=cD|ID=-|lit=%");
}

TEST_F(Lines, SayWhatIsNotKnownAsHaproxyDoes) {
  Connection c = connection();
  c.begun.reset();
  EXPECT_EQ(line("%t|%T|%Ts|%ms|%Tt|%Tw|%Tc|%nobody|%{+Q}t", c), "-|-|-|-|-1|-1|-1|-|\"\"");
}

TEST_F(Lines, QuoteTextsAndNoNumbers) {
  EXPECT_EQ(line("%{+Q}b %{+Q}ci %{+Q}B"), "\"pool:front\" \"198.51.100.7\" 10");
  EXPECT_EQ(line("%{+Q}o%f %s %{-Q}b"), "\"front\" \"one\" pool:front");
}

TEST_F(Lines, HaveOneBlankWhereTheFormatHasSeveral) {
  EXPECT_EQ(line("  a   %f  b "), "a front b ");
}

TEST_F(Lines, AreLines) { EXPECT_EQ(line("a\nb\x01%f\r"), "a?b?front?"); }

TEST_F(Lines, ComeOfAnyText) {
  for (const char* text : {"%", "%{", "%{+Q", "%[", "%{+Q}[a", "%{}%{}[]", "", "%%%", "%1"})
    EXPECT_FALSE(line(text).find('\n') != std::string::npos) << text;
  EXPECT_EQ(line("%{+Q"), "\"\"");
  EXPECT_EQ(line("%[src"), "-");
}

TEST_F(Lines, HaveIpv6WithoutBrackets) {
  Connection c = connection();
  c.client = at("2001:db8::7", 40000);
  EXPECT_EQ(line("%ci %cp", c), "2001:db8::7 40000");
}

TEST_F(Lines, NeverLastLessThanNothing) {
  Connection c = connection();
  c.ended = *c.begun - 1s;  // the clock was set
  EXPECT_EQ(line("%Tt", c), "0");
}

}  // namespace
}  // namespace flow_log
