// Source ports towards members.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <set>

#include "agent/datapath/flow_table.h"
#include "base/fd.h"
#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class SnatPort : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(one_member());
  }
  static LoadBalancerBuilder one_member() {
    return load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080);
  }
  // A table for so many flows, and these ports only.
  void with_ports(uint16_t first, uint16_t last, uint32_t flows = 4096) {
    auto options = Lab::options();
    options.snat_port_min = first;
    options.snat_port_max = last;
    options.flows4 = flows;
    reopen(options);
    install(one_member());
  }
  static base::Endpoint client(uint32_t number, uint16_t port = 40000) {
    return {base::IpAddress::v4(0xc6336401u + number), port};
  }
  // The port towards the member, of a new connection.
  uint16_t port_of(const base::Endpoint& from) {
    return forwarded(tcp(from, kVip).syn()).from.port;
  }
  uint16_t open(const base::Endpoint& from) { return connect(from, kVip).from.port; }
  void fin_of_client(const base::Endpoint& from) { forwarded(tcp(from, kVip).fin()); }
  void fin_of_member(uint16_t port) {
    forwarded(tcp(at("203.0.113.50", 8080), {kOwn, port}).fin(), kEth1);
  }
  // Ended, and nothing of it is under way any more.
  void close_by_client(const base::Endpoint& from, uint16_t port) {
    fin_of_client(from);
    fin_of_member(port);
    pass(std::chrono::milliseconds(300));
  }
  void close_by_member(const base::Endpoint& from, uint16_t port) {
    fin_of_member(port);
    fin_of_client(from);
    pass(std::chrono::milliseconds(300));
  }
  // As the agent does when their time has come.
  void free_closed_flows() {
    datapath::FlowTable& flows = datapath().flows();
    const auto judge = [](const datapath::FlowLife& flow) {
      return flow.state == LB_FLOW_CLOSED ? datapath::Expiry::closed : datapath::Expiry::keep;
    };
    while (flows.sweep(judge, 1 << 20) != datapath::FlowTable::Progress::pass_done) {
    }
    flows.begin_grace();
    flows.release(1 << 20);
  }
};

// ---- the client's own -------------------------------------------------------------------------

TEST_F(SnatPort, IsTheClientsOwn) {
  for (const uint16_t port : std::array<uint16_t, 6>{1024, 9999, 16383, 40000, 61000, 64511})
    EXPECT_EQ(port_of(client(7, port)), port);
}

TEST_F(SnatPort, OfAPrivilegedProgramIsNotKept) {
  for (const uint16_t port : std::array<uint16_t, 3>{1, 512, 1023})
    EXPECT_GE(port_of(client(7, port)), 1024);
}

// The kernel gives its sockets ports without asking whether a flow has them.
TEST_F(SnatPort, OfHealthChecksIsNotKept) {
  for (const uint16_t port : std::array<uint16_t, 3>{64512, 65000, 65535})
    EXPECT_LT(port_of(client(7, port)), 61000);
}

TEST_F(SnatPort, ThatHaproxyMayConnectFromIsNotKept) {
  const auto haproxy_connects_to = [this](uint16_t port) {
    install(load_balancer("192.0.2.100")
                .listener(kTcp, 80)
                .pool()
                .member("203.0.113.50", 8080)
                .listener(model::ListenerProtocol::http, 81)
                .pool()
                .member("203.0.113.50", port));
  };
  haproxy_connects_to(8080);
  EXPECT_LT(port_of(client(7, 40000)), 32768);
  EXPECT_EQ(port_of(client(7, 20000)), 20000);
  haproxy_connects_to(8081);
  EXPECT_EQ(port_of(client(8, 40000)), 40000);
}

TEST_F(SnatPort, OfTheListenerIsNotKept) {
  install(load_balancer("192.0.2.100").listener(kTcp, 8080).pool().member("203.0.113.50", 8080));
  const Ends inside = forwarded(tcp(client(7, 8080), at("192.0.2.100", 8080)).syn());
  EXPECT_NE(inside.from.port, 8080);
}

TEST_F(SnatPort, OutOfTheRangeIsNotKept) {
  with_ports(20000, 30000);
  EXPECT_EQ(port_of(client(7, 25000)), 25000);
  const uint16_t other = port_of(client(7, 40000));
  EXPECT_GE(other, 20000);
  EXPECT_LE(other, 30000);
}

