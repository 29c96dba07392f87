// Numbers: they stay with their resources, rest while flows name them, and are read back.
#include "agent/plan/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/plan/plan.h"
#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using test::load_balancer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

bool same(const Ids& a, const Ids& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return x.first.port == y.first.port && x.second == y.second &&
           std::memcmp(&x.first, &y.first, sizeof(x.first)) == 0;
  };
  return a.rings == b.rings && a.backends == b.backends && a.cidr_sets == b.cidr_sets &&
         std::equal(a.services.begin(), a.services.end(), b.services.begin(), b.services.end(),
                    equal);
}

test::LoadBalancerBuilder three_listeners() {
  auto lb = load_balancer(kVip).vip("2001:db8:1::1");
  lb.listener(tcp, 80, {.allowed_cidrs = {"198.51.100.0/24", "2001:db8::/32"}}).pool();
  lb.members("203.0.113.7", 3, 80).members("2001:db8:2::7", 3, 80);
  lb.listener(udp, 53, {.allowed_cidrs = {"198.51.100.0/24"}}).pool().members("203.0.113.7", 2, 53);
  lb.listener(tcp, 443, {.allowed_cidrs = {"0.0.0.0/0", "::/0"}});
  return lb;
}

TEST(Numbering, KeepsElseTakesTheLowestFree) {
  const std::map<std::string, uint16_t> before = {{"a", 2}, {"b", 3}, {"gone", 1}};
  Numbering<std::map<std::string, uint16_t>> numbers(before, {4}, 1, 8);
  EXPECT_EQ(numbers.number("new"), 5);
  EXPECT_EQ(numbers.number("b"), 3);
  EXPECT_EQ(numbers.number("new"), 5);
  EXPECT_EQ(numbers.number("newer"), 6);
  EXPECT_EQ(numbers.number("newest"), 7);
  EXPECT_EQ(numbers.number("one too many"), std::nullopt);
  EXPECT_EQ(numbers.number("a"), 2);
  EXPECT_THAT(std::move(numbers).take(), ElementsAre(Pair("a", 2), Pair("b", 3), Pair("new", 5),
                                                     Pair("newer", 6), Pair("newest", 7)));
}

TEST(Numbering, DoesNotBelieveNonsense) {
  const std::map<std::string, uint16_t> before = {{"a", 3}, {"b", 3}, {"c", 0}, {"d", 8}};
  Numbering<std::map<std::string, uint16_t>> numbers(before, {}, 1, 8);
  EXPECT_EQ(numbers.number("a"), 3);
  EXPECT_EQ(numbers.number("b"), 1);
  EXPECT_EQ(numbers.number("c"), 2);
  EXPECT_EQ(numbers.number("d"), 4);
}

TEST(IdsOf, ReadsBackWhatWasPlanned) {
  const Plan plan = plan_of(three_listeners());
  EXPECT_TRUE(same(ids_of(plan.tables), plan.ids));
  EXPECT_THAT(plan.problems, IsEmpty());
  // 198.51.100.0/24, 2001:db8::/32, nobody (UDP over IPv6), 0.0.0.0/0 and ::/0
  EXPECT_EQ(plan.ids.cidr_sets.size(), 5u);
}

TEST(IdsOf, APlanFromThemIsTheSame) {
  const Plan plan = plan_of(three_listeners());
  const Plan again = plan_of(three_listeners(), ids_of(plan.tables));
  EXPECT_THAT(datapath::diff(plan.tables, again.tables), IsEmpty());
}

TEST(IdsOf, NothingIsNothing) { EXPECT_TRUE(same(ids_of({}), {})); }

TEST(Ids, StayAcrossEditsElsewhere) {
  const Plan before = plan_of(three_listeners());
  model::Model model = three_listeners();
  model.listeners.erase(
      test::id_from(model.load_balancers.begin()->first.text() + " listener " + "0/443"));
  auto other = load_balancer("192.0.2.0").listener(tcp, 80).pool().members("203.0.113.1", 3, 80);
  const Plan after = plan_of(join(model, other), before.ids);
  for (const auto& [key, number] : before.ids.services) {
    if (ntohs(key.port) != 443) {
      EXPECT_EQ(after.ids.services.at(key), number);
    }
  }
  for (const auto& [key, number] : before.ids.rings) EXPECT_EQ(after.ids.rings.at(key), number);
  for (const auto& [id, number] : before.ids.backends) EXPECT_EQ(after.ids.backends.at(id), number);
  EXPECT_EQ(after.ids.backends.size(), before.ids.backends.size() + 3);
}

