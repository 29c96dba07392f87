// What is read from texts of others.
#include <gtest/gtest.h>

#include "agent/cli/look/parts.h"

namespace look {
namespace {

TEST(Look, TheUnitsOptionsSayWhichConfiguration) {
  const auto amphora = options_in(
      "# comment\n#AMPHORA_XDP_OPTIONS=\"--config /no\"\n"
      "AMPHORA_XDP_OPTIONS=\"--config-file /etc/octavia/amphora-agent.conf\"\n");
  EXPECT_EQ(amphora.amphora_conf, "/etc/octavia/amphora-agent.conf");
  EXPECT_EQ(amphora.config, "");
  EXPECT_EQ(options_in("AMPHORA_XDP_OPTIONS=--config=/etc/other.json\n").config, "/etc/other.json");
  EXPECT_EQ(options_in("").config, "");
  EXPECT_EQ(options_in("AMPHORA_XDP_OPTIONS=\n").amphora_conf, "");
}

TEST(Look, VersionsAreReadFromWhatProgramsSay) {
  EXPECT_EQ(version_in("HAProxy version 2.6.12-1+deb12u3 2025/10/03 - https://haproxy.org/\n"),
            "2.6.12-1+deb12u3");
  EXPECT_EQ(version_in("Keepalived v2.2.7 (01/16,2022)\n\nCopyright 2001-2022\n"), "2.2.7");
  EXPECT_EQ(version_in("no number\n1.2"), "");
  EXPECT_EQ(version_in(""), "");
}

}  // namespace
}  // namespace look