// A connection of the machine itself to the same member: its answers must not become a client's.
TEST_F(SnatPort, OfASocketOfTheKernelIsNotTaken) {
  const auto address = [](const base::Endpoint& endpoint) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(endpoint.port);
    std::memcpy(&out.sin_addr, endpoint.address.bytes(), 4);
    return out;
  };
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    const base::Fd socket(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in own = address({kOwn, 61500}), member = address(at("203.0.113.50", 8080));
    ASSERT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);
    const int connected =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&member), sizeof(member));
    ASSERT_TRUE(connected == 0 || errno == EINPROGRESS);
    const bool stream = type == SOCK_STREAM;
    install(load_balancer("192.0.2.100")
                .listener(stream ? kTcp : kUdp, 80)
                .pool()
                .member("203.0.113.50", 8080));
    const auto first = [&](uint16_t port) {
      const auto packet = stream ? tcp(client(7, port), kVip).syn() : udp(client(7, port), kVip);
      return forwarded(packet).from.port;
    };
    EXPECT_NE(first(61500), 61500) << type;
    EXPECT_EQ(first(61501), 61501) << type;
  }
}

// ---- another ----------------------------------------------------------------------------------

TEST_F(SnatPort, ClientsOfOnePortGetPortsOfTheirOwn) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.1", 80));
  const Ends first = forwarded(tcp(at("198.51.100.7", 40000), kVip).syn());
  const Ends second = forwarded(tcp(at("198.51.100.8", 40000), kVip).syn());
  EXPECT_EQ(first.from, (base::Endpoint{kOwn, 40000}));
  EXPECT_EQ(second.from.address, kOwn);
  EXPECT_NE(second.from.port, 40000);
  EXPECT_THAT(run(tcp(second.to, second.from).syn_ack(), kEth1),
              Continues(tcp(kVip, at("198.51.100.8", 40000)).syn_ack()));
}

TEST_F(SnatPort, ManyIpv6ClientsOfOnePrefixAndPortGetPortsOfTheirOwn) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  for (int client = 1; client <= 50; client++)
    forwarded(tcp(at("2001:db8:1::" + std::to_string(1000 + client), 40000), kVip6).syn());
  EXPECT_EQ(live_flows(), 50u);
}

TEST_F(SnatPort, SamePortTowardsAnotherMemberIsFree) {
  install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().members("203.0.113.1", 2, 80));
  const Ends first = forwarded(tcp(at("198.51.100.7", 40000), kVip).syn());
  const Ends second = forwarded(tcp(at("198.51.100.8", 40000), kVip).syn());
  EXPECT_NE(first.to, second.to);
  EXPECT_EQ(first.from, second.from);
}

// Nobody but the kernel gets its ports without having asked.
TEST_F(SnatPort, OfTheKernelIsNotChosen) {
  with_ports(60990, 65535);
  for (uint32_t i = 0; i < 9; ++i) EXPECT_LT(port_of(client(i, 999)), 61000);
}

TEST_F(SnatPort, EveryFreeOneIsFound) {
  with_ports(20000, 20499);
  std::set<uint16_t> ports;
  for (uint32_t i = 0; i < 500; ++i) {
    const base::Endpoint from = client(i % 100, static_cast<uint16_t>(40000 + i / 100));
    Outcome outcome = run(tcp(from, kVip).syn());
    for (int again = 0; outcome.verdict() == LB_NO_SNAT_PORT && again < 4; ++again)
      outcome = run(tcp(from, kVip).syn());
    ASSERT_EQ(outcome.verdict(), LB_NEW_FLOW) << "client " << i;
    ports.insert(ends_of(outcome.after).from.port);
    // Half-open ones give way to newer ones.
    const Ends inside = ends_of(outcome.after);
    run(tcp(inside.to, inside.from).syn_ack(), kEth1);
    run(tcp(from, kVip));
  }
  EXPECT_EQ(ports.size(), 500u);
  EXPECT_THAT(run(tcp(client(101), kVip).syn()), Drops(LB_NO_SNAT_PORT));
}

TEST_F(SnatPort, AnotherMemberIsTriedBeforeTheClientIsRefused) {
  with_ports(20000, 20000);
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool(model::Algorithm::source_ip)
              .members("203.0.113.1", 2, 80));
  const Ends first = forwarded(tcp(client(7, 40000), kVip).syn());
  const Ends second = forwarded(tcp(client(7, 40001), kVip).syn());
  EXPECT_NE(first.to, second.to);
  EXPECT_THAT(run(tcp(client(7, 40002), kVip).syn()), Drops(LB_NO_SNAT_PORT));
}

// One client address with all the ports that Linux gives out; then another one with the same.
TEST_F(SnatPort, ManyConnectionsToOneMember) {
  with_ports(1024, 65535, 131072);
  for (const uint32_t number : {7u, 8u}) {
    for (uint16_t port = 32768; port < 32768 + 28000; ++port) {
      const Outcome outcome = run(tcp(client(number, port), kVip).syn());
      // Frames of the interfaces' own may be counted beside it.
      ASSERT_GE(outcome.counted[LB_NEW_FLOW], 1u)
          << outcome << "client " << number << " port " << port;
      const Ends inside = ends_of(outcome.after);
      run(tcp(inside.to, inside.from).syn_ack(), kEth1);
      run(tcp(client(number, port), kVip));
    }
  }
  EXPECT_EQ(stats_of(kVip).connections, 56000u);
}

