// Programs started, waited for, ended and found again.
#include "process/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "process/child.h"
#include "tests/support/temporary_folder.h"

namespace process_test {
namespace {

using namespace std::chrono_literals;
using process::Process;

class Programs : public testing::Test {
 protected:
  void SetUp() override { dir_ = test::temporary_folder("process"); }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string path(const char* name) const { return dir_ + "/" + name; }
  process::Command command(std::vector<std::string> words) const {
    return {std::move(words), path("log")};
  }
  Process sleeper() const {
    auto started = process::start(command({"/bin/sleep", "1000"}));
    EXPECT_TRUE(started.ok());
    return std::move(*started);
  }

  std::string dir_;
};

TEST_F(Programs, WordsArriveAsTheyAre) {
  const auto ended = process::run({"/usr/bin/printf", "%s|", "a b", "$HOME;`id`", ""}, 30s);
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended->status, 0);
  EXPECT_EQ(ended->said, "a b|$HOME;`id`||");
}

TEST_F(Programs, OutputAndErrorsAreOneText) {
  const auto ended = process::run({"/bin/sh", "-c", "echo a; echo b >&2; echo c"}, 30s);
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended->said, "a\nb\nc\n");
}

TEST_F(Programs, OutputIsAppendedToTheLog) {
  for (const char* word : {"one", "two"}) {
    auto started = process::start(command({"/bin/echo", word}));
    ASSERT_TRUE(started.ok());
    EXPECT_TRUE(started->wait(30s));
  }
  EXPECT_EQ(base::read_file(path("log")).value(), "one\ntwo\n");
}

// systemd-run becomes the program: its process stays.
TEST(Scopes, HaveTheWordsAsTheyAre) {
  EXPECT_THAT(process::in_own_scope({"/usr/sbin/haproxy", "-W", "-f", "a b"}),
              testing::ElementsAre("/usr/bin/systemd-run", "--scope", "--quiet", "--collect",
                                   "--description=haproxy of amphora-xdp", "--",
                                   "/usr/sbin/haproxy", "-W", "-f", "a b"));
}

TEST_F(Programs, StatusIsOfExitOrOfTheSignal) {
  EXPECT_EQ(process::run({"/bin/sh", "-c", "exit 3"}, 30s)->status, 3);
  EXPECT_EQ(process::run({"/bin/sh", "-c", "kill -9 $$"}, 30s)->status, 128 + SIGKILL);
}

TEST_F(Programs, WhatTakesTooLongIsKilled) {
  const auto ended = process::run({"/bin/sleep", "1000"}, 50ms);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ETIMEDOUT);
}

TEST_F(Programs, WhatIsNotThereIsAnError) {
  EXPECT_EQ(process::run({"/nowhere/program"}, 1s).error().code, ENOENT);
  EXPECT_EQ(process::start(command({"/nowhere/program"})).error().code, ENOENT);
  EXPECT_EQ(process::start({{"/bin/true"}, path("none/log")}).error().message(),
            "open " + path("none/log") + ": No such file or directory");
}

TEST_F(Programs, EndsWhatDoesNotWantTo) {
  auto stubborn = process::start(
      command({"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"}));
  ASSERT_TRUE(stubborn.ok());
  while (base::read_file(path("log")).value() != "ready\n") ::usleep(1000);
  EXPECT_FALSE(stubborn->has_ended());
  stubborn->end(50ms);
  EXPECT_TRUE(stubborn->has_ended());
}

TEST_F(Programs, LeavesNoZombie) {
  const Process process = sleeper();
  process.send(SIGKILL);
  EXPECT_TRUE(process.wait(30s));
  EXPECT_EQ(::kill(process.pid(), 0), -1);
}

TEST_F(Programs, IsFoundByItsPidFileAndAWord) {
  const Process process = sleeper();
  const std::string file = path("pid");
  ASSERT_TRUE(base::write_file(file, std::to_string(process.pid()) + "\n", 0600));
  EXPECT_EQ(Process::find(file, "1000")->pid(), process.pid());
  EXPECT_FALSE(Process::find(file, "100"));  // another program that got the number
  EXPECT_FALSE(Process::find(path("none"), "1000"));
  process.end(30s);
  EXPECT_FALSE(Process::find(file, "1000"));
}

TEST_F(Programs, PidFilesOfAnyContentAreRead) {
  for (const char* bad : {"", "\n", "abc", "-4", "0", "99999999999999"}) {
    ASSERT_TRUE(base::write_file(path("pid"), bad, 0600));
    EXPECT_FALSE(process::pid_in(path("pid"))) << bad;
  }
}

TEST_F(Programs, StartIsOfThisProcessAndOfNoOther) {
  const auto mine = process::start_of(::getpid());
  ASSERT_TRUE(mine);
  EXPECT_EQ(process::start_of(::getpid()), mine);
  EXPECT_FALSE(process::start_of(1 << 30));
}

}  // namespace
}  // namespace process_test
