// Session persistence by source address: which member a client comes back to.
#include <bpf/bpf.h>

#include <algorithm>

#include "agent/datapath/flow_table.h"
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
  // A new flow of this client from a port of its own: the member it goes to.
  std::string flow(const base::IpAddress& from) {
    const Outcome outcome = run(first({from, next_port_++}, vip()));
    EXPECT_EQ(outcome.verdict(), LB_NEW_FLOW) << outcome;
    return ends_of(outcome.after).to.address.text();
  }
  std::set<std::string> flows(const base::IpAddress& from, int count) {
    std::set<std::string> members;
    for (int i = 0; i < count; ++i) members.insert(flow(from));
    return members;
  }
  size_t remembered() {
    size_t count = 0;
    lb_persist_key key{}, next{};
    const int map = datapath().map_fd("lb_persist");
    for (void* from = nullptr; bpf_map_get_next_key(map, from, &next) == 0; from = &key, ++count)
      key = next;
    return count;
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

TEST_P(Persistence, FullTableForgetsOthersAndGoesOn) {
  install(pool_of(3));
  std::vector<lb_persist_key> keys(LB_MAX_PERSISTENT);
  std::vector<lb_persist> values(LB_MAX_PERSISTENT);
  for (uint32_t i = 0; i < keys.size(); ++i) keys[i] = {{{i, 0, 0, 0}}, LB_MAX_SERVICES - 1, 0};
  auto count = static_cast<uint32_t>(keys.size());
  LIBBPF_OPTS(bpf_map_batch_opts, batch);
  ASSERT_EQ(bpf_map_update_batch(datapath().map_fd("lb_persist"), keys.data(), values.data(),
                                 &count, &batch),
            0);
  for (int i = 1; i < 100; ++i) EXPECT_EQ(flows(client(i), 3).size(), 1u) << i;
  EXPECT_LE(remembered(), static_cast<size_t>(LB_MAX_PERSISTENT));
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
  run(first({client(9), 40000}, vip(81)));
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

// ---- a member that does not answer ------------------------------------------------------------

class Redispatch : public Lab, public testing::WithParamInterface<model::Algorithm> {};

TEST_P(Redispatch, LeavesThePersistentMemberThatDoesNotAnswer) {
  for (const base::Endpoint& vip : {kVip, kVip6}) {
    const bool ipv6 = vip == kVip6;
    auto builder = load_balancer(vip.address.text()).listener(kTcp, 80);
    builder.pool(GetParam()).members(ipv6 ? "2001:db8:2::1" : "203.0.113.1", 2, 8080);
    builder.last_pool().session_persistence = model::SessionPersistence{};
    install(builder);
    const base::Endpoint client = ipv6 ? kClient6 : kClient;
    const auto again = [&](uint16_t port) { return tcp({client.address, port}, vip).syn(); };
    const base::Endpoint silent = forwarded(again(41000)).to;
    // another client's turn in between must not bring the silent one back
    forwarded(tcp(ipv6 ? at("2001:db8:c::8", 41000) : at("198.51.100.8", 41000), vip).syn());
    EXPECT_EQ(forwarded(again(41000)).to, silent);
    const Outcome third = run(again(41000));
    EXPECT_EQ(third.verdict(), LB_NEW_FLOW);
    const base::Endpoint other = ends_of(third.after).to;
    EXPECT_NE(other, silent);
    EXPECT_EQ(forwarded(again(41001)).to, other);
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Redispatch,
                         testing::Values(model::Algorithm::round_robin,
                                         model::Algorithm::least_connections));

TEST_F(Lab, RedispatchGoesBackToTheOnlyMember) {
  for (const auto algorithm :
       {model::Algorithm::round_robin, model::Algorithm::least_connections}) {
    auto builder = load_balancer("192.0.2.100").listener(kTcp, 80);
    builder.pool(algorithm).member("203.0.113.1", 8080);
    builder.last_pool().session_persistence = model::SessionPersistence{};
    install(builder);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(forwarded(tcp(kClient, kVip).syn()).to, at("203.0.113.1", 8080));
  }
}

}  // namespace
}  // namespace test
