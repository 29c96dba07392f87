// Lines on their way to a syslog socket: all of them in their order, or a number that says how many
// are missing.
#include "agent/flow_log/writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/fd.h"
#include "base/socket_address.h"
#include "tests/support/temporary_folder.h"

namespace flow_log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::SizeIs;

class ASyslogDaemon {
 public:
  explicit ASyslogDaemon(const std::string& path) {
    fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto address = base::unix_address(path).value();
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.size), 0);
  }
  // What has come since the last time.
  void read(std::vector<std::string>& into) const {
    char text[2048];
    for (ssize_t got = 0; (got = ::recv(fd_.get(), text, sizeof(text), 0)) >= 0;)
      into.emplace_back(text, static_cast<size_t>(got));
  }

 private:
  base::Fd fd_;
};

class Writing : public testing::Test {
 protected:
  void SetUp() override { dir_ = test::temporary_folder("flow_log"); }
  void TearDown() override {
    if (writer_) writer_->stop();
    loop_.restart();
    loop_.run_for(100ms);
    std::filesystem::remove_all(dir_);
  }
  std::string path() const { return dir_ + "/log"; }
  void start(uint32_t lines_per_second = 5000) {
    writer_ = Writer::start(loop_.get_executor(), *target_of(path(), "local0"),
                            {.lines_per_second = lines_per_second});
  }
  void write(const std::string& line) const {
    if (writer_->admits()) writer_->write(line);
  }
  bool until(const std::function<bool()>& done) {
    for (const auto end = std::chrono::steady_clock::now() + 20s;
         std::chrono::steady_clock::now() < end;) {
      loop_.restart();
      loop_.run_for(10ms);
      if (done()) return true;
    }
    return false;
  }
  // Until so many lines are there.
  std::vector<std::string>& read(const ASyslogDaemon& daemon, size_t lines) {
    until([&] { return daemon.read(got_), got_.size() >= lines; });
    return got_;
  }

  std::string dir_;
  boost::asio::io_context loop_;
  std::shared_ptr<Writer> writer_;
  std::vector<std::string> got_;
};

TEST_F(Writing, LooksLikeHaproxy) {
  const ASyslogDaemon daemon(path());
  start();
  write("one two");
  EXPECT_THAT(read(daemon, 1), ElementsAre(MatchesRegex("<134>[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]+ "
                                                        "haproxy\\[[0-9]+\\]: one two\n")));
  EXPECT_EQ(writer_->counts(), (Counts{1, 0}));
}

// A datagram socket takes few of them at a time.
TEST_F(Writing, WaitsForAReaderThatIsSlow) {
  const ASyslogDaemon daemon(path());
  start();
  for (int i = 0; i < 3000; i++) write("line " + std::to_string(i) + ";");
  ASSERT_THAT(read(daemon, 3000), SizeIs(3000));
  for (int i = 0; i < 3000; i++)
    ASSERT_THAT(got_[static_cast<size_t>(i)], HasSubstr("line " + std::to_string(i) + ";"));
  EXPECT_EQ(writer_->counts(), (Counts{3000, 0}));
}

TEST_F(Writing, SaysHowManyAreLeftOut) {
  const ASyslogDaemon daemon(path());
  start(10);
  for (int i = 0; i < 100; i++) write("x");
  ASSERT_THAT(read(daemon, 41), SizeIs(41));
  EXPECT_THAT(got_.back(), HasSubstr("<133>"));
  EXPECT_THAT(got_.back(), HasSubstr("]: 60 ended connections are left out of this log\n"));
  EXPECT_EQ(writer_->counts().left_out, 60u);
}

TEST_F(Writing, GoesOnWithADaemonThatWasStartedAgain) {
  {
    const ASyslogDaemon first(path());
    start();
    write("first");
    EXPECT_THAT(read(first, 1), SizeIs(1));
  }
  const ASyslogDaemon second(path());
  write("second");
  EXPECT_THAT(read(second, 2).back(), HasSubstr("second"));
}

TEST_F(Writing, KeepsWhatNobodyTakesYet) {
  start();
  write("early");
  loop_.run_for(200ms);
  const ASyslogDaemon late(path());
  EXPECT_THAT(read(late, 1), ElementsAre(HasSubstr("early")));
}

}  // namespace
}  // namespace flow_log
