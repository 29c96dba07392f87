// Where an uploaded haproxy.cfg has connections logged.
#include "agent/octavia/connection_logs.h"

#include <gmock/gmock.h>

#include "tests/unit/octavia/written.h"

namespace octavia_test {
namespace {

using flow_log::ConnectionLog;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kListener = "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5b";

flow_log::ConnectionLogs logs_of(const std::string& global, const std::string& defaults,
                                 const std::string& frontend) {
  octavia::Uploads uploads;
  uploads.haproxy[uuid("6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a")] =
      "global\n" + global + "defaults\n" + defaults + "frontend " + kListener + "\n" + frontend;
  return octavia::connection_logs(uploads);
}

TEST(ConnectionLogs, AreAsOctaviaWritesThem) {
  const auto logs = logs_of(
      "    log /run/rsyslog/octavia/log local0\n    log /run/rsyslog/octavia/log local1 notice\n",
      "    log global\n", "    log-format project\\ lb\\ %f\\ %{+Q}[ssl_c_s_dn]\n");
  ASSERT_EQ(logs.size(), 1u);
  const ConnectionLog& log = logs.at(uuid(kListener));
  EXPECT_THAT(log.receivers,
              ElementsAre(ConnectionLog::Receiver{"/run/rsyslog/octavia/log", "local0"}));
  EXPECT_EQ(log.format, "project lb %f %{+Q}[ssl_c_s_dn]");
}

TEST(ConnectionLogs, AreNoneWithoutATargetAFormatOrTheWish) {
  const std::string global = "    log /dev/log local0\n", format = "    log-format %f\n";
  EXPECT_EQ(logs_of(global, "    log global\n", format).size(), 1u);
  EXPECT_THAT(logs_of("    log /dev/log local0 notice\n", "    log global\n", format), IsEmpty());
  EXPECT_THAT(logs_of("", "    log global\n", format), IsEmpty());
  EXPECT_THAT(logs_of(global, "    no log\n", format), IsEmpty());
  EXPECT_THAT(logs_of(global, "", format), IsEmpty());
  EXPECT_THAT(logs_of(global, "    log global\n", "    mode tcp\n"), IsEmpty());
}

TEST(ConnectionLogs, GoToEveryTargetThatTakesConnections) {
  const auto logs = logs_of("    log /dev/log local0 info\n    log 192.0.2.5:514 local3 debug\n",
                            "    log global\n", "    log-format %f\n");
  EXPECT_THAT(logs.at(uuid(kListener)).receivers,
              ElementsAre(ConnectionLog::Receiver{"/dev/log", "local0"},
                          ConnectionLog::Receiver{"192.0.2.5:514", "local3"}));
}

TEST(ConnectionLogs, AreNoneOfATextThatIsNone) {
  octavia::Uploads uploads;
  uploads.haproxy[uuid(kListener)] = "global\n    log \"open\n";
  EXPECT_THAT(octavia::connection_logs(uploads), IsEmpty());
}

}  // namespace
}  // namespace octavia_test
