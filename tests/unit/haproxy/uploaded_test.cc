// What of an uploaded text our HAProxy may load.
#include "haproxy/uploaded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace haproxy_test {
namespace {

using haproxy::examine_upload;
using haproxy::Uploaded;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kFolder = "/var/lib/octavia";

TEST(UploadedTexts, OfOctaviaAreTaken) {
  int count = 0;
  for (const char* folder : {"/haproxy", "/haproxy-2026"}) {
    const auto all = std::filesystem::directory_iterator(std::string(OCTAVIA_SAMPLES) + folder);
    for (const auto& entry : all) {
      const Uploaded uploaded{*base::read_file(entry.path()), "RuQer6hokPCZ7dAIIGmrhyIOGkQ"};
      const auto good = examine_upload(uploaded, kFolder);
      EXPECT_TRUE(good.ok()) << entry.path() << ": " << good.error().message();
      EXPECT_THAT(haproxy::server_state_file(uploaded.text), StartsWith("/var/lib/octavia/"));
      count++;
    }
  }
  EXPECT_GE(count, 30);
}

// Both names are in the text; of this node's alone the address is the agent's.
TEST(UploadedTexts, HaveThisNodesOwnPeerWhereTheAgentHandsPeersOn) {
  const std::string text = *base::read_file(std::string(OCTAVIA_SAMPLES) +
                                            "/haproxy/15-multi-listener-active-standby.cfg");
  const std::string name = "RuQer6hokPCZ7dAIIGmrhyIOGkQ", here = name + " 127.0.0.1:1025\n";
  const std::string own = name + " 203.0.113.21:1025\n";
  ASSERT_THAT(text, HasSubstr(own));
  std::string loaded = haproxy::with_own_peer_here({text, name});
  ASSERT_THAT(loaded, HasSubstr(here));
  loaded.replace(loaded.find(here), here.size(), own);
  EXPECT_EQ(loaded, text);
  EXPECT_EQ(haproxy::with_own_peer_here({text, "somebody"}), text);
  EXPECT_EQ(haproxy::with_own_peer_here({text, ""}), text);
}

struct Refused {
  const char* line;
  const char* said;
};

TEST(UploadedTexts, MayNotSayThis) {
  const std::vector<Refused> table{
      {"user root", "line 2: the user can only be nobody"},
      {"program evil", "program is not for an upload to say"},
      {"lua-load /tmp/evil.lua", "lua-load"},
      {"\"lua-load\" /tmp/evil.lua", "lua-load"},
      {"external-check command /bin/sh", "the only external check"},
      {"external-check path /tmp", "the only external check"},
      {"stats socket /etc/passwd mode 666 level user", "a stats socket can only be"},
      {"stats socket /var/lib/octavia/../x level user", "a stats socket can only be"},
      {"stats socket /var/lib/octavia/x.sock level admin", "a stats socket can only be"},
      {"stats socket /var/lib/octavia/x.sock expose-fd listeners", "a stats socket can only be"},
      {"server-state-file /etc/passwd", "the file of server states"},
      {"server-state-file /var/lib/octavia/../../../etc/passwd", "the file of server states"},
      {"bind /run/some.sock", "at an address and a port"},
      {"bind unix@/run/some.sock", "at an address and a port"},
      {"bind abns@some", "at an address and a port"},
      {"setenv PATH /tmp", "setenv"},
      {"pidfile /etc/passwd", "pidfile"},
      {"localpeer other", "localpeer"},
      {"insecure-setuid-wanted", "insecure-setuid-wanted"},
  };
  for (const Refused& row : table) {
    const auto refused =
        examine_upload({"global\n    " + std::string(row.line) + "\n", ""}, kFolder);
    ASSERT_FALSE(refused.ok()) << row.line;
    EXPECT_THAT(refused.error().message(), HasSubstr(row.said));
  }
}

TEST(UploadedTexts, ThatHaproxyCannotReadAreRefusedByTheirLine) {
  EXPECT_THAT(examine_upload({"global\n  log 'x\n", ""}, kFolder).error().message(),
              HasSubstr("line 2"));
}

TEST(UploadedTexts, PeerNamesAreWords) {
  EXPECT_TRUE(examine_upload({"global\n", "x_-9A"}, kFolder).ok());
  for (const char* bad : {"a b", "a\nuser root", "'", "$X"})
    EXPECT_FALSE(examine_upload({"global\n", bad}, kFolder).ok()) << bad;
}

TEST(OwnSection, HasTheSocketAndTheName) {
  haproxy::Surroundings around;
  around.stats_socket = "/run/stats.sock";
  around.group_of_uploads = "nogroup";
  EXPECT_EQ(own_section({"", "me"}, around),
            "global\n"
            "    master-worker no-exit-on-failure\n"
            "    no strict-limits\n"
            "    localpeer me\n"
            "    user nobody\n"
            "    group nogroup\n"
            "    stats socket /run/stats.sock mode 600 level admin expose-fd listeners\n"
            "    stats timeout 1d\n"
            "    stats maxconn 32\n");
  EXPECT_THAT(own_section({"global\n  user nobody\n", "me"}, around),
              testing::Not(testing::HasSubstr("user")));
}

TEST(LeavingFrontends, StayUntilTheirPlaceIsTaken) {
  const base::Uuid id = *base::Uuid::parse("00000000-0000-4000-8000-00000000000a");
  const std::string name = id.text();
  const std::string a = "frontend " + name + "\n  bind 203.0.113.10:80\n\nbackend p:" + name +
                        "\n  server s 192.0.2.1:1\n";
  const std::string b =
      "frontend b\n  bind 203.0.113.10:81\n\nbackend p:b\n  server s 192.0.2.1:1\n";
  const std::string b_at_80 = "frontend b\n  bind 203.0.113.10:80\n";
  const std::string global = "global\n  daemon\n\n";
  const auto merged = [&](const std::string& running, const std::string& wanted) {
    return haproxy::with_leaving_frontends(running, wanted, {id});
  };
  EXPECT_EQ(merged(global + a + b, global + b),
            global + b + "\nfrontend " + name + "\n  bind 203.0.113.10:80\n\n\nbackend p:" + name +
                "\n  server s 192.0.2.1:1\n");
  EXPECT_EQ(merged(global + a, global + a), global + a);
  EXPECT_EQ(merged(global + a, global + b_at_80), global + b_at_80);
  EXPECT_EQ(merged(global + a, ""), global + a);
  EXPECT_EQ(merged("", global + a), global + a);
}

// Its certificates are deleted before the text without it comes (contract, 9).
TEST(LeavingFrontends, OneThatWasDeletedEndsAtOnce) {
  const std::string gone =
      "frontend 00000000-0000-4000-8000-00000000000b\n  bind 203.0.113.10:443\n";
  EXPECT_EQ(haproxy::with_leaving_frontends(gone, "", {}), "");
  EXPECT_EQ(haproxy::with_leaving_frontends(gone, "defaults\n  mode http\n", {}),
            "defaults\n  mode http\n");
}

}  // namespace
}  // namespace haproxy_test
