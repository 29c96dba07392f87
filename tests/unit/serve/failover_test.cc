// The VIPs go to the other node on purpose: when they may, and what becomes of it.
#include "agent/serve/failover.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

namespace serve {
namespace {

using namespace std::chrono_literals;
using control::MovedVips;
using model::Fault;
using model::Outcome;
using pair::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Node = FailoverFacts::Node;

// The active node, with a standby that has all of its connections.
FailoverFacts ready() {
  FailoverFacts facts;
  facts.node = Node::of_pair;
  facts.has_vips = true;
  facts.peer = *base::IpAddress::parse("192.0.2.3");
  facts.report.connected = true;
  facts.report.peer = Role::standby;
  facts.report.walk_answered = true;
  facts.report.told = 10;
  return facts;
}

template <class Change>
std::string refused(Change change) {
  FailoverFacts facts = ready();
  change(facts);
  const auto fault = why_not(facts);
  EXPECT_TRUE(!fault || fault->status == 409);
  return fault ? fault->text : "";
}

TEST(Failover, MayBeginWhenTheOtherNodeHasEverything) { EXPECT_EQ(why_not(ready()), std::nullopt); }

TEST(Failover, NeedsAPairWhoseConnectionsGoAlong) {
  EXPECT_THAT(refused([](auto& f) { f.node = Node::alone; }), HasSubstr("There is no pair"));
  EXPECT_THAT(refused([](auto& f) { f.node = Node::of_octavia; }), HasSubstr("by Octavia"));
  EXPECT_THAT(refused([](auto& f) { f.node = Node::without_key; }), HasSubstr("pair.key_file"));
}

TEST(Failover, IsOfTheNodeThatHasTheVips) {
  const auto elsewhere = [](auto& f) { f.has_vips = false, f.report.peer = Role::active; };
  EXPECT_EQ(refused(elsewhere), "The VIPs are not here: ask the other node, 192.0.2.3.");
  EXPECT_EQ(refused([](auto& f) { f.has_vips = false; }), "The VIPs are not here.");
  EXPECT_THAT(refused([](auto& f) { f.report.peer = Role::active; }), HasSubstr("VIPs, too"));
}

TEST(Failover, NeedsAStandbyThatHasAllConnections) {
  const auto away = [](auto& f) { f.report.connected = false, f.report.trouble = "says nothing"; };
  EXPECT_EQ(refused(away), "The other node, 192.0.2.3, is not connected: says nothing.");
  EXPECT_THAT(refused([](auto& f) { f.report.peer.reset(); }), HasSubstr("has not said yet"));
  EXPECT_THAT(refused([](auto& f) { f.report.walk_answered = false; }),
              HasSubstr("does not have all connections yet"));
  EXPECT_THAT(refused([](auto& f) { f.report.unknown_there = 7; }),
              HasSubstr("no place for 7 connections"));
}

TEST(Failover, IsRefusedWhereTheVipsWouldComeBack) {
  EXPECT_THAT(refused([](auto& f) { f.takes_back = true; }), HasSubstr("pair.preempt"));
}

// A node whose other one does what `facts` says from then on.
class OfANode : public testing::Test {
 protected:
  // Asks for a failover, and looks what came of it; `others`: so many ask meanwhile.
  Outcome<MovedVips> run(int others = 0) {
    std::vector<Outcome<MovedVips>> outcomes;
    const auto ask = [](OfANode& test,
                        std::vector<Outcome<MovedVips>>& into) -> boost::asio::awaitable<void> {
      Outcome<MovedVips> outcome = co_await test.failover_.run();
      into.push_back(std::move(outcome));
    };
    for (int i = 0; i <= others; i++)
      boost::asio::co_spawn(loop_, ask(*this, outcomes), boost::asio::detached);
    loop_.run();
    EXPECT_EQ(outcomes.size(), 1u + static_cast<size_t>(others));
    for (int i = 0; i < others; i++) meanwhile_.push_back(outcomes[static_cast<size_t>(i)]);
    return outcomes.back();
  }

