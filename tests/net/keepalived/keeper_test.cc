// The agent's part in a pair: keepalived is kept alive, and fit nodes are vouched for.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/serve/vrrp_keeper.h"
#include "base/file.h"
#include "keepalived/render.h"
#include "tests/net/keepalived/lab.h"

namespace keepalived_test {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

asio::awaitable<void> take(octavia::Awaited<base::Status> call, std::optional<base::Status>& into) {
  into = co_await std::move(call);
}

class Keeper : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    a_->enter();  // and so do the threads that are made from here on
    auto process = keepalived::Process::open(a_->paths(), a_->drop());
    ASSERT_TRUE(process.ok());
    keeper_ =
        std::make_unique<serve::VrrpKeeper>(loop_.get_executor(), std::move(*process), a_->vrrp(),
                                            a_->vouch_file(), [this] { return fitness_; });
  }
  void TearDown() override {
    if (keeper_) {
      keeper_->finish();
      EXPECT_TRUE(wait(keeper_->stop()).ok());
    }
    keeper_.reset();
    Lab::TearDown();
  }

  void run() {
    asio::co_spawn(loop_, keeper_->revive(), asio::detached);
    asio::co_spawn(loop_, keeper_->vouch(), asio::detached);
  }
  bool loop_until(const std::function<bool()>& done) {
    return until([&] {
      loop_.restart();
      loop_.run_for(20ms);
      return done();
    });
  }
  base::Status wait(octavia::Awaited<base::Status> call) {
    std::optional<base::Status> result;
    asio::co_spawn(loop_, take(std::move(call), result), asio::detached);
    EXPECT_TRUE(loop_until([&] { return result.has_value(); }));
    return *result;
  }
  std::string text() const {
    auto wanted = instance(*a_, 120);
    wanted.scripts = {{"check", a_->script(), 1, 1, 1, 2}};
    return keepalived::render(wanted);
  }

  asio::io_context loop_;
  std::optional<keepalived::Fitness> fitness_ = keepalived::Fitness{.serves = true};
  std::unique_ptr<serve::VrrpKeeper> keeper_;
};

TEST_F(Keeper, HoldsTheVipAsLongAsTheNodeIsFit) {
  run();
  a_->write(text());
  ASSERT_TRUE(wait(keeper_->uploaded()).ok());
  EXPECT_FALSE(keeper_->running());
  const auto started = wait(keeper_->start());
  ASSERT_TRUE(started.ok()) << started.error().message();
  EXPECT_TRUE(keeper_->running());
  EXPECT_EQ(keeper_->instance()->priority, 120);
  EXPECT_TRUE(loop_until([&] { return a_->has(kVip); }));
  EXPECT_THAT(keeper_->reasons_against(), IsEmpty());
  fitness_->program_is_attached = false;
  EXPECT_TRUE(loop_until([&] { return !a_->has(kVip); }));
  EXPECT_THAT(keeper_->reasons_against(), ElementsAre("the XDP program is not attached"));
  fitness_->program_is_attached = true;
  EXPECT_TRUE(loop_until([&] { return a_->has(kVip); }));
  // The loop hangs: nothing is said any more, and that is enough.
  EXPECT_TRUE(until([&] { return !a_->has(kVip); }));
}

// An agent that has just started has looked at nothing: it says nothing, either.
TEST_F(Keeper, LeavesTheWordOfTheAgentBeforeItAsLongAsNothingIsKnown) {
  fitness_.reset();
  ASSERT_TRUE(a_->vouch().renew().ok());
  const auto before = base::read_file(a_->vouch_file());
  run();
  loop_.run_for(1200ms);  // some turns
  EXPECT_EQ(*base::read_file(a_->vouch_file()), *before);
  fitness_ = keepalived::Fitness{.serves = true};
  EXPECT_TRUE(loop_until([&] { return *base::read_file(a_->vouch_file()) != *before; }));
}

TEST_F(Keeper, StartsAgainWhatHasDied) {
  run();
  a_->write(text());
  ASSERT_TRUE(wait(keeper_->start()).ok());
  const pid_t before = a_->pid();
  a_->kill_all();
  EXPECT_TRUE(loop_until([&] { return a_->pid() != before && keeper_->running(); }));
  EXPECT_TRUE(loop_until([&] { return a_->has(kVip); }));
}

// As after a boot: the agent is there before its interfaces.
TEST_F(Keeper, ResumesAsSoonAsTheInterfaceIsThere) {
  a_->write(text());
  sh("ip -n a link set eth1 down; ip -n a link set eth1 name eth9");
  run();
  asio::co_spawn(loop_, keeper_->resume(), asio::detached);
  loop_.run_for(1500ms);
  EXPECT_FALSE(keeper_->running());
  sh("ip -n a link set eth9 name eth1; ip -n a link set eth1 up");
  EXPECT_TRUE(loop_until([&] { return keeper_->running(); }));
  EXPECT_TRUE(loop_until([&] { return a_->has(kVip); }));
}

TEST_F(Keeper, ResumesNothingThatSomebodyStopped) {
  a_->write(text());
  sh("ip -n a link set eth1 down; ip -n a link set eth1 name eth9");
  run();
  asio::co_spawn(loop_, keeper_->resume(), asio::detached);
  loop_.run_for(300ms);
  EXPECT_TRUE(wait(keeper_->stop()).ok());
  sh("ip -n a link set eth9 name eth1; ip -n a link set eth1 up");
  loop_.restart();
  loop_.run_for(2500ms);  // more than a turn
  EXPECT_FALSE(keeper_->running());
}

TEST_F(Keeper, RefusesWhatWouldRunAnotherProgram) {
  EXPECT_TRUE(wait(keeper_->examine(text())).ok());
  std::string evil = text();
  evil.replace(evil.find(a_->script()), a_->script().size(), "/bin/evil");
  const auto refused = wait(keeper_->examine(evil));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("/bin/evil"));
}

}  // namespace
}  // namespace keepalived_test
