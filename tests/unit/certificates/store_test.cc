#include "agent/certificates/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temporary_folder.h"
#include "tests/unit/certificates/maker.h"

namespace certificates::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = test::temporary_folder("certificates");
    open();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void open() {
    auto opened = Store::open(folder + "/c");
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store = std::move(*opened);
  }
  std::string path(const std::string& name) const { return folder + "/c/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  static std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string bundle(const Pair& pair) { return pair.key_pem() + pair.certificate_pem(); }
  static std::string normal(const Pair& pair) { return pair.certificate_pem() + pair.key_pem(); }
  std::string why(const std::string& reference, Use use) {
    return store->check(reference, use, noon()).value_or("good");
  }

  std::string folder;
  std::unique_ptr<Store> store;
  Pair web = make({.name = "web", .alternate = {}});
  Pair ca = make({.name = "ca", .alternate = {}, .authority = true});
};

TEST_F(StoreTest, KeepsWhatItIsGivenForItsOwnerOnly) {
  EXPECT_EQ(*store->put("web.pem", bundle(web)), Put::created);
  EXPECT_EQ(*store->put("web.pem", bundle(web)), Put::replaced);
  const auto files = store->files({"https://192.0.2.5/v1/containers/web.pem", "none.pem"});
  ASSERT_EQ(files.size(), 1u);
  const File& file = files.begin()->second;
  EXPECT_EQ(read(file.path), normal(web));
  for (const std::string& each : {path("web.pem"), file.path}) {
    struct stat made {};
    ASSERT_EQ(::stat(each.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 07777, 0600u) << each;
  }
  struct stat made {};
  ASSERT_EQ(::stat((folder + "/c").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0700u);
  open();  // another agent finds it
  EXPECT_EQ(store->files({"web.pem"}).at("web.pem"), file);
}

TEST_F(StoreTest, ChecksAReferenceByWhatItIsFor) {
  ASSERT_TRUE(store->put("web.pem", bundle(web)).ok());
  ASSERT_TRUE(store->put("ca.pem", ca.certificate_pem()).ok());
  ASSERT_TRUE(store->put("crl", crl_pem(ca, noon() - kDay, noon() + kDay)).ok());
  EXPECT_EQ(why("web.pem", Use::identity), "good");
  EXPECT_EQ(why("https://192.0.2.5/v1/secrets/ca.pem", Use::authorities), "good");
  EXPECT_EQ(why("crl", Use::revocations), "good");
  EXPECT_THAT(why("ca.pem", Use::identity), HasSubstr("Certificate ca.pem cannot be used"));
  EXPECT_THAT(why("web.pem", Use::authorities), HasSubstr("CA certificates are needed"));
  EXPECT_THAT(why("web.pem", Use::revocations), HasSubstr("CRLs are needed"));
  EXPECT_THAT(why("gone.pem", Use::identity), HasSubstr("there is no certificate of that name"));
  EXPECT_THAT(why("../../etc/passwd/..", Use::identity), HasSubstr("names have"));
  EXPECT_THAT(store->check("web.pem", Use::identity, noon() + 365 * kDay).value_or(""),
              HasSubstr("Certificate web.pem cannot be used: it expired on 2026-12-22"));
}

TEST_F(StoreTest, KnowsWhoseRevocationsTheyAre) {
  ASSERT_TRUE(store->put("ca.pem", ca.certificate_pem()).ok());
  const Pair another = make({.name = "another", .alternate = {}, .authority = true});
  ASSERT_TRUE(store->put("another.pem", another.certificate_pem()).ok());
  ASSERT_TRUE(store->put("crl", crl_pem(ca, noon() - kDay, noon() + kDay)).ok());
  EXPECT_TRUE(store->are_revocations_of("crl", "https://192.0.2.5/v1/secrets/ca.pem"));
  EXPECT_FALSE(store->are_revocations_of("crl", "another.pem"));
  EXPECT_TRUE(store->are_revocations_of("crl", "gone.pem")) << "for check() to tell";
}

TEST_F(StoreTest, TakesFilesThatSomebodyCopiesIn) {
  EXPECT_THAT(why("web.pem", Use::identity), HasSubstr("there is no certificate of that name"));
  write("web.pem", bundle(web));
  EXPECT_EQ(why("web.pem", Use::identity), "good");
  const File before = store->files({"web.pem"}).at("web.pem");
  const Pair renewed = make({.name = "web", .alternate = {}});
  write("web.pem.tmp", bundle(renewed));
  std::filesystem::rename(path("web.pem.tmp"), path("web.pem"));
  const File after = store->files({"web.pem"}).at("web.pem");
  EXPECT_EQ(after.path, before.path);
  EXPECT_NE(after.fingerprint, before.fingerprint);
  EXPECT_EQ(read(after.path), normal(renewed));
}

TEST_F(StoreTest, GoesOnWithTheLastGoodOneWhenAFileIsDamaged) {
  ASSERT_TRUE(store->put("web.pem", bundle(web)).ok());
  const File good = store->files({"web.pem"}).at("web.pem");
  write("web.pem", "not a certificate any more");
  EXPECT_EQ(store->files({"web.pem"}).at("web.pem"), good);
  EXPECT_EQ(read(good.path), normal(web));
  EXPECT_THAT(why("web.pem", Use::identity), HasSubstr("neither PEM nor PKCS#12"));
  ASSERT_EQ(store->list().size(), 1u);
  EXPECT_THAT(store->list()[0].fault, HasSubstr("neither PEM"));
  open();
  EXPECT_EQ(store->files({"web.pem"}).at("web.pem"), good);
  std::filesystem::remove(path("web.pem"));
  EXPECT_EQ(store->files({"web.pem"}).at("web.pem"), good) << "still referred to";
  EXPECT_TRUE(store->some_files({}).empty());
  EXPECT_EQ(store->some_files({"web.pem"}).at("web.pem"), good) << "these are not all";
  EXPECT_TRUE(store->files({}).empty());
  EXPECT_FALSE(std::filesystem::exists(good.path)) << "a private key was left behind";
}

TEST_F(StoreTest, RemovesAllOfIt) {
  ASSERT_TRUE(store->put("web.pem", bundle(web)).ok());
  const File file = store->files({"web.pem"}).at("web.pem");
  EXPECT_TRUE(store->remove("web.pem").ok());
  EXPECT_FALSE(std::filesystem::exists(path("web.pem")));
  EXPECT_FALSE(std::filesystem::exists(file.path));
  EXPECT_EQ(store->remove("web.pem").error().code, ENOENT);
}

TEST_F(StoreTest, InspectsWithoutKeeping) {
  EXPECT_EQ(Store::inspect("web.pem", bundle(web), noon())->subject, "CN=web");
  EXPECT_THAT(Store::inspect("web.pem", bundle(web), noon() - 2 * kDay).error().what,
              HasSubstr("Certificate web.pem cannot be used: it is not valid before"));
  EXPECT_THAT(Store::inspect("../x", bundle(web), noon()).error().what,
              HasSubstr("not a name for a certificate"));
  EXPECT_TRUE(store->list().empty());
}

TEST_F(StoreTest, IsNotHeldByWhatIsNoFile) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(path("folder"));
  write("large", std::string(kMostBytes + 1, 'x'));
  EXPECT_THAT(why("pipe", Use::identity), HasSubstr("not a regular file"));
  EXPECT_THAT(why("folder", Use::identity), Not(HasSubstr("good")));
  EXPECT_THAT(why("large", Use::identity), HasSubstr("File too large"));
  EXPECT_EQ(store->list().size(), 3u);
}

TEST_F(StoreTest, SaysThatTheDiskRefused) {
  std::filesystem::remove_all(folder + "/c");
  write("../c", "in the way");
  const auto put = store->put("web.pem", bundle(web));
  ASSERT_FALSE(put.ok());
  EXPECT_THAT(put.error().message(), HasSubstr("web.pem"));
}

}  // namespace
}  // namespace certificates::testing
