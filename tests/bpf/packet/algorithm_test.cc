// Which member a new flow goes to.
#include <array>
#include <map>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

using model::Algorithm;
using Share = std::map<std::string, int>;

class Algorithms : public Lab {
 protected:
  base::Endpoint client(int i) {
    return {base::IpAddress::v4(0xc6336400u + static_cast<uint32_t>(i / 200 % 100)),
            static_cast<uint16_t>(20000 + i)};
  }
  // `flows` new connections from different clients: how many each member got.
  Share share(int flows) {
    Share share;
    for (int i = 0; i < flows; ++i)
      share[forwarded(tcp(client(next_++), kVip).syn()).to.address.text()]++;
    return share;
  }

 private:
  int next_ = 0;
};

TEST_F(Algorithms, RoundRobinIsExact) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().members("203.0.113.1", 3, 80));
  EXPECT_EQ(share(30), (Share{{"203.0.113.1", 10}, {"203.0.113.2", 10}, {"203.0.113.3", 10}}));
}

TEST_F(Algorithms, RoundRobinTakesTurnsAtOnce) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().members("203.0.113.1", 2, 80));
  EXPECT_EQ(share(2), (Share{{"203.0.113.1", 1}, {"203.0.113.2", 1}}));
}

TEST_F(Algorithms, RoundRobinOfOneServiceDoesNotDependOnAnother) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool()
              .members("203.0.113.1", 2, 80)
              .listener(kTcp, 81)
              .pool()
              .members("203.0.113.1", 2, 81));
  Share first, second;
  for (int i = 0; i < 10; ++i) {
    first[forwarded(tcp(client(i), kVip).syn()).to.address.text()]++;
    second[forwarded(tcp(client(i), at("192.0.2.100", 81)).syn()).to.address.text()]++;
  }
  EXPECT_EQ(first, (Share{{"203.0.113.1", 5}, {"203.0.113.2", 5}}));
  EXPECT_EQ(second, first);
}

TEST_F(Algorithms, RoundRobinFollowsWeights) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool()
              .member("203.0.113.1", 80, {.weight = 3})
              .member("203.0.113.2", 80, {.weight = 1}));
  EXPECT_EQ(share(40), (Share{{"203.0.113.1", 30}, {"203.0.113.2", 10}}));
}

TEST_F(Algorithms, LeastConnectionsFillsUp) {
  const auto with = [](int members) {
    return load_balancer("192.0.2.100")
        .listener(kTcp, 80)
        .pool(Algorithm::least_connections)
        .members("203.0.113.1", members, 80);
  };
  install(with(1));
  share(6);
  install(with(2));
  EXPECT_EQ(share(6), (Share{{"203.0.113.2", 6}}));
  EXPECT_EQ(share(4), (Share{{"203.0.113.1", 2}, {"203.0.113.2", 2}}));
}

// One with ten closed connections has fewer than one with an open one.
TEST_F(Algorithms, LeastConnectionsCountsOnlyConnectionsThatLive) {
  auto builder = load_balancer("192.0.2.100")
                     .listener(kTcp, 80)
                     .pool(Algorithm::least_connections)
                     .member("203.0.113.1", 80);
  install(builder);
  for (uint16_t port = 30000; port < 30010; ++port) {
    const base::Endpoint client{kClient.address, port};
    const Ends inside = connect(client, kVip);
    if (port % 2 == 0) {
      forwarded(tcp(client, kVip).rst());
    } else {
      forwarded(tcp(client, kVip).fin());
      run(tcp(inside.to, inside.from).fin(), kEth1);
    }
  }
  builder.member("203.0.113.2", 80);
  install(builder);
  base::Endpoint client{kClient.address, 30100};
  while (connect(client, kVip).to.address != ip("203.0.113.2")) {
    forwarded(tcp(client, kVip).rst());
    ++client.port;
  }
  for (uint16_t port = 30200; port < 30204; ++port) {
    const base::Endpoint next{kClient.address, port};
    EXPECT_EQ(connect(next, kVip).to, at("203.0.113.1", 80));
    forwarded(tcp(next, kVip).rst());
  }
}

TEST_F(Algorithms, LeastConnectionsFollowsWeights) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool(Algorithm::least_connections)
              .member("203.0.113.1", 80, {.weight = 1})
              .member("203.0.113.2", 80, {.weight = 4}));
  EXPECT_EQ(share(20), (Share{{"203.0.113.1", 4}, {"203.0.113.2", 16}}));
}