  FailoverFacts look() {
    looks_++;
    if (answers_ && failover_.is_leaving() && takes_) {
      facts_.has_vips = false;
      facts_.report.peer = Role::active;
    }
    if (answers_ && looks_ > kLooksBeforeIt + 1) facts_.report.behind = 0;
    return facts_;
  }

  static constexpr int kLooksBeforeIt = 3;  // waits for answers
  FailoverFacts facts_ = ready();
  uint64_t behind_ = 0;  // when it was left
  bool answers_ = true, takes_ = true;
  int looks_ = 0;
  std::vector<bool> leaving_;      // whenever it was said to have changed
  std::vector<std::string> said_;  // to the other node
  std::vector<Outcome<MovedVips>> meanwhile_;
  boost::asio::io_context loop_;
  Failover failover_{
      loop_.get_executor(),
      {[this] { return look(); },
       [this] {
         leaving_.push_back(failover_.is_leaving());
         if (failover_.is_leaving()) behind_ = facts_.report.behind;
       },
       [this] { said_.emplace_back("leave"); }, [this] { said_.emplace_back("gone"); },
       [this] { said_.emplace_back("stop"); }},
      {.answer = 1s, .taken = 100ms}};
};

TEST_F(OfANode, IsLeftUntilTheOtherOneHasTheVips) {
  facts_.not_movable = 3;
  const auto outcome = run();
  ASSERT_TRUE(std::holds_alternative<MovedVips>(outcome)) << std::get<Fault>(outcome).text;
  EXPECT_EQ(std::get<MovedVips>(outcome).to.text(), "192.0.2.3");
  EXPECT_EQ(std::get<MovedVips>(outcome).not_movable, 3u);
  EXPECT_THAT(leaving_, ElementsAre(true, false));
  EXPECT_THAT(said_, ElementsAre("leave", "gone", "gone", "stop"));
}

TEST_F(OfANode, IsNotLeftBeforeWhatWasToldIsAnswered) {
  facts_.report.behind = 4;
  EXPECT_TRUE(std::holds_alternative<MovedVips>(run()));
  EXPECT_GT(looks_, kLooksBeforeIt + 1);
  EXPECT_EQ(behind_, 0u);
}

TEST_F(OfANode, IsNotLeftIfTheOtherOneDoesNotAnswer) {
  facts_.report.behind = 4;
  answers_ = false;
  const auto outcome = run();
  EXPECT_EQ(std::get<Fault>(outcome).status, 409);
  EXPECT_THAT(std::get<Fault>(outcome).text, HasSubstr("does not answer what it is told"));
  EXPECT_THAT(leaving_, IsEmpty());
  EXPECT_THAT(said_, ElementsAre("leave", "stop"));
}

TEST_F(OfANode, IsFitAgainIfTheOtherOneDoesNotTakeTheVips) {
  takes_ = false;
  const auto outcome = run();
  EXPECT_EQ(std::get<Fault>(outcome).status, 500);
  EXPECT_THAT(std::get<Fault>(outcome).text,
              HasSubstr("192.0.2.3, has not taken the VIPs within 100 ms"));
  EXPECT_THAT(leaving_, ElementsAre(true, false));
}

TEST_F(OfANode, IsLeftByOneFailoverAtATime) {
  EXPECT_TRUE(std::holds_alternative<MovedVips>(run(1)));
  ASSERT_EQ(meanwhile_.size(), 1u);
  EXPECT_THAT(std::get<Fault>(meanwhile_[0]).text, HasSubstr("under way"));
}

TEST_F(OfANode, ThatIsRefusedDoesNothing) {
  facts_.has_vips = false;
  EXPECT_EQ(std::get<Fault>(run()).status, 409);
  EXPECT_THAT(leaving_, IsEmpty());
  EXPECT_THAT(said_, IsEmpty());
}

}  // namespace
}  // namespace serve
