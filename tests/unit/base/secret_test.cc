// One line that nobody else can read.
#include "base/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "tests/support/temporary_folder.h"

namespace base {
namespace {

using testing::HasSubstr;

class ASecret : public testing::Test {
 protected:
  void SetUp() override { folder_ = test::temporary_folder("secret"); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What is read of a file with this text, or what is wrong with it.
  std::string read(const std::string& text, mode_t mode = 0600) {
    EXPECT_TRUE(write_file(path(), text, mode));
    const auto secret = read_secret(path(), 4, 8);
    return secret ? secret->text() : secret.error().message();
  }
  std::string path() const { return folder_ + "/key"; }

  std::string folder_;
};

TEST_F(ASecret, IsALineWithOrWithoutItsEnd) {
  EXPECT_EQ(read("four"), "four");
  EXPECT_EQ(read("eight!!!\n"), "eight!!!");
}

TEST_F(ASecret, IsNotOfAnyText) {
  for (const char* text :
       {"", "\n", "abc\n", "nine!!!!!", "nine!!!!!\n", "two\nlines", "a word", "four\n\n"})
    EXPECT_THAT(read(text), HasSubstr("/key must have one line of 4 to 8 visible characters"))
        << text;
}

TEST_F(ASecret, IsReadByNobodyElse) {
  for (const mode_t mode : {0640, 0604, 0620})
    EXPECT_THAT(read("four", mode), HasSubstr("chmod it to 0600"));
  EXPECT_EQ(read("four", 0400), "four");
}

TEST_F(ASecret, IsInAFile) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(read_secret(path(), 4, 8).error().message(), HasSubstr("not a regular file"));
  EXPECT_THAT(read_secret(folder_ + "/none", 4, 8).error().message(), HasSubstr("none: No such"));
}

}  // namespace
}  // namespace base
