// Rings, backends and next hops of a pool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/plan/plan.h"
#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using model::Algorithm;
using test::load_balancer;
using testing::HasSubstr;
using testing::IsEmpty;

Shares shares_of(const model::Model& model) {
  const Plan plan = plan_of(model);
  return shares(plan, service(plan, kVip, 80));
}

TEST(Rings, WeightedRoundRobin) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool();
  lb.member("203.0.113.7", 80, {.weight = 30}).member("203.0.113.8", 80, {.weight = 10});
  const Plan plan = plan_of(lb);
  const lb_service& s = service(plan, kVip, 80);
  EXPECT_EQ(s.scheduler, static_cast<uint32_t>(LB_SCHEDULE_RING));
  EXPECT_EQ(shares(plan, s), (Shares{{"203.0.113.7:80", 3}, {"203.0.113.8:80", 1}}));
  EXPECT_EQ(backend(plan, "203.0.113.7:80").weight, 30);
}

TEST(Rings, LeastConnectionsListsEachOnce) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool(Algorithm::least_connections);
  lb.member("203.0.113.7", 80, {.weight = 30}).member("203.0.113.8", 80, {.weight = 10});
  const Plan plan = plan_of(lb);
  EXPECT_EQ(service(plan, kVip, 80).scheduler, static_cast<uint32_t>(LB_LEAST_CONNECTIONS));
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)),
            (Shares{{"203.0.113.7:80", 1}, {"203.0.113.8:80", 1}}));
  EXPECT_EQ(backend(plan, "203.0.113.8:80").weight, 10);
}

TEST(Rings, HashesUseMaglev) {
  const std::map<Algorithm, uint32_t> schedulers = {{Algorithm::source_ip, LB_HASH_SOURCE},
                                                    {Algorithm::source_ip_port, LB_HASH_TUPLE}};
  for (const auto& [algorithm, scheduler] : schedulers) {
    auto lb = load_balancer(kVip).listener(tcp, 80).pool(algorithm);
    lb.member("203.0.113.7", 80, {.weight = 2}).member("203.0.113.8", 80);
    const Plan plan = plan_of(lb);
    EXPECT_EQ(service(plan, kVip, 80).scheduler, scheduler);
    const Shares s = shares(plan, service(plan, kVip, 80));
    EXPECT_NEAR(static_cast<double>(s.at("203.0.113.7:80")), 65537 * 2 / 3, 2);
    EXPECT_NEAR(static_cast<double>(s.at("203.0.113.8:80")), 65537 / 3, 2);
  }
}

// Ids are random: only places may decide, or the nodes of a pair would differ.
TEST(Rings, DoNotDependOnIdsOfMembers) {
  for (Algorithm algorithm : {Algorithm::round_robin, Algorithm::source_ip}) {
    auto lb = load_balancer(kVip).listener(tcp, 80).pool(algorithm);
    lb.members("203.0.113.20", 9, 80);
    model::Model other = lb.model();
    other.members.clear();
    for (auto [id, member] : lb.model().members) {
      std::reverse(member.id.bytes.begin(), member.id.bytes.end());
      other.members[member.id] = member;
    }
    const Plan a = plan_of(lb), b = plan_of(other);
    const auto &slots_a = a.tables.rings.at(1).slots, &slots_b = b.tables.rings.at(1).slots;
    ASSERT_EQ(slots_a.size(), slots_b.size());
    for (size_t i = 0; i < slots_a.size(); i++)
      ASSERT_EQ(place(a.tables.backends.at(slots_a[i])), place(b.tables.backends.at(slots_b[i])));
  }
}

TEST(Members, WeightZeroAndAdminDownDrain) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  lb.member("203.0.113.8", 80, {.weight = 0});
  lb.member("203.0.113.9", 80, {.weight = 5, .admin_state_up = false});
  const Plan plan = plan_of(lb);
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)), (Shares{{"203.0.113.7:80", 1}}));
  EXPECT_EQ(backend(plan, "203.0.113.8:80").flags, LB_BACKEND_PRESENT | LB_BACKEND_RETURNING);
  EXPECT_EQ(backend(plan, "203.0.113.9:80").flags, LB_BACKEND_PRESENT);
  for (const char* drained : {"203.0.113.8:80", "203.0.113.9:80"})
    EXPECT_EQ(backend(plan, drained).weight, 0);
  EXPECT_EQ(plan.tables.destinations.size(), 3u);
  EXPECT_THAT(plan.problems, IsEmpty());
}

