// Hearing of changes (the topology is in lab.h).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/netns/lab.h"

namespace netns_test {
namespace {

using netns::Changes;
using netns::LayoutSpec;
using netns::NeighbourKey;
using netns::Watch;

class WatchTest : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    if (IsSkipped()) return;
    plug_ens7();
    open();
    arrange({.interfaces = {eth1()}});
    auto watch = network_->watch();
    ASSERT_TRUE(watch) << watch.error().message();
    watch_.emplace(*std::move(watch));
  }

  Changes drain(Watch& watch) {
    auto changes = watch.read_events();
    EXPECT_TRUE(changes) << changes.error().message();
    return changes ? *std::move(changes) : Changes{};
  }

  // All that comes until `enough`.
  Changes wait_for(Watch& watch, const std::function<bool(const Changes&)>& enough) {
    Changes all;
    EXPECT_TRUE(eventually([&] {
      pollfd p{.fd = watch.fd(), .events = POLLIN, .revents = 0};
      ::poll(&p, 1, 100);
      Changes more = drain(watch);
      all.links |= more.links;
      all.addresses |= more.addresses;
      all.routes |= more.routes;
      all.rules |= more.rules;
      all.lost |= more.lost;
      for (auto& [key, mac] : more.neighbours) all.neighbours[key] = mac;
      return enough(all);
    }));
    return all;
  }

  std::optional<Watch> watch_;
};

TEST_F(WatchTest, WatchesAgainAfterAFailure) {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(::dup2(null, watch_->fd()), 0);
  ::close(null);
  EXPECT_FALSE(watch_->read_events());
  auto again = watch_->watch_again();
  ASSERT_TRUE(again) << again.error().message();
  arrange({.interfaces = {}});
  EXPECT_TRUE(wait_for(*watch_, [](const Changes& all) { return all.addresses; }).addresses);
}

TEST_F(WatchTest, IsSilentWhenNothingHappens) {
  // Duplicate address detection of eth1 is over some time.
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  drain(*watch_);
  EXPECT_FALSE(drain(*watch_).any());
}

TEST_F(WatchTest, TellsWhatKindOfThingChanged) {
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  drain(*watch_);
  sh("ip -n lb rule add from 192.0.2.77 lookup 7");
  Changes changes = wait_for(*watch_, [](const Changes& c) { return c.rules; });
  EXPECT_FALSE(changes.links || changes.addresses || changes.routes || changes.lost);
  sh("ip -n lb route add 203.0.113.0/24 via 192.0.2.1");
  changes = wait_for(*watch_, [](const Changes& c) { return c.routes; });
  EXPECT_FALSE(changes.links || changes.addresses || changes.rules || changes.lost);
  sh("ip -n lb addr add 192.0.2.77/32 dev eth1");
  wait_for(*watch_, [](const Changes& c) { return c.addresses; });
}

TEST_F(WatchTest, ALinkThatGoesDownAndComesBackIsArrangedAgain) {
  LayoutSpec want{.interfaces = {eth1()}, .vips = {{ip("2001:db8:2::10"), "eth1"}}};
  want.interfaces[0].routes = {{.destination = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.1")}};
  arrange(want);
  drain(*watch_);
  sh("ip -n peer link set peer7 down");
  wait_for(*watch_, [](const Changes& c) { return c.links; });
  EXPECT_TRUE(eventually([&] { return !find(observe(want), "eth1")->carrier; }));
  sh("ip -n peer link set peer7 up");
  wait_for(*watch_, [](const Changes& c) { return c.links; });
  EXPECT_TRUE(eventually([&] { return find(observe(want), "eth1")->carrier; }));
  // Somebody took it down here: IPv6 addresses and routes are gone, and come back.
  sh("ip -n lb link set eth1 down");
  wait_for(*watch_, [](const Changes& c) { return c.links && c.addresses; });
  arrange(want);
  EXPECT_TRUE(find(observe(want), "eth1")->up);
}

TEST_F(WatchTest, AnInterfaceThatIsPluggedInIsHeardOfOutside) {
  auto outside = network_->watch_outside();
  ASSERT_TRUE(outside);
  ASSERT_TRUE(*outside);
  EXPECT_FALSE(drain(**outside).any());
  plug_ens8();
  Changes changes = wait_for(**outside, [](const Changes& c) { return c.links; });
  EXPECT_FALSE(changes.addresses || changes.routes);
}

TEST_F(WatchTest, NeighboursAreToldOneByOne) {
  LayoutSpec want{.interfaces = {eth1()}, .next_hop_targets = {ip("192.0.2.1")}};
  arrange(want);
  const NeighbourKey key{find(observe(want), "eth1")->ifindex, ip("192.0.2.1")};
  Changes changes = wait_for(*watch_, [&](const Changes& c) {
    return c.neighbours.contains(key) && c.neighbours.at(key);
  });
  EXPECT_EQ(changes.neighbours[key], mac(kPeerMac7));
  netns::Observed seen = observe(want).seen;

  // The member moves to another machine.
  sh("ip -n lb neigh change 192.0.2.1 lladdr 02:00:00:00:00:99 dev eth1 nud reachable");
  const base::MacAddress moved = mac("02:00:00:00:00:99");
  changes = wait_for(*watch_, [&](const Changes& c) {
    auto it = c.neighbours.find(key);
    return it != c.neighbours.end() && it->second == moved;
  });
  EXPECT_TRUE(netns::merge(seen, changes));
  EXPECT_EQ(seen.hops[ip("192.0.2.1")].neighbour, moved);
  EXPECT_FALSE(netns::merge(seen, changes));

  sh("ip -n lb neigh del 192.0.2.1 dev eth1");
  changes = wait_for(*watch_, [&](const Changes& c) {
    auto it = c.neighbours.find(key);
    return it != c.neighbours.end() && !it->second;
  });
  EXPECT_TRUE(netns::merge(seen, changes));
  EXPECT_FALSE(seen.hops[ip("192.0.2.1")].neighbour);
  EXPECT_FALSE(seen.neighbours.contains(key));
}

TEST_F(WatchTest, SaysSoWhenEventsWereLost) {
  int tiny = 2048;
  ASSERT_EQ(::setsockopt(watch_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
  for (int i = 0; i < 50; ++i) {
    sh("ip -n lb addr add 192.0.2." + std::to_string(100 + i) + "/32 dev eth1");
  }
  EXPECT_TRUE(drain(*watch_).lost);
  EXPECT_FALSE(drain(*watch_).lost);
}

}  // namespace
}  // namespace netns_test
