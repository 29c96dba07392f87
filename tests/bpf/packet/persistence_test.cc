// Session persistence by source address: which member a client comes back to.
#include <algorithm>
#include <atomic>
#include <thread>

#include "agent/datapath/clients.h"
#include "agent/datapath/flow_table.h"
#include "bpf/flow_layout.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Kind {
  const char* name;
  model::ListenerProtocol protocol;
  bool ipv6;
};

struct Wish {
  std::optional<int> timeout = std::nullopt;
  std::string granularity = "";
  model::Algorithm algorithm = model::Algorithm::round_robin;
};

class Persistence : public Lab, public testing::WithParamInterface<Kind> {
 protected:
  bool udp_kind() const { return GetParam().protocol == kUdp; }
  bool ipv6() const { return GetParam().ipv6; }
  uint8_t proto() const { return udp_kind() ? 17 : 6; }
  base::Endpoint vip(uint16_t port = 80) const { return {(ipv6() ? kVip6 : kVip).address, port}; }
  std::string member_address(int i) const {
    return (ipv6() ? "2001:db8:2::" : "203.0.113.") + std::to_string(i);
  }
  // Clients 1, 2 ... of one network (IPv4 /25, IPv6 /64), 200 and above of another.
  base::IpAddress client(int i) const {
    if (ipv6()) return ip((i < 200 ? "2001:db8:c::" : "2001:db8:c:2::") + std::to_string(i));
    return ip((i < 200 ? "198.51.100." : "198.51.99.") + std::to_string(i));
  }

  LoadBalancerBuilder pool(const Wish& wish) const {
    auto builder = load_balancer(vip().address.text()).listener(GetParam().protocol, 80);
    builder.pool(wish.algorithm);
    model::SessionPersistence persistence;
    persistence.persistence_timeout = wish.timeout;
    persistence.persistence_granularity = wish.granularity;
    builder.last_pool().session_persistence = persistence;
    return builder;
  }
  LoadBalancerBuilder pool_of(int members, const Wish& wish = {}) const {
    auto builder = pool(wish);
    builder.members(member_address(1), members, 8080);
    return builder;
  }

  Packet first(const base::Endpoint& from, const base::Endpoint& to) const {
    return udp_kind() ? udp(from, to) : tcp(from, to).syn();
  }
  // The member answers a first packet, and of TCP the client goes on: the flow is open.
  void answer(const Packet& begun, const Ends& inside) {
    const uint32_t far = egress_of(inside.to.address);
    const Packet back =
        udp_kind() ? udp(inside.to, inside.from) : tcp(inside.to, inside.from).syn_ack();
    EXPECT_EQ(run(back, far).verdict(), LB_ESTABLISHED);
    if (udp_kind()) return;
    EXPECT_EQ(run(tcp(begun.from(), begun.to())).verdict(), LB_ESTABLISHED);
  }
  // A new flow of this client from a port of its own, which becomes open: the member it goes to.
  std::string flow(const base::IpAddress& from) { return flow(from, vip()); }
  std::string flow(const base::IpAddress& from, const base::Endpoint& to) {
    const Packet begun = first({from, next_port_++}, to);
    const Outcome outcome = run(begun);
    EXPECT_EQ(outcome.verdict(), LB_NEW_FLOW) << outcome;
    answer(begun, ends_of(outcome.after));
    return ends_of(outcome.after).to.address.text();
  }
  std::set<std::string> flows(const base::IpAddress& from, int count) {
    std::set<std::string> members;
    for (int i = 0; i < count; ++i) members.insert(flow(from));
    return members;
  }
  datapath::Clients clients() {
    auto mapped = datapath::Clients::map(datapath().map_fd("lb_clients"));
    if (!mapped) throw std::runtime_error(mapped.error().message());
    return std::move(*mapped);
  }
  size_t remembered() { return clients().all().size(); }
  // Of one service, by its id.
  size_t remembered_of(uint32_t service) {
    const auto all = clients().all();
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const lb_client& client) {
      return lb_client_service(client.who) == service;
    }));
  }
  // Every place is a client of this service, seen at the ticks 1, 2 ... of a bucket's places.
  void fill_up(uint32_t service, uint32_t backend) {
    const auto all = clients();
    for (uint64_t bucket = 0; bucket < LB_CLIENT_BUCKETS; ++bucket)
      for (uint32_t way = 0; way < 4 * LB_CLIENT_WAYS; ++way)
        all.remember({bucket << 51 | (way + 1) << 12 | service, lb_client_has(backend, way + 1)});
  }
  // Two listeners, on 80 and 81, which have members of their own.
  LoadBalancerBuilder two_listeners() const {
    auto builder = pool_of(5);
    builder.listener(GetParam().protocol, 81).pool().members(member_address(1), 5, 8081);
    builder.last_pool().session_persistence = model::SessionPersistence{};
    return builder;
  }
  void passes(int count) { sweep(count); }
  uint64_t persisted() { return stats_of(vip(), proto()).persisted; }
  uint16_t next_port_ = 21000;
};