TEST(Members, BackupsServeTogetherWhenNoPrimaryCan) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  const base::Uuid primary = lb.last_member().id;
  lb.member("203.0.113.8", 80, {.backup = true}).member("203.0.113.9", 80, {.backup = true});
  const Shares backups = {{"203.0.113.8:80", 1}, {"203.0.113.9:80", 1}};
  EXPECT_EQ(shares_of(lb), (Shares{{"203.0.113.7:80", 1}}));
  EXPECT_EQ(plan_of(lb).tables.backends.size(), 3u);

  model::Model drained = lb;
  drained.members.at(primary).weight = 0;
  EXPECT_EQ(shares_of(drained), backups);
  model::Model off = lb;
  off.members.at(primary).admin_state_up = false;
  EXPECT_EQ(shares_of(off), backups);
  const Observed down = {two_links().reaching(lb).observed(), {primary}};
  const Plan plan = make_plan(lb, down, {}, {}, {});
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)), backups);
}

TEST(Members, DownIsOutOfTheRingAndGone) {
  auto lb = load_balancer(kVip).listener(udp, 80).pool().member("203.0.113.7", 80);
  const Plan before = plan_of(lb);
  const Observed down = {two_links().reaching(lb).observed(), {lb.last_member().id}};
  const Plan plan = make_plan(lb, down, before.ids, {}, {});
  EXPECT_EQ(service(plan, kVip, 80, IPPROTO_UDP).ring, 0u);
  EXPECT_THAT(plan.tables.rings, IsEmpty());
  EXPECT_EQ(backend(plan, "203.0.113.7:80").flags, LB_BACKEND_PRESENT | LB_BACKEND_GONE);
  EXPECT_EQ(plan.ids.backends, before.ids.backends);
  EXPECT_THAT(plan.problems, IsEmpty());
}

TEST(Members, WithoutARouteOthersServe) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  lb.member("198.51.100.9", 80);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)), (Shares{{"203.0.113.7:80", 1}}));
  EXPECT_EQ(plan.problems.at(lb.last_member().id), "no route to member 198.51.100.9");
  EXPECT_EQ(backend(plan, "198.51.100.9:80").flags, LB_BACKEND_PRESENT);
  EXPECT_EQ(plan.tables.destinations.at(test::ip("198.51.100.9")).flags, 0);
}

TEST(Members, FamilyWithoutAVipIsReportedWhereHaproxyCannotHelp) {
  auto lb = load_balancer(kVip).listener(udp, 80).pool().member("2001:db8:2::7", 80);
  EXPECT_THAT(plan_of(lb).problems.at(lb.last_member().id), HasSubstr("no VIP"));
}

TEST(Members, ImpossibleOnesAreReported) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  std::map<std::string, base::Uuid> bad;
  for (const char* address : {"192.0.2.1", "224.0.0.1", "0.0.0.0", "127.0.0.1", "203.0.113.10"})
    bad[address] = lb.member(address, 80).last_member().id;
  bad["port 0"] = lb.member("203.0.113.8", 0).last_member().id;
  auto net = two_links().reaching(lb);
  net.observed().hops[test::ip("203.0.113.10")] = {1, {}, test::ip("203.0.113.10"), {}};
  const Plan plan = make_plan(lb, {net.observed(), {}}, {}, {}, {});
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)), (Shares{{"203.0.113.7:80", 1}}));
  for (const auto& [what, id] : bad) EXPECT_TRUE(plan.problems.contains(id)) << what;
  EXPECT_EQ(plan.problems.size(), bad.size());
}

TEST(Snat, IsTheVipThroughItsLinkElseTheLinksAddress) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool();
  lb.member("192.0.2.7", 80).member("203.0.113.7", 80);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(backend(plan, "192.0.2.7:80").flags & LB_BACKEND_SNAT_VIP, LB_BACKEND_SNAT_VIP);
  EXPECT_EQ(backend(plan, "203.0.113.7:80").flags & LB_BACKEND_SNAT_VIP, 0u);
  const lb_addr& source = backend(plan, "203.0.113.7:80").snat;
  EXPECT_EQ(datapath::from_abi(base::Family::ipv4, source), test::ip("203.0.113.10"));
}