TEST_F(Algorithms, LeastConnectionsOverMoreMembersThanOneLook) {
  auto options = Lab::options();
  options.flows4 = 4096;
  reopen(options);
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool(Algorithm::least_connections)
              .members("203.0.112.0", 600, 80));
  // nearly everybody has one, then nearly everybody two
  Share counts = share(600);
  EXPECT_GT(counts.size(), 570u);
  for (const auto& [member, flows] : share(600)) counts[member] += flows;
  EXPECT_GT(counts.size(), 590u);
  for (const auto& [member, flows] : counts) EXPECT_LE(flows, 4) << member;
}

TEST_F(Algorithms, LeastConnectionsOfManyLeavesTheBusyAlone) {
  auto options = Lab::options();
  options.flows4 = 4096;
  reopen(options);
  const auto with = [](int members) {
    return load_balancer("192.0.2.100")
        .listener(kTcp, 80)
        .pool(Algorithm::least_connections)
        .members("203.0.113.1", members, 80);
  };
  install(with(20));
  share(400);
  install(with(80));
  int busy = 0;
  for (const auto& [member, flows] : share(300))
    if (std::stoi(member.substr(10)) <= 20) busy += flows;
  // a quarter of the members, of which one draw in 256 sees nothing else
  EXPECT_LE(busy, 15);
}

// A backend may be marked while the ring that names it is still there, or was read before.
TEST_F(Algorithms, ABackendOfTheRingThatHasGoneIsPassedOver) {
  for (const Algorithm algorithm : {Algorithm::round_robin, Algorithm::least_connections,
                                    Algorithm::source_ip, Algorithm::source_ip_port}) {
    install(load_balancer("192.0.2.100")
                .listener(kTcp, 80)
                .pool(algorithm)
                .members("203.0.113.1", 3, 80));
    auto [id, lost] = *datapath().tables().backends.begin();
    lost.flags |= LB_BACKEND_GONE;
    ASSERT_TRUE(datapath().apply(datapath::PutBackend{id, lost}).ok());
    Share counts = share(30);
    EXPECT_EQ(counts.erase("203.0.113.1"), 0u) << static_cast<int>(algorithm);
    EXPECT_FALSE(counts.empty());
    lost.flags &= static_cast<uint8_t>(~LB_BACKEND_GONE);
    ASSERT_TRUE(datapath().apply(datapath::PutBackend{id, lost}).ok());
  }
}

TEST_F(Algorithms, SourceStaysWithItsMember) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool(Algorithm::source_ip)
              .members("203.0.113.1", 5, 80));
  std::set<std::string> all;
  for (int c = 1; c < 60; ++c) {
    const base::IpAddress source = base::IpAddress::v4(0xc6336400u + static_cast<uint32_t>(c));
    std::set<std::string> members;
    for (const uint16_t port : std::array<uint16_t, 3>{30000, 30001, 30002})
      members.insert(forwarded(tcp({source, port}, kVip).syn()).to.address.text());
    EXPECT_EQ(members.size(), 1u) << source.text();
    all.merge(members);
  }
  EXPECT_EQ(all.size(), 5u);
}

TEST_F(Algorithms, SourceStaysAfterTheMapsWereMadeAnew) {
  const auto model = load_balancer("192.0.2.100")
                         .listener(kTcp, 80)
                         .pool(Algorithm::source_ip)
                         .members("203.0.113.1", 5, 80);
  const auto spread = [&] {
    std::vector<std::string> to;
    for (int c = 1; c < 30; ++c)
      to.push_back(
          forwarded(
              tcp({base::IpAddress::v4(0xc6336400u + static_cast<uint32_t>(c)), 30000}, kVip).syn())
              .to.address.text());
    return to;
  };
  install(model);
  const auto first = spread();
  reopen(Lab::options());
  install(model);
  EXPECT_EQ(spread(), first);
}

TEST_F(Algorithms, SourceAndPortSpread) {
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool(Algorithm::source_ip_port)
              .members("203.0.113.1", 4, 80));
  std::set<std::string> members;
  for (uint16_t port = 30000; port < 30040; ++port)
    members.insert(forwarded(tcp({kClient.address, port}, kVip).syn()).to.address.text());
  EXPECT_EQ(members.size(), 4u);
}

TEST_F(Algorithms, Ipv6SourceStaysWithItsMember) {
  install(load_balancer("2001:db8:1::100")
              .listener(kTcp, 80)
              .pool(Algorithm::source_ip)
              .members("2001:db8:2::1", 5, 80));
  std::set<std::string> all;
  for (int c = 1; c < 40; ++c) {
    const base::IpAddress source = ip("2001:db8:c::" + std::to_string(c));
    std::set<std::string> members;
    for (const uint16_t port : std::array<uint16_t, 2>{30000, 30001})
      members.insert(forwarded(tcp({source, port}, kVip6).syn()).to.address.text());
    EXPECT_EQ(members.size(), 1u) << source.text();
    all.merge(members);
  }
  EXPECT_EQ(all.size(), 5u);
}

}  // namespace
}  // namespace test
