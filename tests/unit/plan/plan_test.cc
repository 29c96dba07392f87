// Services: which listeners there are for the datapath, and with what policy.
#include "agent/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using model::Algorithm;
using model::PoolProtocol;
using model::ProvisioningStatus;
using test::load_balancer;
using testing::HasSubstr;
using testing::IsEmpty;

test::LoadBalancerBuilder web() {
  return load_balancer(kVip).listener(tcp, 80).pool().member("203.0.113.7", 8080);
}

TEST(Services, OneListenerOneMember) {
  const auto lb = web();
  const Plan plan = plan_of(lb);
  const lb_service& s = service(plan, kVip, 80);
  EXPECT_EQ(s.id, 1u);
  EXPECT_EQ(s.flags, 0u);
  EXPECT_EQ(s.cidr_set, 0u);
  EXPECT_EQ(s.connection_limit, 0u);
  EXPECT_EQ(s.client_timeout, 50000u);
  EXPECT_EQ(s.member_timeout, 50000u);
  EXPECT_EQ(s.connect_timeout, 5000u);
  EXPECT_TRUE(same_bytes(s.listener, lb.model().listeners.begin()->first));
  EXPECT_TRUE(same_bytes(s.load_balancer, lb.model().load_balancers.begin()->first));
  EXPECT_EQ(shares(plan, s), (Shares{{"203.0.113.7:8080", 1}}));
  EXPECT_EQ(plan.tables.services.size(), 1u);
  EXPECT_EQ(plan.tables.rings.size(), 1u);
  EXPECT_THAT(plan.problems, IsEmpty());
}

TEST(Services, EveryVipOfEitherFamily) {
  auto lb = load_balancer(kVip).vip("192.0.2.2").vip("2001:db8:1::1").vip(kVip);
  lb.listener(udp, 53).pool().member("203.0.113.7", 53).member("2001:db8:2::7", 53);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(plan.tables.services.size(), 3u);
  EXPECT_EQ(shares(plan, service(plan, kVip, 53, IPPROTO_UDP)), (Shares{{"203.0.113.7:53", 1}}));
  EXPECT_EQ(service(plan, kVip, 53, IPPROTO_UDP).ring,
            service(plan, "192.0.2.2", 53, IPPROTO_UDP).ring);
  const lb_service& six = service(plan, "2001:db8:1::1", 53, IPPROTO_UDP);
  EXPECT_EQ(shares(plan, six), (Shares{{"[2001:db8:2::7]:53", 1}}));
  EXPECT_EQ(plan.tables.rings.at(six.ring).family, base::Family::ipv6);
  EXPECT_THAT(plan.problems, IsEmpty());
}

struct Pairing {
  model::ListenerProtocol listener;
  PoolProtocol pool;
  int proto;  // 0: not forwarded
  uint32_t flags = 0;
};
class Protocols : public testing::TestWithParam<Pairing> {};