TEST(Ids, OfOnePlanAreNotGivenAnewInTheNext) {
  auto a = load_balancer(kVip).listener(tcp, 80, {.allowed_cidrs = {"198.51.100.0/24"}});
  a.pool().member("203.0.113.7", 80);
  auto b = load_balancer("192.0.2.2").listener(tcp, 80, {.allowed_cidrs = {"198.51.100.0/25"}});
  b.pool().member("203.0.113.8", 80);
  const Plan first = plan_of(a);
  const Plan second = plan_of(b, first.ids);
  EXPECT_EQ(service(second, "192.0.2.2", 80).id, 2u);
  EXPECT_EQ(service(second, "192.0.2.2", 80).ring, 2u);
  EXPECT_EQ(service(second, "192.0.2.2", 80).cidr_set, 2u);
  EXPECT_EQ(second.tables.backends.begin()->first, 2);
  const Plan third = plan_of(join(a, b), second.ids);
  EXPECT_EQ(service(third, kVip, 80).id, 1u);
  EXPECT_EQ(service(third, kVip, 80).ring, 1u);
  EXPECT_EQ(service(third, kVip, 80).cidr_set, 3u);  // ever new ones
}

TEST(Ids, RestWhileFlowsNameThem) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  const Plan plan = plan_of(lb, {}, {{1, 3}, {1, 2}});
  EXPECT_EQ(service(plan, kVip, 80).id, 2u);
  EXPECT_EQ(plan.tables.backends.begin()->first, 3);
  // A resting number that is still its own stays.
  EXPECT_TRUE(same(plan_of(lb, plan.ids, {{2}, {3}}).ids, plan.ids));
}

TEST(Ids, RunningOutIsReported) {
  auto lb = load_balancer(kVip);
  for (uint16_t port = 1; port <= LB_MAX_SERVICES; port++) lb.listener(tcp, port);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(plan.tables.services.size(), LB_MAX_SERVICES - 1u);
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_THAT(plan.problems.begin()->second, HasSubstr("no service number is free"));
  for (const auto& [key, service] : plan.tables.services) EXPECT_LT(service.id, LB_MAX_SERVICES);
}

TEST(Ids, BackendsRunOut) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  lb.member("203.0.113.8", 80);
  Resting resting;
  for (uint32_t i = 1; i < LB_MAX_BACKENDS - 1u; i++)
    resting.backends.insert(static_cast<uint16_t>(i));
  const Plan plan = plan_of(lb, {}, resting);
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)), (Shares{{"203.0.113.7:80", 1}}));
  EXPECT_THAT(plan.problems.at(lb.last_member().id), HasSubstr("no backend number is free"));
}

TEST(Ids, OfAddressesOfMembersThereAreOnlySoMany) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool();
  lb.members("203.0.0.0", static_cast<int>(kMaxDestinations) + 1, 80);
  auto net = test::Net().link(2, "eth0", {"192.0.2.10/24", "203.0.0.1/8"}).reaching(lb);
  const Plan plan = make_plan(lb, {net.observed(), {}}, {}, {}, {});
  EXPECT_EQ(plan.tables.destinations.size(), kMaxDestinations);
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)).size(), kMaxDestinations);
  EXPECT_THAT(plan.problems.at(lb.last_member().id), HasSubstr("more than 7680 addresses"));
}

// Steps that ended half way: a set without a service is on its way in. Another content must not
// get its number, or it would let in whom the first let in.
TEST(Ids, HalfWrittenCidrSetsAreNotTakenForOthers) {
  auto lb = load_balancer(kVip).listener(tcp, 80, {.allowed_cidrs = {"198.51.100.0/24"}});
  datapath::Tables half = plan_of(lb).tables;
  half.cidrs[{LB_CIDR_SET_BITS + 24, htonl(2), datapath::to_abi(test::ip("198.51.100.0"))}] = {2};
  lb.last_listener().allowed_cidrs = {test::prefix("203.0.113.0/24")};
  const Plan plan = plan_of(lb, ids_of(half));
  EXPECT_EQ(service(plan, kVip, 80).cidr_set, 3u);
}

}  // namespace
}  // namespace plan
