// What follows from a neighbour alone: the same as a plan says, without one.
#include "agent/plan/neighbours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using test::ip;
using NetChange = std::function<void(netns::Observed&)>;

// Members on their own link, behind the gateway, and where nothing leads to.
test::LoadBalancerBuilder spread() {
  auto lb = test::load_balancer("192.0.2.1").vip("2001:db8:1::1").listener(tcp, 80).pool();
  lb.member("203.0.113.7", 80).member("203.0.113.8", 80).member("198.51.100.7", 80);
  return lb.member("2001:db8:2::7", 80);
}

test::Net net_of(const model::Model& model) {
  return two_links().gateway("192.0.2.254").reaching(model);
}

std::vector<std::string> described(const std::vector<datapath::Step>& steps) {
  std::vector<std::string> texts;
  for (const auto& step : steps) texts.push_back(datapath::describe(step));
  return texts;
}

TEST(NextHops, AreWhatAPlanWouldChange) {
  const model::Model model = spread();
  const netns::Observed planned = net_of(model).observed();
  const Plan before = make_plan(model, {planned, {}}, {}, {}, {});
  const std::vector<std::pair<const char*, NetChange>> changes = {
      {"nothing", [](auto&) {}},
      {"one is gone", [](auto& net) { net.hops.at(ip("203.0.113.7")).neighbour.reset(); }},
      {"one has another MAC",
       [](auto& net) { net.hops.at(ip("2001:db8:2::7")).neighbour->bytes[5]++; }},
      {"all are gone",
       [](auto& net) {
         for (auto& [address, hop] : net.hops) hop.neighbour.reset();
       }},
      {"a client's",
       [](auto& net) {
         net.neighbours[{2, ip("192.0.2.77")}] = {};
       }},
  };
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    netns::Observed now = planned;
    change(now);
    const auto steps = next_hops(before.tables, planned, now);
    ASSERT_TRUE(steps);
    const Plan after = make_plan(model, {now, {}}, before.ids, {}, {});
    EXPECT_EQ(described(*steps), described(datapath::diff(before.tables, after.tables)));
    for (const auto& step : *steps) {
      const auto& put = std::get<datapath::PutDestination>(step);
      EXPECT_EQ(
          std::memcmp(&put.value, &after.tables.destinations.at(put.address), sizeof(put.value)),
          0);
    }
  }
}

TEST(NextHops, TakeAPlanWhenMoreHasChanged) {
  const model::Model model = spread();
  const netns::Observed planned = net_of(model).observed();
  const Plan before = make_plan(model, {planned, {}}, {}, {}, {});
  const std::vector<std::pair<const char*, NetChange>> changes = {
      {"a link went down", [](auto& net) { net.links.at(3).up = false; }},
      {"a link is gone", [](auto& net) { net.links.erase(3); }},
      {"another MTU", [](auto& net) { net.links.at(3).mtu = 1400; }},
      {"no route", [](auto& net) { net.hops.erase(ip("203.0.113.7")); }},
      {"another link", [](auto& net) { net.hops.at(ip("203.0.113.7")).ifindex = 2; }},
      {"another source",
       [](auto& net) { net.hops.at(ip("203.0.113.7")).source = ip("192.0.2.9"); }},
      {"another gateway",
       [](auto& net) { net.hops.at(ip("198.51.100.7")).gateway = ip("192.0.2.253"); }},
  };
  for (const auto& [what, change] : changes) {
    netns::Observed now = planned;
    change(now);
    EXPECT_FALSE(next_hops(before.tables, planned, now)) << what;
  }
}

// A member that is not reached is not reached by a neighbour either.
TEST(NextHops, OpenNoWay) {
  const model::Model model = spread();
  netns::Observed planned = net_of(model).observed();
  planned.hops.at(ip("203.0.113.7")).source.reset();
  const Plan before = make_plan(model, {planned, {}}, {}, {}, {});
  ASSERT_EQ(before.problems.size(), 1u);
  netns::Observed now = planned;
  now.hops.at(ip("203.0.113.7")).neighbour->bytes[5]++;
  EXPECT_THAT(*next_hops(before.tables, planned, now), testing::IsEmpty());
}

}  // namespace
}  // namespace plan
