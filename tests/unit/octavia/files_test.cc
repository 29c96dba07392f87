#include "agent/octavia/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"
#include "tests/unit/octavia/fakes.h"

namespace octavia::testing {
namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() { top = test::temporary_folder("files"); }
  ~FilesTest() override { fs::remove_all(top); }
  Files files() const {
    return Files({top + "/base", top + "/certs", top + "/etc/server.pem", top + "/etc/agent.conf"});
  }
  static mode_t mode(const std::string& path) {
    struct stat there {};
    EXPECT_EQ(::stat(path.c_str(), &there), 0) << path;
    return there.st_mode & 07777;
  }
  std::string top;
  const Uuid lb = *Uuid::parse(kLb), udp = *Uuid::parse(kUdp);
};

TEST_F(FilesTest, ArePutWhereOctaviaExpectsThem) {
  struct Case {
    Document document;
    const char* path;
    mode_t mode;
  };
  for (const Case& one : std::vector<Case>{
           {{Document::Kind::haproxy, lb},
            "/base/6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a/haproxy.cfg",
            0600},
           {{Document::Kind::lvs, udp},
            "/base/lvs/octavia-keepalivedlvs-11111111-0000-4000-8000-000000000003.conf",
            0644},
           {{Document::Kind::vrrp}, "/base/vrrp/octavia-keepalived.conf", 0644},
           {{Document::Kind::certificate, lb, "a1.pem"},
            "/certs/6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a/a1.pem",
            0600},
           {{Document::Kind::server_certificate}, "/etc/server.pem", 0600},
           {{Document::Kind::config}, "/etc/agent.conf", 0600}}) {
    EXPECT_EQ(*files().read(one.document), std::nullopt) << one.path;
    ASSERT_TRUE(files().write(one.document, std::string("bytes\0\n", 7)).ok()) << one.path;
    EXPECT_EQ(**files().read(one.document), std::string("bytes\0\n", 7));
    EXPECT_EQ(mode(top + one.path), one.mode) << one.path;
    ASSERT_TRUE(files().remove(one.document).ok());
    ASSERT_TRUE(files().remove(one.document).ok());
    EXPECT_FALSE(fs::exists(top + one.path));
  }
  EXPECT_EQ(mode(top + "/certs/" + kLb), 0700u);
}

// As our unit has it.
TEST_F(FilesTest, ModesAreWhateverTheUmaskIs) {
  const mode_t before = ::umask(0077);
  const Document document{Document::Kind::vrrp};
  EXPECT_TRUE(files().write(document, "text").ok());
  ::umask(before);
  EXPECT_EQ(mode(files().path_of(document)), 0644u);
}

TEST_F(FilesTest, NothingIsLeftOfALoadBalancerThatIsForgotten) {
  const Uuid other = *Uuid::parse(kNobody);
  for (const Uuid& id : {lb, other}) {
    ASSERT_TRUE(files().write({Document::Kind::haproxy, id}, "text").ok());
    ASSERT_TRUE(files().write({Document::Kind::certificate, id, "a1.pem"}, "key").ok());
    std::ofstream(top + "/base/" + id.text() + "/servers-state") << "1";
  }
  ASSERT_TRUE(files().forget(lb).ok());
  ASSERT_TRUE(files().forget(lb).ok());
  EXPECT_FALSE(fs::exists(top + "/base/" + kLb));
  EXPECT_FALSE(fs::exists(top + "/certs/" + kLb));
  EXPECT_EQ(**files().read({Document::Kind::certificate, other, "a1.pem"}), "key");
}

TEST_F(FilesTest, TheConfigurationKeepsItsMode) {
  const Document config{Document::Kind::config};
  ASSERT_TRUE(files().write(config, "a").ok());
  fs::permissions(top + "/etc/agent.conf", fs::perms(0640));
  ASSERT_TRUE(files().write(config, "b").ok());
  EXPECT_EQ(mode(top + "/etc/agent.conf"), 0640u);
}

TEST_F(FilesTest, UploadsAreAllThatIsThereAndNothingElse) {
  EXPECT_EQ(*files().uploads(), Uploads());
  ASSERT_TRUE(files().write({Document::Kind::haproxy, lb}, "h").ok());
  ASSERT_TRUE(files().write({Document::Kind::lvs, udp}, "l").ok());
  ASSERT_TRUE(files().write({Document::Kind::vrrp}, "v").ok());
  fs::create_directories(top + "/base/" + kNobody);
  fs::create_directories(top + "/base/not-an-id");
  std::ofstream(top + "/base/not-an-id/haproxy.cfg") << "x";
  std::ofstream(top + "/base/lvs/octavia-keepalivedlvs-x.conf") << "x";
  std::ofstream(top + "/base/lvs/octavia-keepalivedlvs-" + kNobody + ".conf.new") << "x";
  EXPECT_EQ(*files().uploads(), (Uploads{{{lb, "h"}}, {{udp, "l"}}, "v", {}}));
}

TEST_F(FilesTest, AnotherCertificateIsAnotherUpload) {
  ASSERT_TRUE(files().write({Document::Kind::haproxy, lb}, "h").ok());
  const Document one{Document::Kind::certificate, lb, "a1.pem"};
  const Document two{Document::Kind::certificate, lb, "b1.pem"};
  ASSERT_TRUE(files().write(one, "1").ok());
  const Uploads first = *files().uploads();
  EXPECT_EQ(first.certificates.size(), 1u);
  ASSERT_TRUE(files().write(one, "1").ok());
  EXPECT_EQ(*files().uploads(), first);
  ASSERT_TRUE(files().write(one, "2").ok());
  const Uploads second = *files().uploads();
  EXPECT_NE(second, first);
  ASSERT_TRUE(files().write(two, "1").ok());
  EXPECT_NE(*files().uploads(), second);
}

TEST_F(FilesTest, WhatCannotBeReadIsAnErrorAndNotAnEmptyLoadBalancer) {
  fs::create_directories(top + "/base/" + kLb + "/haproxy.cfg");
  const auto uploads = files().uploads();
  ASSERT_FALSE(uploads.ok());
  EXPECT_NE(uploads.error().message().find("haproxy.cfg"), std::string::npos);
}

}  // namespace
}  // namespace octavia::testing
