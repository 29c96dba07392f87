#include "haproxy/stick_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace haproxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kDump =
    "# table: b, type: ipv6, size:10240, used:3\n"
    "0x5605afbe5880: key=::ffff:127.0.0.1 use=0 exp=0 server_id=1 server_key=s1\n"
    "0x5605afbe5881: key=2001:db8::1 use=0 exp=0 server_id=2 server_key=s2\n"
    "0x5605afbe5882: key=abd use=0 exp=0 server_id=0 server_key=-\n\n";

TEST(StickTables, ThoseThatHoldSomething) {
  EXPECT_THAT(used_tables("# table: c, type: string, size:10240, used:2\n"
                          "# table: b, type: ipv6, size:10240, used:0\n\n"),
              ElementsAre("c"));
  EXPECT_THAT(used_tables(""), IsEmpty());
}

TEST(StickTables, EntriesNameTheirServers) {
  EXPECT_THAT(stick_entries("b", kDump, {}),
              ElementsAre(StickEntry{"::ffff:127.0.0.1", "s1"}, StickEntry{"2001:db8::1", "s2"}));
}

// So are those that the worker was given itself.
TEST(StickTables, EntriesWithoutANameGoByTheNumber) {
  const std::string given = "0x1: key=abc use=0 exp=0 server_id=2 server_key=-\n";
  const ServerNumbers numbers{{{"b", "s1"}, 1}, {{"b", "s2"}, 2}, {{"c", "s3"}, 2}};
  EXPECT_THAT(stick_entries("b", given, numbers), ElementsAre(StickEntry{"abc", "s2"}));
  EXPECT_THAT(stick_entries("d", given, numbers), IsEmpty());
}

// A cookie is a client's to choose: it ends no command.
TEST(StickTables, AKeyIsOneWord) {
  EXPECT_THAT(stick_entries("b",
                            "0x1: key=a;shutdown use=0 exp=0 server_id=1 server_key=s1\n"
                            "0x1: key=a\\ use=0 exp=0 server_id=1 server_key=s1\n",
                            {}),
              IsEmpty());
}

TEST(StickTables, AreToldWithTheNumbersOfTheNewWorker) {
  const ServerNumbers numbers = server_numbers(
      "1\n# be_id be_name srv_id srv_name srv_addr\n3 b 1 s2 192.0.2.1 2\n3 b 7 s3 192.0.2.2 2\n");
  EXPECT_THAT(set_commands("b", stick_entries("b", kDump, {}), numbers),
              ElementsAre("set table b key 2001:db8::1 data.server_id 1"));
  EXPECT_THAT(set_commands("b", {{"k1", "s2"}, {"k2", "s3"}}, numbers),
              ElementsAre("set table b key k1 data.server_id 1;"
                          "set table b key k2 data.server_id 7"));
}

TEST(StickTables, LinesAreNoLongerThanHaproxyReads) {
  const std::vector<StickEntry> many(1000, {"192.0.2.1", "s"});
  const auto commands = set_commands("b", many, {{{"b", "s"}, 1}});
  EXPECT_GT(commands.size(), 1u);
  for (const std::string& command : commands) EXPECT_LT(command.size(), 16384u);
}

}  // namespace
}  // namespace haproxy
