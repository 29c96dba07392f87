// What is remembered of rings from plan to plan: it changes nothing but the time they take.
#include "agent/plan/rings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using model::Algorithm;

// Two pools of one algorithm, with members of different weights at .1 to .9.
model::Model two_pools(Algorithm algorithm) {
  auto lb = test::load_balancer("192.0.2.1");
  for (const uint16_t port : {uint16_t{80}, uint16_t{81}}) {
    lb.listener(tcp, port).pool(algorithm);
    for (int host = 1; host < 10; host++)
      lb.member("203.0.113." + std::to_string(host), port, {.weight = 1 + host % 4});
  }
  return lb;
}

struct Change {
  const char* what;
  std::function<void(model::Model&, Observed&)> make;
  size_t turns, hashes;  // schedules to compute: turns by weight, Maglev tables
};

model::Member& first_member(model::Model& model) { return model.members.begin()->second; }

const Change kChanges[] = {
    {"nothing", [](auto&, auto&) {}, 0, 0},
    {"a weight", [](auto& model, auto&) { first_member(model).weight = 100; }, 1, 1},
    {"a member's port", [](auto& model, auto&) { first_member(model).protocol_port = 9999; }, 1, 1},
    {"a member less", [](auto& model, auto&) { model.members.erase(model.members.begin()); }, 1, 1},
    {"a member is switched off",
     [](auto& model, auto&) { first_member(model).admin_state_up = false; }, 1, 1},
    {"a member is down",
     [](auto& model, auto& observed) { observed.down.insert(model.members.begin()->first); }, 0, 1},
    {"no route to any member of one address",
     [](auto&, auto& observed) { observed.net.hops.erase(test::ip("203.0.113.3")); }, 0, 2},
    {"a name", [](auto& model, auto&) { first_member(model).name = "other"; }, 0, 0},
    {"a listener's limit",
     [](auto& model, auto&) { model.listeners.begin()->second.connection_limit = 9; }, 0, 0},
};

TEST(Memory, ComputesWhatHasChanged) {
  for (const Algorithm algorithm : {Algorithm::round_robin, Algorithm::source_ip})
    for (const Change& change : kChanges) {
      SCOPED_TRACE(change.what);
      model::Model model = two_pools(algorithm);
      Observed observed = {two_links().reaching(model).observed(), {}};
      const Plan before = make_plan(model, observed, {}, {}, {});
      EXPECT_EQ(before.memory.computed, 2u);
      change.make(model, observed);
      const Plan after = make_plan(model, observed, before.ids, {}, {}, before.memory);
      EXPECT_EQ(after.memory.computed,
                algorithm == Algorithm::round_robin ? change.turns : change.hashes);
      // Nobody can tell from the plan whether there was a memory.
      const Plan anew = make_plan(model, observed, before.ids, {}, {});
      EXPECT_EQ(anew.memory.computed, 2u);
      EXPECT_TRUE(datapath::diff(anew.tables, after.tables).empty());
      EXPECT_EQ(after.memory.schedules.size(), 2u);
    }
}

TEST(Memory, KnowsTheAlgorithm) {
  model::Model model = two_pools(Algorithm::round_robin);
  const Plan before = plan_of(model);
  for (auto& [id, pool] : model.pools) pool.algorithm = Algorithm::source_ip;
  const Observed observed = {two_links().reaching(model).observed(), {}};
  const Plan after = make_plan(model, observed, before.ids, {}, {}, before.memory);
  EXPECT_EQ(after.memory.computed, 2u);
  EXPECT_EQ(after.tables.rings.begin()->second.slots.size(), size_t{LB_MAX_RING_SLOTS});
}

TEST(Memory, ForgetsPoolsThatAreGone) {
  model::Model model = two_pools(Algorithm::round_robin);
  const Plan before = plan_of(model);
  const base::Uuid gone = model.pools.begin()->first;
  std::erase_if(model.members, [&](const auto& entry) { return entry.second.pool == gone; });
  const Observed observed = {two_links().reaching(model).observed(), {}};
  const Plan after = make_plan(model, observed, before.ids, {}, {}, before.memory);
  EXPECT_EQ(after.memory.computed, 0u);
  EXPECT_EQ(after.memory.schedules.size(), 1u);
}

// The others keep their order and their shares.
TEST(Rings, AMemberThatIsDownIsLeftOut) {
  const model::Model model = two_pools(Algorithm::round_robin);
  Observed observed = {two_links().reaching(model).observed(), {}};
  const Plan up = make_plan(model, observed, {}, {}, {});
  const base::Uuid down = model.members.begin()->first;
  observed.down.insert(down);
  const Plan after = make_plan(model, observed, up.ids, {}, {}, up.memory);
  for (const auto& [number, ring] : up.tables.rings) {
    std::vector<uint16_t> left = ring.slots;
    if (ring.pool == model.members.at(down).pool) std::erase(left, up.ids.backends.at(down));
    EXPECT_EQ(after.tables.rings.at(number).slots, left);
  }
}

}  // namespace
}  // namespace plan