// Of a pair: connections go on at the other node only from an address that goes there, too.
TEST(Snat, IsTheAddressThatGoesWithTheVipsWhereThereIsOne) {
  auto lb = load_balancer(kVip).vip("2001:db8:1::1").listener(tcp, 80).pool();
  lb.member("192.0.2.7", 80).member("203.0.113.7", 80).member("2001:db8:2::7", 80);
  netns::LayoutSpec configured;
  configured.pair_interface = "eth0";
  configured.floating = {test::ip("203.0.113.9")};
  const Plan plan = make_plan(lb, {two_links().reaching(lb).observed(), {}}, {}, {}, configured);
  const lb_backend& along = backend(plan, "203.0.113.7:80");
  EXPECT_EQ(along.flags & LB_BACKEND_SNAT_FLOATS, LB_BACKEND_SNAT_FLOATS);
  EXPECT_EQ(datapath::from_abi(base::Family::ipv4, along.snat), test::ip("203.0.113.9"));
  EXPECT_EQ(backend(plan, "192.0.2.7:80").flags & LB_BACKEND_SNAT_FLOATS, 0u) << "the VIP's";
  const lb_backend& six = backend(plan, "[2001:db8:2::7]:80");
  EXPECT_EQ(six.flags & LB_BACKEND_SNAT_FLOATS, 0u) << "none is of its family";
  EXPECT_EQ(datapath::from_abi(base::Family::ipv6, six.snat), test::ip("2001:db8:2::10"));
}

// A packet to the VIP on eth0 must not leave eth1 with that VIP: the answer would not come back.
TEST(Snat, IsNotTheVipWhenVipsAreOnSeveralLinks) {
  auto lb = load_balancer(kVip).vip("203.0.113.1").vip("2001:db8:1::1").listener(tcp, 80).pool();
  lb.member("192.0.2.7", 80).member("203.0.113.7", 80).member("2001:db8:1::7", 80);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(backend(plan, "192.0.2.7:80").flags & LB_BACKEND_SNAT_VIP, 0u);
  EXPECT_EQ(backend(plan, "203.0.113.7:80").flags & LB_BACKEND_SNAT_VIP, 0u);
  EXPECT_EQ(backend(plan, "[2001:db8:1::7]:80").flags & LB_BACKEND_SNAT_VIP, LB_BACKEND_SNAT_VIP);
}

TEST(Snat, WithoutAnAddressIsReported) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  auto net = two_links().reaching(lb);
  net.observed().hops.at(test::ip("203.0.113.7")).source.reset();
  const Plan plan = make_plan(lb, {net.observed(), {}}, {}, {}, {});
  EXPECT_EQ(service(plan, kVip, 80).ring, 0u);
  EXPECT_THAT(plan.problems.at(lb.last_member().id), HasSubstr("eth1 has no address"));
}

TEST(Destinations, HaveTheHopsHeader) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  lb.member("203.0.113.7", 81).member("203.0.113.8", 80).member("198.51.100.9", 80);
  auto net = two_links().gateway("192.0.2.254").reaching(lb).unresolved("203.0.113.8");
  const Plan plan = make_plan(lb, {net.observed(), {}}, {}, {}, {});
  ASSERT_EQ(plan.tables.destinations.size(), 3u);
  const lb_nexthop& direct = plan.tables.destinations.at(test::ip("203.0.113.7"));
  EXPECT_EQ(direct.ifindex, 3u);
  EXPECT_EQ(direct.mtu, 9000);
  EXPECT_EQ(direct.flags, LB_NEXTHOP_RESOLVED);
  EXPECT_EQ(std::memcmp(direct.src_mac, test::mac_of_link(3).bytes.data(), 6), 0);
  EXPECT_EQ(std::memcmp(direct.dst_mac, test::mac_of(test::ip("203.0.113.7")).bytes.data(), 6), 0);
  EXPECT_EQ(plan.tables.destinations.at(test::ip("203.0.113.8")).flags, 0);
  const lb_nexthop& routed = plan.tables.destinations.at(test::ip("198.51.100.9"));
  EXPECT_EQ(routed.ifindex, 2u);
  EXPECT_EQ(std::memcmp(routed.dst_mac, test::mac_of(test::ip("192.0.2.254")).bytes.data(), 6), 0);
  // Unresolved serves: the kernel forwards meanwhile.
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)).size(), 4u);
}

TEST(Destinations, LinkThatIsDownIsNoRoute) {
  auto lb = load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 80);
  auto net = two_links().reaching(lb);
  net.observed().links.at(3).up = false;
  const Plan plan = make_plan(lb, {net.observed(), {}}, {}, {}, {});
  EXPECT_EQ(service(plan, kVip, 80).ring, 0u);
  EXPECT_TRUE(plan.problems.contains(lb.last_member().id));
}

}  // namespace
}  // namespace plan
