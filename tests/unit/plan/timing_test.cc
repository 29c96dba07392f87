// How long plans take, printed for people. What fails does not depend on the machine: one plan
// against another, on the same one.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>

#include "agent/plan/maglev.h"
#include "agent/plan/plan.h"
#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using model::Algorithm;

// The best of three, in milliseconds of this CPU: others may be using the machine.
template <class Work>
double best_ms(Work work) {
  double best = 1e9;
  for (int round = 0; round < 3; round++) {
    const std::clock_t start = std::clock();
    work();
    best = std::min(best, 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

test::LoadBalancerBuilder thousand_members(Algorithm algorithm) {
  auto lb = test::load_balancer("192.0.2.1").listener(tcp, 80).pool(algorithm);
  lb.members("203.0.113.0", 1000, 80);
  return lb;
}

netns::Observed wide_net(const model::Model& model) {
  return test::Net().link(2, "eth0", {"192.0.2.10/24", "203.0.0.1/8"}).reaching(model).observed();
}

// A change of one member's weight: plan and diff.
void print_change(const char* what, model::Model model) {
  const Observed observed = {wide_net(model), {}};
  const Plan before = make_plan(model, observed, {}, {}, {});
  model.members.begin()->second.weight = 7;
  size_t steps = 0;
  const double ms = best_ms([&] {
    const Plan after = make_plan(model, observed, before.ids, {}, {});
    steps = datapath::diff(before.tables, after.tables).size();
  });
  std::printf("%-48s %8.2f ms, %zu steps\n", what, ms, steps);
  EXPECT_GT(steps, 0u);
}

TEST(Timing, WeightChange) {
  print_change("1000 members, ROUND_ROBIN", thousand_members(Algorithm::round_robin));
  print_change("1000 members, LEAST_CONNECTIONS", thousand_members(Algorithm::least_connections));
  print_change("1000 members, SOURCE_IP", thousand_members(Algorithm::source_ip));
  model::Model mixed = thousand_members(Algorithm::round_robin);
  int weight = 0;
  for (auto& [id, member] : mixed.members) member.weight = 1 + (weight += 37) % 256;
  print_change("1000 members, ROUND_ROBIN, all weights", mixed);
  auto many = test::load_balancer("192.0.2.1");
  for (uint16_t port = 1; port <= 100; port++)
    many.listener(tcp, port).pool().members("203.0.113.0", 100, 80);
  print_change("100 listeners x 100 members, ROUND_ROBIN", many);
}

// The documented limit: 1,000 listeners. Their pools share 7,000 addresses, as many as there may
// be.
model::Model many_listeners() {
  model::Model all;
  for (int i = 0; i < 10; i++) {
    auto lb = test::load_balancer("192.0.2." + std::to_string(i + 11));
    for (uint16_t n = 0; n < 100; n++) {
      const int pool = 100 * i + n;
      const std::string first = "203.1." + std::to_string(pool % 230) + ".1";
      lb.listener(tcp, static_cast<uint16_t>(n + 1)).pool().members(first, 30, 80);
    }
    all = test::join(std::move(all), lb);
  }
  return all;
}

TEST(Timing, WholePlans) {
  auto hundred = test::load_balancer("192.0.2.1");
  for (uint16_t port = 1; port <= 100; port++)
    hundred.listener(tcp, port).pool().members("203.0.113.0", 100, 80);
  const std::pair<const char*, model::Model> models[] = {
      {"plan, 100 listeners x 100 members", hundred},
      {"plan, 1000 listeners x 30 members", many_listeners()}};
  for (const auto& [what, model] : models) {
    const Observed observed = {wide_net(model), {}};
    Plan before = make_plan(model, observed, {}, {}, {});
    const double ms =
        best_ms([&] { before = make_plan(model, observed, before.ids, {}, {}, before.memory); });
    std::printf("%-48s %8.2f ms, %zu services, %zu backends\n", what, ms,
                before.tables.services.size(), before.tables.backends.size());
    EXPECT_EQ(before.tables.backends.size(), model.members.size());
    EXPECT_TRUE(before.problems.empty());
  }
}

// A member goes down: the way from its probe to the ring leads through a plan and a diff.
TEST(Timing, AMemberGoesDown) {
  model::Model mixed = thousand_members(Algorithm::round_robin);
  int weight = 0;
  for (auto& [id, member] : mixed.members) member.weight = 1 + (weight += 37) % 256;
  model::Model hashed = mixed;
  for (auto& [id, pool] : hashed.pools) pool.algorithm = Algorithm::source_ip;
  const std::pair<const char*, model::Model> models[] = {
      {"down, of 1000 members, ROUND_ROBIN", thousand_members(Algorithm::round_robin)},
      {"down, of 1000 members, ROUND_ROBIN, all weights", mixed},
      {"down, of 1000 members, SOURCE_IP", thousand_members(Algorithm::source_ip)},
      {"down, of 1000 members, SOURCE_IP, all weights", hashed}};
  for (const auto& [what, model] : models) {
    Observed observed = {wide_net(model), {}};
    const Plan before = make_plan(model, observed, {}, {}, {});
    observed.down.insert(model.members.begin()->first);
    size_t steps = 0;
    const double ms = best_ms([&] {
      const Plan after = make_plan(model, observed, before.ids, {}, {}, before.memory);
      steps = datapath::diff(before.tables, after.tables).size();
    });
    std::printf("%-48s %8.2f ms, %zu steps\n", what, ms, steps);
    EXPECT_GT(steps, 0u);
  }
}

// Turns of a thousand different weights are the dearest thing in a plan: the second one has them.
TEST(Timing, TheSecondPlanIsCheaper) {
  model::Model model = thousand_members(Algorithm::round_robin);
  int weight = 0;
  for (auto& [id, member] : model.members) member.weight = 1 + (weight += 37) % 256;
  const Observed observed = {wide_net(model), {}};
  const Plan before = make_plan(model, observed, {}, {}, {});
  const double first = best_ms([&] { make_plan(model, observed, before.ids, {}, {}); });
  const double second =
      best_ms([&] { make_plan(model, observed, before.ids, {}, {}, before.memory); });
  std::printf("%-48s %8.2f ms, then %.2f ms\n", "1000 members, all weights", first, second);
  EXPECT_LT(second, first / 2);
}

// Ten times as many listeners cost about ten times as much: nothing is walked for each of them that
// grows with all of them. (Before there was an index it was more than a hundred times as much.)
TEST(Timing, GrowsWithTheModel) {
  const auto cost = [](uint16_t listeners) {
    auto lb = test::load_balancer("192.0.2.1");
    for (uint16_t port = 1; port <= listeners; port++)
      lb.listener(tcp, port).pool().members("203.0.113.0", 20, 80);
    const Observed observed = {wide_net(lb), {}};
    return best_ms([&] { make_plan(lb, observed, {}, {}, {}); });
  };
  const double few = cost(80), many = cost(800);
  std::printf("%-48s %8.2f ms, of 800 %.2f ms\n", "plan, 80 listeners x 20 members", few, many);
  EXPECT_LT(many, 40 * few);
}

TEST(Timing, MaglevTable) {
  for (uint32_t heaviest : {1u, 256u})
    for (size_t n : {2u, 100u, 1000u}) {
      std::vector<MaglevBackend> list;
      for (size_t i = 0; i < n; i++)
        list.push_back({{base::IpAddress::v4(0xcb007100 + static_cast<uint32_t>(i)), 80}, 1});
      list[0].weight = heaviest;
      const double ms = best_ms([&] { EXPECT_FALSE(maglev_table(list, 65537).empty()); });
      std::printf("maglev, %4zu backends, one of weight %3u %20.2f ms\n", n, heaviest, ms);
    }
}

}  // namespace
}  // namespace plan