// ---- once more --------------------------------------------------------------------------------

TEST_F(SnatPort, OfAClosedConnectionGoesToTheSameClientAtOnce) {
  with_ports(20000, 20000);
  const uint16_t port = open(client(7, 40000));
  EXPECT_THAT(run(tcp(client(7, 40001), kVip).syn()), Drops(LB_NO_SNAT_PORT));
  fin_of_member(port);
  fin_of_client(client(7, 40000));
  // its last packets may still come
  EXPECT_THAT(run(tcp(client(7, 40001), kVip).syn()), Drops(LB_NO_SNAT_PORT));
  pass(std::chrono::milliseconds(300));
  EXPECT_EQ(port_of(client(7, 40001)), port);
}

TEST_F(SnatPort, OfAClosedConnectionGoesToOthersLast) {
  with_ports(20000, 20003);
  const uint16_t port = open(client(7));
  close_by_client(client(7), port);
  for (uint32_t i = 0; i < 3; ++i) EXPECT_NE(port_of(client(i)), port);
  EXPECT_EQ(port_of(client(4)), port);
  EXPECT_THAT(run(tcp(client(5), kVip).syn()), Drops(LB_NO_SNAT_PORT));
}

// Forged SYNs take every port, and the member answers them: who is there gets one, and what is a
// connection keeps its own.
TEST_F(SnatPort, OfAHalfOpenConnectionIsTakenWhenNoOtherIsLeft) {
  with_ports(20000, 20063);
  const uint16_t kept = open(client(1));
  for (uint32_t i = 0; i < 63; ++i) {
    const Ends inside =
        forwarded(tcp(at("198.51.100.99", static_cast<uint16_t>(1024 + i)), kVip).syn());
    run(tcp(inside.to, inside.from).syn_ack(), kEth1);
  }
  // one that is on its way to become a connection
  EXPECT_THAT(run(tcp(client(2), kVip).syn()), Drops(LB_NO_SNAT_PORT));
  pass(std::chrono::milliseconds(300));
  const uint64_t before = datapath().flows().half_open_overwritten();
  for (uint32_t i = 2; i < 65; ++i) EXPECT_NE(open(client(i)), kept);
  EXPECT_EQ(datapath().flows().half_open_overwritten(), before + 63);
  EXPECT_EQ(stats_of(kVip).connections, 64u);
  pass(std::chrono::seconds(1));
  EXPECT_THAT(run(tcp(client(70), kVip).syn()), Drops(LB_NO_SNAT_PORT)) << "they are connections";
}

TEST_F(SnatPort, IsTheSameAgainForTheSameClient) {
  std::set<uint16_t> ports;
  for (int i = 0; i < 5; ++i) {
    const uint16_t port = open(client(7, 500));
    ports.insert(port);
    close_by_member(client(7, 500), port);
    if (i % 2 == 0) free_closed_flows();
  }
  EXPECT_EQ(ports.size(), 1u);
}

// A member that closed first remembers the connection for a minute, with its timestamps.
TEST_F(SnatPort, ThatTheMemberClosedRests) {
  const uint16_t port = open(client(7));
  close_by_member(client(7), port);
  free_closed_flows();
  EXPECT_NE(port_of(client(8, port)), port);
  EXPECT_EQ(open(client(7, port)), port);
  close_by_client(client(7, port), port);
  free_closed_flows();
  pass(std::chrono::seconds(61));
  EXPECT_EQ(port_of(client(9, port)), port);
}

TEST_F(SnatPort, ThatTheClientClosedDoesNotRest) {
  const uint16_t port = open(client(7));
  close_by_client(client(7), port);
  free_closed_flows();
  EXPECT_EQ(port_of(client(8, port)), port);
}

TEST_F(SnatPort, ThatRestsIsUsedWhenNoOtherIsLeft) {
  with_ports(20000, 20003);
  const uint16_t port = open(client(7));
  close_by_member(client(7), port);
  free_closed_flows();
  for (uint32_t i = 0; i < 3; ++i) EXPECT_NE(port_of(client(i)), port);
  EXPECT_EQ(port_of(client(4)), port);
}

TEST_F(SnatPort, OfIpv6ThatTheMemberClosedRests) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  const Ends inside = connect(kClient6, kVip6);
  EXPECT_EQ(inside.from.port, kClient6.port);
  forwarded(tcp(inside.to, inside.from).fin(), kEth1);
  forwarded(tcp(kClient6, kVip6).fin());
  pass(std::chrono::milliseconds(300));
  free_closed_flows();
  const base::Endpoint other = at("2001:db8:c::8", kClient6.port);
  EXPECT_NE(forwarded(tcp(other, kVip6).syn()).from.port, kClient6.port);
  EXPECT_EQ(forwarded(tcp(kClient6, kVip6).syn()).from.port, kClient6.port);
}

}  // namespace
}  // namespace test