using Members = std::set<std::string>;

TEST_P(Persistence, ClientKeepsItsMember) {
  install(pool_of(5));
  Members all;
  for (int i = 1; i <= 20; ++i) {
    const std::string member = flow(client(i));
    EXPECT_EQ(flows(client(i), 4), Members{member});
    all.insert(member);
  }
  EXPECT_EQ(all.size(), 5u);
  EXPECT_EQ(remembered(), 20u);
  EXPECT_EQ(persisted(), 80u);
  EXPECT_EQ(stats_of(vip(), proto()).flows, 100u);
}

TEST_P(Persistence, WithoutItNothingIsRemembered) {
  auto builder = pool_of(2);
  builder.last_pool().session_persistence = std::nullopt;
  install(builder);
  EXPECT_EQ(flows(client(1), 4).size(), 2u);
  EXPECT_EQ(remembered(), 0u);
}

TEST_P(Persistence, WorksWithEveryAlgorithm) {
  for (const auto algorithm :
       {model::Algorithm::least_connections, model::Algorithm::source_ip_port}) {
    install(pool_of(5, {.algorithm = algorithm}));
    EXPECT_EQ(flows(client(1), 12).size(), 1u);
  }
}

TEST_P(Persistence, TimeoutCountsFromTheLastNewFlow) {
  install(pool_of(3, {.timeout = 60}));
  const std::string member = flow(client(1));
  for (int i = 0; i < 3; ++i) {
    pass(seconds(60));
    EXPECT_EQ(flow(client(1)), member);
  }
  pass(seconds(60) + milliseconds(LB_TICK_MS));
  EXPECT_NE(flow(client(1)), member);
  EXPECT_EQ(persisted(), 3u);
}

TEST_P(Persistence, WithoutATimeoutUdpHasOctaviasAndTcpNone) {
  install(pool_of(3));
  const std::string member = flow(client(1));
  pass(seconds(360) + milliseconds(LB_TICK_MS));
  EXPECT_EQ(flow(client(1)) == member, !udp_kind());
}

TEST_P(Persistence, GranularityMakesANetworkOneClient) {
  install(pool_of(5, {.granularity = ipv6() ? "ffff:ffff:ffff:ffff::" : "255.255.255.0"}));
  Members members;
  for (int i = 1; i <= 12; ++i) members.insert(flow(client(i)));
  EXPECT_EQ(members.size(), 1u);
  EXPECT_EQ(remembered(), 1u);
  const std::string other = flow(client(201));
  EXPECT_NE(Members{other}, members);
  EXPECT_EQ(flow(client(202)), other);
  EXPECT_EQ(remembered(), 2u);
}

TEST_P(Persistence, MemberThatIsDownLosesItsClients) {
  auto builder = pool_of(0);
  std::map<std::string, base::Uuid> ids;
  for (int i = 1; i <= 2; ++i) {
    builder.member(member_address(i), 8080);
    ids[member_address(i)] = builder.last_member().id;
  }
  install(builder);
  const std::string before = flow(client(1));
  set_down({ids.at(before)});
  install(builder);
  const std::string after = flow(client(1));
  EXPECT_NE(after, before);
  set_down({});
  install(builder);
  EXPECT_EQ(flows(client(1), 6), Members{after});
}

TEST_P(Persistence, MemberThatIsDisabledLosesItsClients) {
  auto builder = pool_of(2);
  install(builder);
  const std::string before = flow(client(1));
  model::Model changed = builder.model();
  for (auto& [id, member] : changed.members)
    if (member.address.text() == before) member.admin_state_up = false;
  install(changed);
  EXPECT_NE(flow(client(1)), before);
}

