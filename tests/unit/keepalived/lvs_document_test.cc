// LVS texts: what every element says, and what is refused, with its line. Octavia's own texts are
// read in tests/unit/octavia, down to the model.
#include "keepalived/lvs_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace {

using keepalived::LvsCheck;
using keepalived::LvsDocument;
using keepalived::LvsProtocol;
using keepalived::LvsScheduler;
using keepalived::LvsServer;
using keepalived::LvsVirtualServer;
using keepalived::read_lvs;
using testing::ElementsAre;
using testing::HasSubstr;

std::string sample(const std::string& name) {
  std::ifstream file(std::string(OCTAVIA_SAMPLES) + "/lvs/" + name);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

LvsDocument document_of(const std::string& text) {
  const auto document = read_lvs(text);
  EXPECT_TRUE(document.ok()) << document.error().what;
  return document.ok() ? *document : LvsDocument{};
}

base::Endpoint place(const char* address, uint16_t port) {
  return {*base::IpAddress::parse(address), port};
}

base::Uuid id(int kind, int number) {
  char text[37];
  std::snprintf(text, sizeof(text), "%08d-0000-4000-8000-%012d", kind * 11111111, number);
  return *base::Uuid::parse(text);
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return at == text.npos ? text : text.replace(at, what.size(), with);
}

TEST(LvsDocument, ReadsHeadersAndDisabledThings) {
  const LvsDocument enabled = document_of(sample("08-udp-no-pool.conf"));
  EXPECT_EQ(enabled.load_balancer.text(), "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a");
  EXPECT_EQ(enabled.listener, id(1, 1));
  EXPECT_TRUE(enabled.is_enabled);
  EXPECT_TRUE(enabled.virtual_servers.empty());
  EXPECT_FALSE(document_of(sample("07-udp-listener-disabled.conf")).is_enabled);

  const LvsDocument pool = document_of(sample("09-udp-pool-disabled.conf"));
  ASSERT_EQ(pool.virtual_servers.size(), 1U);
  EXPECT_EQ(pool.virtual_servers[0].pool, id(2, 1));
  EXPECT_FALSE(pool.virtual_servers[0].pool_is_enabled);
}

TEST(LvsDocument, ReadsAVirtualServer) {
  const LvsDocument document = document_of(sample("02-udp-lc-hm-udpconnect.conf"));
  ASSERT_EQ(document.virtual_servers.size(), 1U);
  const LvsVirtualServer& server = document.virtual_servers[0];
  EXPECT_THAT(server.vips, ElementsAre(place("203.0.113.10", 53)));
  EXPECT_EQ(server.scheduler, LvsScheduler::least_connections);
  EXPECT_EQ(server.protocol, LvsProtocol::udp);
  EXPECT_EQ(server.delay, 5);
  EXPECT_EQ(server.retry, 3);
  EXPECT_EQ(server.pool, id(2, 1));
  EXPECT_EQ(server.monitor, id(4, 1));
  const LvsCheck check{LvsCheck::Kind::udp_connect, place("198.51.100.4", 5353), 3, "", {}};
  ASSERT_EQ(server.servers.size(), 4U);
  EXPECT_EQ(server.servers[2],
            (LvsServer{id(3, 3), 41, std::nullopt, 0, std::nullopt, std::nullopt}));
  EXPECT_EQ(server.servers[3], (LvsServer{id(3, 4), 44, place("192.0.2.14", 53), 1, 100, check}));
}

TEST(LvsDocument, ReadsEveryCheck) {
  const auto check_of = [](const char* name) {
    return document_of(sample(name)).virtual_servers.at(0).servers.at(0).check.value();
  };
  const auto target = place("192.0.2.11", 8080);
  EXPECT_EQ(check_of("03-udp-sh-hm-http-persist.conf"),
            (LvsCheck{LvsCheck::Kind::http, target, 3, "/healthz", {200, 202, 203, 204}}));
  EXPECT_EQ(check_of("04-udp-hm-tcp-persist-defaults.conf"),
            (LvsCheck{LvsCheck::Kind::tcp, target, 3, "", {}}));
  // The time that the program is told, not the second more that it is given.
  EXPECT_EQ(check_of("05-sctp-hm-sctp.conf"), (LvsCheck{LvsCheck::Kind::sctp, target, 3, "", {}}));
}

TEST(LvsDocument, ReadsPersistenceAndBothFamilies) {
  const LvsDocument document = document_of(sample("06-udp-dualstack.2026.conf"));
  ASSERT_EQ(document.virtual_servers.size(), 2U);
  const LvsVirtualServer &v4 = document.virtual_servers[0], &v6 = document.virtual_servers[1];
  EXPECT_THAT(v4.vips, ElementsAre(place("203.0.113.10", 53), place("203.0.113.50", 53)));
  EXPECT_THAT(v6.vips, ElementsAre(place("2001:db8::10", 53)));
  EXPECT_EQ(v4.persistence_timeout, 360);
  EXPECT_EQ(v4.persistence_granularity, "255.255.255.255");
  EXPECT_EQ(v6.persistence_granularity, "128");
  EXPECT_EQ(v6.servers.at(0).place, place("2001:db8:1::12", 53));
}

TEST(LvsDocument, RefusesWithTheLine) {
  struct Case {
    const char *what, *with, *error;
  };
  const Case cases[] = {
      {"lb_kind NAT", "lb_kind DR", "line 12: it is not understood: lb_kind DR"},
      {"lb_algo lc", "lb_algo rr", "line 11: it is not understood: lb_algo rr"},
      {"protocol UDP", "protocol TCP", "line 13: it is not understood: protocol TCP"},
      {"protocol UDP", "ops", "line 13: it is not understood: ops"},
      {"    protocol UDP\n", "", "line 10: lb_algo, lb_kind or protocol is missing"},
      {"retry 3", "lb_kind NAT", "line 16: it is not understood: lb_kind NAT"},
      {"delay_before_retry 5", "delay_before_retry 4", "line 15: it is not understood"},
      {"weight 1", "weight 257", "line 23: it is not understood: weight 257"},
      {"weight 1", "weight -0", "line 23: it is not understood: weight -0"},
      {"        weight 1\n", "", "line 22: the real_server has no weight"},
      {"uthreshold 100", "uthreshold 0", "line 24: it is not understood: uthreshold 0"},
      {"192.0.2.11 53 {", "192.0.2.11 0 {", "line 22: it is not understood"},
      {"192.0.2.11 53 {", "2001:db8::1 53 {", "line 22: its family is not the one of the group"},
      {"# Configuration for Member 33333333-0000-4000-8000-000000000001", "#",
       "line 22: no comment before it names its member"},
      {"Member 33333333-0000-4000-8000-000000000001", "Member x",
       "line 21: it is not understood: # Configuration for Member x"},
      {"udp_check.sh 192", "other.sh 192", "line 26: it is not understood"},
      {"/var/lib/octavia/lvs/check/udp_check.sh", "x y /lvs/check/udp_check.sh", "line 26"},
      {"            misc_timeout 3\n", "", "line 25: the check is not known"},
      {"MISC_CHECK", "DNS_CHECK", "line 25: it is not understood: DNS_CHECK {"},
      {"203.0.113.10 53", "203.0.113.10", "line 7: it is not understood"},
      {"    203.0.113.10 53\n", "", "line 6: the group has no address"},
      {"group ipv4-group {\n    lb", "group other {\n    lb", "line 10: there is no such group"},
      {"# Configuration for Listener", "# Configuration of Listener",
       "line 54: no comment names the load balancer and the listener"},
      {"net_namespace amphora-haproxy", "include /etc/passwd", "line 4: it is not understood"},
  };
  const std::string good = sample("02-udp-lc-hm-udpconnect.conf");
  for (const Case& c : cases) {
    const auto document = read_lvs(replaced(good, c.what, c.with));
    ASSERT_FALSE(document.ok()) << c.with;
    EXPECT_THAT(document.error().what, HasSubstr(c.error));
  }
}

// Whatever is cut off within a block is missed.
TEST(LvsDocument, RefusesATextThatWasCutOff) {
  const std::string good = sample("03-udp-sh-hm-http-persist.conf");
  const size_t begin = good.find("virtual_server_group");
  const size_t last = good.rfind('}');
  for (size_t end = begin + 1; end <= last; end++)
    EXPECT_FALSE(read_lvs(good.substr(0, end)).ok()) << end;
  EXPECT_TRUE(read_lvs(good.substr(0, last + 1)).ok());
}

TEST(LvsDocument, IsBounded) {
  const auto error_of = [](const std::string& text) {
    const auto document = read_lvs(text);
    return document.ok() ? "none" : document.error().what;
  };
  EXPECT_EQ(error_of(std::string("#\n\0", 3)), "line 2: there is a NUL in it");
  EXPECT_THAT(error_of(std::string(10U << 20, '\n')), HasSubstr("the text is longer than"));
  const std::string long_line(1U << 20, 'x');
  EXPECT_EQ(error_of("#\n" + long_line),
            "line 2: it is not understood: " + std::string(60, 'x') + "...");
  std::string deep;
  for (int i = 0; i < 100000; i++) deep += "url {\n";
  EXPECT_THAT(error_of(deep), HasSubstr("line 1: it is not understood"));
}

}  // namespace
