// The check scripts, run by bash as keepalived has them run.
#include "keepalived/check_scripts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "tests/support/temporary_folder.h"

namespace keepalived_test {
namespace {

using keepalived::Fitness;
using keepalived::Vouch;
using testing::ElementsAre;
using testing::IsEmpty;

class CheckScripts : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = test::temporary_folder("check-scripts");
    // What a shell would take for more than a word.
    folder_ = dir_ + "/it's a $(touch " + "evil" + ")";
    file_ = folder_ + ".vouch";
    const auto done = keepalived::write_check_scripts(folder_, file_);
    ASSERT_TRUE(done.ok()) << done.error().message();
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  bool passes() const {
    const auto script = keepalived::check_script_path(folder_);
    ::setenv("SCRIPT", script.c_str(), 1);
    return ::system("\"$SCRIPT\"") == 0;
  }
  void add(const char* name, const char* text) const {
    ASSERT_TRUE(base::write_file(folder_ + "/check_scripts/" + name, text, 0644));
  }

  std::string dir_, folder_, file_;
};

TEST_F(CheckScripts, PassAsLongAsTheAgentVouches) {
  EXPECT_FALSE(passes());
  ASSERT_TRUE(Vouch(file_).renew().ok());
  EXPECT_TRUE(passes());
  ASSERT_TRUE(Vouch(file_).withdraw().ok());
  EXPECT_FALSE(passes());
  EXPECT_TRUE(Vouch(file_).withdraw().ok());
}

TEST_F(CheckScripts, FailWhenTheAgentHangs) {
  ASSERT_TRUE(Vouch(file_).renew().ok());
  std::this_thread::sleep_for(Vouch::kHolds + std::chrono::milliseconds(20));
  EXPECT_FALSE(passes());
}

TEST_F(CheckScripts, FailWithAnythingButATime) {
  for (const char* bad : {"", "\n", "x", "-1", "99999999999999999999 1", "1; true", "a[$(id)]"}) {
    ASSERT_TRUE(base::write_file(file_, bad, 0644));
    EXPECT_FALSE(passes()) << bad;
  }
}

TEST_F(CheckScripts, EveryOneOfTheFolderMustPass) {
  ASSERT_TRUE(Vouch(file_).renew().ok());
  add("other.sh", "exit 0\n");
  EXPECT_TRUE(passes());
  add("failing.sh", "exit 128\n");
  add("failing_too.sh", "exit 128\n");  // together they would be 256, which is 0 for a shell
  ASSERT_TRUE(Vouch(file_).renew().ok());
  EXPECT_FALSE(passes());
}

TEST_F(CheckScripts, AreWrittenAgainWhenTheyDiffer) {
  const std::string path = keepalived::check_script_path(folder_);
  const std::string text = *base::read_file(path);
  ASSERT_TRUE(base::write_file(path, "exit 0\n", 0644));
  ASSERT_TRUE(keepalived::write_check_scripts(folder_, file_).ok());
  EXPECT_EQ(*base::read_file(path), text);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0755u);
}

TEST(FitnessOfANode, IsGoneForAReason) {
  EXPECT_THAT(reasons_against(Fitness{true, true, false, false}), IsEmpty());
  EXPECT_THAT(reasons_against(Fitness{true, true, true, true}), IsEmpty());
  EXPECT_THAT(reasons_against(Fitness{}), ElementsAre("there is no load balancer with a listener"));
  EXPECT_THAT(reasons_against(Fitness{true, false, true, false}),
              ElementsAre("the XDP program is not attached", "HAProxy does not answer"));
}

}  // namespace
}  // namespace keepalived_test