TEST_P(Persistence, MemberThatIsRemovedLosesItsClients) {
  auto builder = pool_of(2);
  install(builder);
  const std::string before = flow(client(1));
  model::Model changed = builder.model();
  std::erase_if(changed.members, [&](const auto& m) { return m.second.address.text() == before; });
  install(changed);
  EXPECT_NE(flow(client(1)), before);
}

TEST_P(Persistence, MemberThatDrainsKeepsItsClientsAndGetsNoOthers) {
  auto builder = pool_of(2);
  install(builder);
  const std::string drained = flow(client(1));
  model::Model changed = builder.model();
  for (auto& [id, member] : changed.members)
    if (member.address.text() == drained) member.weight = 0;
  install(changed);
  EXPECT_EQ(flows(client(1), 4), Members{drained});
  for (int i = 2; i < 8; ++i) EXPECT_NE(flow(client(i)), drained);
  for (auto& [id, member] : changed.members) member.weight = 0;
  install(changed);
  EXPECT_EQ(flow(client(1)), drained);
  EXPECT_THAT(run(first({client(50), 40000}, vip())), Passes(LB_NO_BACKEND));
}

TEST_P(Persistence, PolicyComesBeforeIt) {
  auto builder = load_balancer(vip().address.text());
  builder.listener(GetParam().protocol, 80,
                   {.allowed_cidrs = {base::IpPrefix{client(1), client(1).bits()}.text()}});
  builder.pool().member(member_address(1), 8080);
  builder.last_pool().session_persistence = model::SessionPersistence{};
  install(builder);
  flow(client(1));
  EXPECT_THAT(run(first({client(2), 40000}, vip())), Drops(LB_SOURCE_DENIED));
  EXPECT_EQ(remembered(), 1u);
}

// ---- whose place it is ------------------------------------------------------------------------

