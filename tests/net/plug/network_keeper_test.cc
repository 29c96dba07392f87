// The standing job that announces addresses, on its loop (the topology is in
// tests/net/netns/lab.h).
#include "agent/serve/network_keeper.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/net/netns/lab.h"

namespace plug_test {
namespace {

using netns_test::ip;
using netns_test::sh;

class NetworkKeeperTest : public netns_test::Lab {
 protected:
  void TearDown() override {
    if (!keeper_) return;
    keeper_->stop();
    loop_.restart();
    loop_.run();
  }

  // Runs the loop until `done`, or for five seconds.
  bool eventually(const std::function<bool()>& done) {
    return netns_test::eventually([&] {
      loop_.restart();
      loop_.run_for(std::chrono::milliseconds(20));
      return done();
    });
  }

  boost::asio::io_context loop_;
  reconcile::Workers workers_;
  std::optional<serve::NetworkKeeper> keeper_;
};

TEST_F(NetworkKeeperTest, ThePeerIsToldOfAVip) {
  plug_ens7();
  open();
  keeper_.emplace(loop_.get_executor(), workers_, *space_);
  boost::asio::co_spawn(loop_, keeper_->run(), boost::asio::detached);
  netns::LayoutSpec want{.interfaces = {netns_test::eth1()}};
  keeper_->arranged(want, arrange(want).state.seen);
  want.vips = {{ip("192.0.2.10"), "eth1"}};
  const auto arranged = arrange(want);
  const auto knows_us = [] {
    return sh("ip -n peer neigh show 192.0.2.10").find(netns_test::kMac7) != std::string::npos;
  };
  sh("ip -n peer neigh replace 192.0.2.10 lladdr 02:00:00:00:99:99 nud reachable dev peer7");
  keeper_->arranged(want, arranged.state.seen);
  EXPECT_TRUE(eventually(knows_us));
  // Said more than once: the first may get lost.
  sh("ip -n peer neigh replace 192.0.2.10 lladdr 02:00:00:00:99:99 nud reachable dev peer7");
  EXPECT_TRUE(eventually(knows_us));
}

// Whoever missed it is told when a controller asks for anything.
TEST_F(NetworkKeeperTest, ThePeerIsToldAgainWhenSomebodyAsks) {
  plug_ens7();
  open();
  keeper_.emplace(loop_.get_executor(), workers_, *space_);
  boost::asio::co_spawn(loop_, keeper_->run(), boost::asio::detached);
  netns::LayoutSpec want{.interfaces = {netns_test::eth1()}, .vips = {{ip("192.0.2.10"), "eth1"}}};
  arrange(want);
  keeper_->arranged(want, arrange(want).state.seen);
  loop_.run_for(std::chrono::milliseconds(3500));  // three times, a second apart
  sh("ip -n peer neigh replace 192.0.2.10 lladdr 02:00:00:00:99:99 nud reachable dev peer7");
  keeper_->announce_again();
  EXPECT_TRUE(eventually([] {
    return sh("ip -n peer neigh show 192.0.2.10").find(netns_test::kMac7) != std::string::npos;
  }));
}

}  // namespace
}  // namespace plug_test