TEST_P(Protocols, AreForwardedOrReported) {
  const Pairing& p = GetParam();
  auto lb = load_balancer(kVip).listener(p.listener, 443).pool(Algorithm::round_robin, p.pool);
  lb.member("203.0.113.7", 443);
  const Plan plan = plan_of(lb);
  if (p.proto != 0) {
    EXPECT_TRUE(plan.tables.services.contains(key(kVip, 443, static_cast<uint8_t>(p.proto))));
    EXPECT_EQ(plan.tables.services.size(), 1u);
    EXPECT_EQ(plan.tables.services.begin()->second.flags, p.flags);
    EXPECT_EQ(plan.haproxy.size(), p.flags == 0 ? 0u : 1u);
  } else {
    EXPECT_THAT(plan.tables.services, IsEmpty());
    EXPECT_THAT(plan.tables.backends, IsEmpty());
    EXPECT_THAT(plan.problems.at(lb.last_listener().id), HasSubstr("not forwarded"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Protocols,
    testing::Values(Pairing{tcp, PoolProtocol::tcp, IPPROTO_TCP},
                    Pairing{tcp, PoolProtocol::http, IPPROTO_TCP, LB_SERVICE_TO_KERNEL},
                    Pairing{tcp, PoolProtocol::https, IPPROTO_TCP},
                    Pairing{https, PoolProtocol::https, IPPROTO_TCP},
                    Pairing{https, PoolProtocol::tcp, IPPROTO_TCP},
                    Pairing{udp, PoolProtocol::udp, IPPROTO_UDP},
                    Pairing{tcp, PoolProtocol::proxy, IPPROTO_TCP, LB_SERVICE_TO_KERNEL},
                    Pairing{tcp, PoolProtocol::proxyv2, IPPROTO_TCP, LB_SERVICE_TO_KERNEL},
                    Pairing{https, PoolProtocol::proxyv2, IPPROTO_TCP, LB_SERVICE_TO_KERNEL},
                    Pairing{tcp, PoolProtocol::udp, 0}, Pairing{udp, PoolProtocol::tcp, 0},
                    Pairing{udp, PoolProtocol::sctp, 0}, Pairing{sctp, PoolProtocol::udp, 0},
                    Pairing{http, PoolProtocol::http, IPPROTO_TCP, LB_SERVICE_TO_KERNEL},
                    Pairing{prometheus, PoolProtocol::http, IPPROTO_TCP, LB_SERVICE_TO_KERNEL},
                    Pairing{sctp, PoolProtocol::sctp, IPPROTO_SCTP}));

TEST(Services, AdminDownKeepsItsNumberAndItsBackends) {
  auto lb = web();
  const Plan up = plan_of(lb);
  lb.last_listener().admin_state_up = false;
  const Plan down = plan_of(lb, up.ids);
  EXPECT_EQ(service(down, kVip, 80).flags, LB_SERVICE_DISABLED);
  EXPECT_EQ(service(down, kVip, 80).id, service(up, kVip, 80).id);
  EXPECT_EQ(down.tables.backends.size(), 1u);
}

TEST(Services, LoadBalancerAdminDownDisablesAllItsListeners) {
  auto lb = web().listener(tcp, 81);
  lb.load_balancer().admin_state_up = false;
  const Plan plan = plan_of(join(lb, load_balancer("192.0.2.2").listener(tcp, 80)));
  EXPECT_EQ(service(plan, kVip, 80).flags, LB_SERVICE_DISABLED);
  EXPECT_EQ(service(plan, kVip, 81).flags, LB_SERVICE_DISABLED);
  EXPECT_EQ(service(plan, "192.0.2.2", 80).flags, 0u);
}

TEST(Services, WithoutAPoolOrAUsableMemberHaveNoRing) {
  auto lb = load_balancer(kVip).listener(tcp, 80).listener(tcp, 81).pool();
  lb.listener(tcp, 82).pool().member("203.0.113.7", 8080);
  lb.last_pool().admin_state_up = false;
  const Plan plan = plan_of(lb);
  EXPECT_EQ(service(plan, kVip, 80).ring, 0u);
  EXPECT_EQ(service(plan, kVip, 81).ring, 0u);
  EXPECT_EQ(service(plan, kVip, 82).ring, 0u);
  EXPECT_THAT(plan.tables.rings, IsEmpty());
  EXPECT_EQ(backend(plan, "203.0.113.7:8080").flags, LB_BACKEND_PRESENT);  // old flows stay
}

TEST(Services, PendingDeleteIsGone) {
  const auto kGone = ProvisioningStatus::pending_delete;
  auto lb = web();
  lb.load_balancer().provisioning_status = kGone;
  EXPECT_THAT(plan_of(lb).tables.services, IsEmpty());
  EXPECT_THAT(plan_of(lb).layout.vips, IsEmpty());
  EXPECT_THAT(plan_of(lb).layout.next_hop_targets, IsEmpty());
  auto listener = web();
  listener.last_listener().provisioning_status = kGone;
  EXPECT_THAT(plan_of(listener).tables.services, IsEmpty());
  auto pool = web();
  pool.last_pool().provisioning_status = kGone;
  EXPECT_EQ(service(plan_of(pool), kVip, 80).ring, 0u);
  EXPECT_THAT(plan_of(pool).tables.backends, IsEmpty());
  auto member = web().member("203.0.113.8", 8080);
  member.last_member().provisioning_status = kGone;
  const Plan plan = plan_of(member);
  EXPECT_EQ(shares(plan, service(plan, kVip, 80)), (Shares{{"203.0.113.7:8080", 1}}));
  EXPECT_EQ(plan.tables.backends.size(), 1u);
  EXPECT_EQ(plan.tables.destinations.size(), 1u);
}

TEST(Services, ASecondListenerOnThePlaceIsReported) {
  auto second = load_balancer("192.0.2.2").vip(kVip).listener(https, 80);
  const Plan plan = plan_of(join(web(), second));
  EXPECT_EQ(plan.tables.services.size(), 2u);
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_THAT(plan.problems.begin()->second, HasSubstr("192.0.2.1:80 is taken"));
}

TEST(Services, VipThatIsNoAddressIsReported) {
  auto lb = load_balancer("0.0.0.0").listener(tcp, 80);
  const Plan plan = plan_of(lb);
  EXPECT_THAT(plan.tables.services, IsEmpty());
  EXPECT_THAT(plan.layout.vips, IsEmpty());
  EXPECT_TRUE(plan.problems.contains(lb.load_balancer().id));
}

TEST(Services, LimitsAndTimeouts) {
  auto lb = load_balancer(kVip);
  lb.listener(tcp, 1, {.connection_limit = 100, .timeout_client_data = 0});
  lb.listener(tcp, 2, {.connection_limit = -1, .timeout_member_data = 31536000000});
  lb.listener(tcp, 3, {.connection_limit = 0, .timeout_member_connect = 1});
  const Plan plan = plan_of(lb);
  EXPECT_EQ(service(plan, kVip, 1).connection_limit, 100u);
  EXPECT_EQ(service(plan, kVip, 2).connection_limit, 0u);
  EXPECT_EQ(service(plan, kVip, 2).member_timeout, UINT32_MAX);
  EXPECT_EQ(service(plan, kVip, 3).connection_limit, 0u);
  EXPECT_EQ(service(plan, kVip, 3).connect_timeout, 1u);
}

// As Octavia's templates have it, and the same whoever serves.
TEST(Services, NothingIsTheDefault) {
  auto lb = load_balancer(kVip);
  const test::ListenerOptions nothing{.connection_limit = 0,
                                      .timeout_client_data = 0,
                                      .timeout_member_connect = 0,
                                      .timeout_member_data = 0};
  lb.listener(tcp, 1, nothing);
  lb.listener(http, 2, nothing).pool(Algorithm::round_robin, PoolProtocol::http);
  const Plan plan = plan_of(lb);
  EXPECT_EQ(service(plan, kVip, 1).client_timeout, 50000u);
  EXPECT_EQ(service(plan, kVip, 1).connect_timeout, 5000u);
  EXPECT_EQ(service(plan, kVip, 1).member_timeout, 50000u);
  EXPECT_EQ(service(plan, kVip, 1).connection_limit, 0u);
  const haproxy::Frontend& frontend = l7(plan).frontends.begin()->second;
  const haproxy::Backend& backend = l7(plan).backends.begin()->second;
  EXPECT_EQ(frontend.client_timeout, 50000);
  EXPECT_EQ(backend.connect_timeout, 5000);
  EXPECT_EQ(backend.server_timeout, 50000);
  EXPECT_EQ(frontend.max_connections, std::nullopt);
  EXPECT_EQ(backend.max_connections, std::nullopt);
}

std::set<std::string> cidrs_of(const Plan& plan, uint32_t set, base::Family family) {
  std::set<std::string> texts;
  for (const auto& [key, value] : plan.tables.cidrs) {
    EXPECT_EQ(ntohl(key.set), value.set);
    const int length = static_cast<int>(key.prefixlen) - LB_CIDR_SET_BITS;
    if (value.set == set)
      texts.insert(base::IpPrefix{datapath::from_abi(family, key.addr), length}.text());
  }
  return texts;
}

// ---- how many flows may begin ------------------------------------------------------------------

TEST(Rates, OfAListenerAreTakenFromOneBucketByAllItsAddresses) {
  auto lb = load_balancer(kVip).vip("2001:db8:1::1").vip("192.0.2.2");
  lb.listener(tcp, 80);
  const base::Uuid named = lb.last_listener().id;
  lb.listener(tcp, 81);
  Observed observed{two_links().observed(), {}};
  observed.rates.others = {.client = 20};
  observed.rates.by_listener[named] = {.listener = 1000, .network = 50};
  const Plan plan = make_plan(lb, observed, {}, {}, {});
  std::set<uint32_t> buckets;
  for (const char* vip : {kVip, "2001:db8:1::1", "192.0.2.2"}) {
    const lb_rates& rates = service(plan, vip, 80).rates;
    EXPECT_EQ(rates.listener, 1000u);
    EXPECT_EQ(rates.client, 0u);
    EXPECT_EQ(rates.network, 50u);
    buckets.insert(rates.bucket);
    EXPECT_EQ(service(plan, vip, 81).rates.client, 20u);
  }
  EXPECT_EQ(buckets.size(), 1u);
  EXPECT_NE(*buckets.begin(), service(plan, kVip, 81).rates.bucket);
  EXPECT_EQ(service(plan_of(lb), kVip, 80).rates.bucket, 0u) << "no rate, no bucket";
}

// ---- what flows and the kernel need -----------------------------------------------------------

TEST(Ways, ThatFlowsNameStay) {
  const model::Model model = web();
  const base::IpAddress old = test::ip("203.0.113.77"), lost = test::ip("198.51.100.1");
  const netns::Observed net = two_links().reaching(model).reaching(old.text()).observed();
  const Plan plan = make_plan(model, {net, {}}, {}, {{}, {}, {old, lost}}, {});
  EXPECT_EQ(plan.tables.destinations.size(), 3u);
  EXPECT_EQ(plan.tables.destinations.at(old).ifindex, 3u);
  EXPECT_EQ(plan.tables.destinations.at(old).flags, LB_NEXTHOP_RESOLVED);
  EXPECT_EQ(plan.tables.destinations.at(lost).flags, 0);
  EXPECT_THAT(plan.layout.next_hop_targets, testing::IsSupersetOf({old, lost}));
}

TEST(KernelPorts, AreFewUnlessHaproxyServes) {
  const Plan few = plan_of(web());
  EXPECT_EQ(few.layout.local_port_min, 61000);
  EXPECT_EQ(few.tables.kernel_ports.min, 61000);
  EXPECT_EQ(few.tables.kernel_ports.max, 65535);
  const Plan many = plan_of(web().listener(http, 81).pool().member("203.0.113.7", 8080));
  EXPECT_EQ(many.layout.local_port_min, kProxyPortMin);
  EXPECT_EQ(many.tables.kernel_ports.min, kProxyPortMin);
  EXPECT_EQ(many.layout.local_port_max, 65535);
}

TEST(KernelPorts, TheLastAreForHealthChecks) {
  netns::LayoutSpec layout;
  EXPECT_EQ(probe_ports(layout).first, 64512);
  EXPECT_EQ(probe_ports(layout).count, 1024);
  layout.local_port_min = 20000;
  layout.local_port_max = 20099;
  EXPECT_EQ(probe_ports(layout).first, 20000);
  EXPECT_EQ(probe_ports(layout).count, 100);
}

TEST(KernelPorts, WhereHaproxyConnectsToIsMarked) {
  auto lb = web();
  const auto proxied = [](const Plan& plan) {
    std::set<uint16_t> ports;
    for (const auto& [number, backend] : plan.tables.backends)
      if ((backend.flags & LB_BACKEND_PROXIED) != 0) ports.insert(ntohs(backend.port));
    return ports;
  };
  EXPECT_TRUE(proxied(plan_of(lb)).empty());
  const uint16_t port = ntohs(plan_of(lb).tables.backends.begin()->second.port);
  const std::string address =
      datapath::from_abi(base::Family::ipv4, plan_of(lb).tables.backends.begin()->second.addr)
          .text();
  EXPECT_TRUE(proxied(plan_of(web().listener(http, 81).pool().member(address, 9))).empty());
  EXPECT_EQ(proxied(plan_of(web().listener(http, 81).pool().member(address, port))),
            std::set<uint16_t>{port});
}

// HAProxy's connections are TCP's, and so are the ports that they use up.
TEST(KernelPorts, AUdpMemberThereIsNot) {
  auto lb = load_balancer(kVip);
  lb.listener(udp, 53).pool().member("203.0.113.7", 53);
  lb.listener(http, 81).pool().member("203.0.113.7", 53);
  const Plan plan = plan_of(lb);
  ASSERT_EQ(plan.tables.backends.size(), 1u);
  EXPECT_EQ(plan.tables.backends.begin()->second.flags & LB_BACKEND_PROXIED, 0);
}

TEST(AllowedCidrs, AreSetsByFamily) {
  auto lb = load_balancer(kVip).vip("2001:db8:1::1");
  lb.listener(tcp, 80, {.allowed_cidrs = {"198.51.100.7/24", "198.51.100.0/24", "2001:db8::/32"}});
  const Plan plan = plan_of(lb);
  const uint32_t four = service(plan, kVip, 80).cidr_set;
  const uint32_t six = service(plan, "2001:db8:1::1", 80).cidr_set;
  ASSERT_NE(four, 0u);
  ASSERT_NE(six, 0u);
  EXPECT_EQ(cidrs_of(plan, four, base::Family::ipv4), std::set<std::string>{"198.51.100.0/24"});
  EXPECT_EQ(cidrs_of(plan, six, base::Family::ipv6), std::set<std::string>{"2001:db8::/32"});
}

TEST(AllowedCidrs, NobodyOfAFamilyIsNotEverybody) {
  auto lb = load_balancer(kVip).vip("2001:db8:1::1");
  lb.listener(tcp, 80, {.allowed_cidrs = {"198.51.100.0/24"}});
  const Plan plan = plan_of(lb);
  const uint32_t six = service(plan, "2001:db8:1::1", 80).cidr_set;
  EXPECT_NE(six, 0u);
  EXPECT_THAT(cidrs_of(plan, six, base::Family::ipv6), IsEmpty());
}

TEST(AllowedCidrs, AlikeAreShared) {
  auto lb = load_balancer(kVip);
  lb.listener(tcp, 80, {.allowed_cidrs = {"198.51.100.0/24", "203.0.113.0/24"}});
  lb.listener(tcp, 81, {.allowed_cidrs = {"203.0.113.0/24", "198.51.100.0/24"}});
  lb.listener(tcp, 82, {.allowed_cidrs = {"0.0.0.0/0"}});
  const Plan plan = plan_of(lb);
  EXPECT_EQ(service(plan, kVip, 80).cidr_set, service(plan, kVip, 81).cidr_set);
  EXPECT_NE(service(plan, kVip, 80).cidr_set, service(plan, kVip, 82).cidr_set);
  EXPECT_EQ(plan.tables.cidrs.size(), 3u);
}

TEST(AllowedCidrs, TooManyAreReportedNotOpened) {
  auto lb = load_balancer(kVip).listener(tcp, 80);
  for (uint32_t i = 0; i <= kMaxCidrs; i++)
    lb.last_listener().allowed_cidrs.push_back({base::IpAddress::v4(0x0a000000 + i), 32});
  const Plan plan = plan_of(lb);
  EXPECT_THAT(plan.tables.services, IsEmpty());
  EXPECT_THAT(plan.tables.cidrs, IsEmpty());
  EXPECT_THAT(plan.ids.services, IsEmpty());
  EXPECT_TRUE(plan.problems.contains(lb.last_listener().id));
}

}  // namespace
}  // namespace plan