TEST_P(Persistence, WhoOnlyClaimsToBeThereIsNotRemembered) {
  install(two_listeners());
  std::map<int, std::string> members;
  for (int i = 1; i <= 100; ++i) members[i] = flow(client(i));
  const auto forged = [this](uint32_t i) {
    const auto part = [](uint32_t number) { return std::to_string(number % 256); };
    return ip(ipv6() ? "2001:db8:c:3::" + std::to_string(i % 10'000)
                     : "10." + part(i >> 16) + "." + part(i >> 8) + "." + part(i));
  };
  for (uint32_t i = 0; i < 140'000; ++i)
    run(first({forged(i), static_cast<uint16_t>(20'000 + i / 10'000)}, vip(i % 2 == 0 ? 80 : 81)));
  EXPECT_EQ(remembered(), 100u);
  sweep(3);
  for (const auto& [i, member] : members) EXPECT_EQ(flow(client(i)), member) << i;
}

TEST_P(Persistence, ListenerWithManyClientsLeavesOthersTheirShare) {
  // Of 440 flows one or two would find both their buckets full in a table for 512.
  auto options = Lab::options();
  options.flows4 = options.flows6 = 4096;
  reopen(options);
  install(two_listeners());
  const uint32_t few = service(vip(), proto()).id, many = service(vip(81), proto()).id;
  std::map<int, std::string> members;
  for (int i = 1; i <= 60; ++i) members[i] = flow(client(i));
  fill_up(many, 6);
  ASSERT_EQ(remembered(), LB_CLIENT_BUCKETS * LB_CLIENT_WAYS);
  // Newcomers of the one get places of the other ...
  for (int i = 61; i <= 120; ++i) members[i] = flow(client(i));
  EXPECT_EQ(remembered_of(few), 120u);
  // ... whose newcomers push out their own.
  for (int i = 0; i < 200; ++i) flow(client(i % 120 + 1), {vip(81)});
  EXPECT_EQ(remembered_of(few), 120u);
  EXPECT_EQ(remembered(), LB_CLIENT_BUCKETS * LB_CLIENT_WAYS);
  sweep(2);
  for (const auto& [i, member] : members) EXPECT_EQ(flow(client(i)), member) << i;
}

TEST_P(Persistence, WhoWasNotSeenForTheLongestTimeGivesWay) {
  install(pool_of(2));
  pass(seconds(100));
  fill_up(service(vip(), proto()).id, 1);
  const auto key = [](const lb_client& client) { return client.who; };
  std::map<__u64, __u64> before;
  for (const lb_client& client : clients().all()) before[key(client)] = client.has;
  for (int i = 1; i <= 5; ++i) flow(client(i));
  for (const lb_client& client : clients().all()) before.erase(key(client));
  EXPECT_EQ(before.size(), 5u);
  for (const auto& [who, has] : before) EXPECT_LE(lb_client_seen(has), 3u);
}

TEST_P(Persistence, OfFlowsOfTheSameTimeTheFirstThatOpensSaysTheMember) {
  install(pool_of(2));
  const Packet one = first({client(1), 30001}, vip()), two = first({client(1), 30002}, vip());
  const Ends to_one = forwarded(one), to_two = forwarded(two);
  ASSERT_NE(to_one.to, to_two.to);
  answer(two, to_two);
  answer(one, to_one);
  EXPECT_EQ(flows(client(1), 4), Members{to_two.to.address.text()});
}

// ---- what is left behind ----------------------------------------------------------------------

TEST_P(Persistence, DeletedListenerLeavesNothing) {
  install(join(pool_of(2), load_balancer("192.0.2.101")));
  for (int i = 1; i <= 5; ++i) flow(client(i));
  EXPECT_EQ(remembered(), 5u);
  install(load_balancer("192.0.2.101"));
  passes(3);
  EXPECT_EQ(remembered(), 0u);
}

TEST_P(Persistence, OneThatEndsIsForgottenAndAnotherOneIsNot) {
  auto builder = pool_of(2);
  install(builder);
  flow(client(1));
  const auto other = [&](std::optional<model::SessionPersistence> persistence) {
    auto all = pool_of(2);
    all.listener(GetParam().protocol, 81).pool().members(member_address(1), 2, 8081);
    all.last_pool().session_persistence = std::move(persistence);
    return all;
  };
  install(other(model::SessionPersistence{}));
  flow(client(9), vip(81));
  EXPECT_EQ(remembered(), 2u);
  install(other(std::nullopt));
  passes(2);
  EXPECT_EQ(remembered(), 1u);
}

TEST_P(Persistence, AnotherPoolOfTheListenerDoesNotInheritIt) {
  install(pool_of(1));
  const std::string before = flow(client(1));
  auto builder = pool_of(1);
  model::Model changed = builder.model();
  model::Pool pool = builder.last_pool();
  pool.id = changed.listeners.begin()->second.default_pool.emplace(id_from("another pool"));
  changed.pools[pool.id] = pool;
  model::Member member = builder.last_member();
  member.id = id_from("member of another pool");
  member.pool = pool.id;
  member.address = ip(member_address(11));
  changed.members[member.id] = member;
  install(changed);
  EXPECT_EQ(flow(client(1)), member_address(11));
  EXPECT_EQ(flow(client(1)), member_address(11));
  EXPECT_NE(before, member_address(11));
}

// The number of a service, and those of its ring and backends, are given to others.
TEST_P(Persistence, ReusedNumbersInheritNothing) {
  install(pool_of(2));
  for (int i = 1; i <= 4; ++i) flow(client(i));
  const lb_service old = service(vip(), proto());
  install(load_balancer("192.0.2.101"));
  passes(3);
  auto builder = load_balancer(vip().address.text());
  builder.listener(GetParam().protocol, 82).pool().members(member_address(21), 2, 8080);
  builder.last_pool().session_persistence = model::SessionPersistence{};
  install(builder);
  const lb_service fresh = service(vip(82), proto());
  EXPECT_EQ(fresh.id, old.id);
  EXPECT_EQ(fresh.ring, old.ring);
  for (int i = 1; i <= 4; ++i) {
    const Outcome outcome = run(first({client(i), 40000}, vip(82)));
    EXPECT_EQ(outcome.verdict(), LB_NEW_FLOW) << outcome;
  }
  EXPECT_EQ(stats_of(vip(82), proto()).persisted, 0u);
}

TEST_P(Persistence, ClientsComeBackAfterTheAgentWasRestarted) {
  install(pool_of(5));
  std::vector<std::string> before, after;
  for (int i = 1; i <= 8; ++i) before.push_back(flow(client(i)));
  restart();
  install(pool_of(5));
  passes(2);
  for (int i = 1; i <= 8; ++i) after.push_back(flow(client(i)));
  EXPECT_EQ(after, before);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Persistence,
                         testing::Values(Kind{"TcpIpv4", kTcp, false}, Kind{"UdpIpv4", kUdp, false},
                                         Kind{"TcpIpv6", kTcp, true}, Kind{"UdpIpv6", kUdp, true}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace test
