// How many flows may begin in a second: of a client, of its network, of a listener.
#include <thread>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

using namespace std::chrono_literals;

class Rate : public Lab {
 protected:
  void install_with(const plan::FlowRate& rate, const ListenerOptions& options = {}) {
    limit_flows(rate);
    install(load_balancer("192.0.2.100")
                .vip("2001:db8:1::100")
                .listener(kTcp, 80, options)
                .pool()
                .member("203.0.113.50", 8080)
                .member("2001:db8:2::50", 8080));
  }
  Outcome syn_from(const std::string& client) {
    const base::IpAddress address = ip(client);
    const bool is_ipv4 = address.family() == base::Family::ipv4;
    return run(tcp({address, next_++}, is_ipv4 ? kVip : kVip6).syn());
  }
  // How many of so many SYNs begin a flow, each by another port. All others are refused by the
  // rate.
  int begun(const std::string& client, int syns) {
    int count = 0;
    for (int i = 0; i < syns; ++i) {
      const Outcome outcome = syn_from(client);
      if (outcome.verdict() == LB_NEW_FLOW)
        count++;
      else
        EXPECT_THAT(outcome, Drops(LB_RATE_LIMITED));
    }
    return count;
  }
  uint16_t next_ = 20000;
};

TEST_F(Rate, OfAClientIsOfNobodyElse) {
  install_with({.client = 3});
  EXPECT_EQ(begun("198.51.100.7", 10), 3);
  EXPECT_EQ(begun("198.51.100.8", 10), 3);
  EXPECT_EQ(begun("2001:db8:c::7", 10), 3);
  EXPECT_EQ(begun("2001:db8:c::8", 10), 0) << "of the same /64";
  EXPECT_EQ(stats_of(kVip).verdicts[LB_RATE_LIMITED], 14u);
  EXPECT_EQ(stats_of(kVip6).verdicts[LB_RATE_LIMITED], 17u);
}

TEST_F(Rate, OfANetworkIsOfItsClientsTogether) {
  install_with({.network = 4});
  EXPECT_EQ(begun("198.51.100.7", 2), 2);
  EXPECT_EQ(begun("198.51.100.8", 10), 2);
  EXPECT_EQ(begun("192.0.2.50", 10), 4);
  EXPECT_EQ(begun("2001:db8:c:40::7", 2), 2);
  EXPECT_EQ(begun("2001:db8:c:ff::7", 10), 2) << "of the same /56";
  EXPECT_EQ(begun("2001:db8:c:100::7", 10), 4);
}

TEST_F(Rate, OfAListenerIsOfAllItsAddresses) {
  install_with({.listener = 5});
  EXPECT_EQ(begun("198.51.100.7", 3), 3);
  EXPECT_EQ(begun("2001:db8:c::7", 10), 2);
  EXPECT_EQ(begun("192.0.2.50", 10), 0);
}

// Else whoever asks too much would shut the others out.
TEST_F(Rate, WhatAClientIsRefusedIsNotTakenFromTheListener) {
  install_with({.listener = 5, .client = 2});
  EXPECT_EQ(begun("198.51.100.7", 100), 2);
  EXPECT_EQ(begun("198.51.100.8", 2), 2);
  EXPECT_EQ(begun("198.51.100.9", 2), 1);
}

TEST_F(Rate, ComesBackWithTime) {
  install_with({.client = 20});
  EXPECT_EQ(begun("198.51.100.7", 20), 20);
  std::this_thread::sleep_for(260ms);
  const int again = begun("198.51.100.7", 40);
  EXPECT_GE(again, 5);
  EXPECT_LT(again, 40);
}

TEST_F(Rate, IsOfFlowsNotOfPackets) {
  install_with({.client = 1});
  const Ends inside = connect(kClient, kVip);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(run(tcp(kClient, kVip).payload(100)).verdict(), LB_ESTABLISHED);
    EXPECT_EQ(run(tcp(inside.to, inside.from), kEth1).verdict(), LB_ESTABLISHED);
  }
  EXPECT_EQ(begun("198.51.100.7", 1), 0);
}

TEST_F(Rate, ASynThatComesAgainIsTheSameFlow) {
  install_with({.client = 1});
  const auto syn = tcp(kClient, kVip).syn();
  EXPECT_EQ(run(syn).verdict(), LB_NEW_FLOW);
  EXPECT_EQ(run(syn).verdict(), LB_ESTABLISHED);
}

TEST_F(Rate, ASynThatGoesToAnotherMemberIsTheSameFlow) {
  limit_flows({.client = 1});
  install(load_balancer("192.0.2.100")
              .listener(kTcp, 80)
              .pool()
              .member("203.0.113.50", 8080)
              .member("203.0.113.51", 8080));
  const auto syn = tcp(kClient, kVip).syn();
  const Ends first = forwarded(syn), second = forwarded(syn), third = forwarded(syn);
  EXPECT_EQ(second.to, first.to);
  EXPECT_NE(third.to, first.to);
}

TEST_F(Rate, HoldsForWhatAProxyServes) {
  install_with({.client = 2});
  change_service(kVip, [](lb_service& service) { service.flags |= LB_SERVICE_TO_KERNEL; });
  EXPECT_THAT(syn_from("198.51.100.7"), Passes(LB_L7));
  EXPECT_THAT(syn_from("198.51.100.7"), Passes(LB_L7));
  EXPECT_THAT(syn_from("198.51.100.7"), Drops(LB_RATE_LIMITED));
  EXPECT_THAT(run(tcp(kClient, kVip).payload(100)), Passes(LB_L7)) << "of a connection it has";
}

TEST_F(Rate, HoldsForDatagrams) {
  limit_flows({.client = 2});
  install(load_balancer("192.0.2.100").listener(kUdp, 53).pool().member("203.0.113.50", 53));
  const base::Endpoint vip = at("192.0.2.100", 53);
  for (uint16_t port = 20000; port < 20002; ++port)
    EXPECT_EQ(run(udp({kClient.address, port}, vip)).verdict(), LB_NEW_FLOW);
  EXPECT_THAT(run(udp({kClient.address, 20002}, vip)), Drops(LB_RATE_LIMITED));
  EXPECT_EQ(run(udp({kClient.address, 20000}, vip)).verdict(), LB_ESTABLISHED);
}

TEST_F(Rate, ThatIsTakenAwayLetsAllIn) {
  install_with({.client = 1});
  EXPECT_EQ(begun("198.51.100.7", 5), 1);
  install_with({});
  EXPECT_EQ(begun("198.51.100.7", 50), 50);
}

TEST_F(Rate, HoldsForTheNextAgent) {
  install_with({.client = 2});
  EXPECT_EQ(begun("198.51.100.7", 5), 2);
  restart();
  EXPECT_EQ(begun("198.51.100.7", 5), 0);
}

// Who is not allowed at all uses up nobody's rate.
TEST_F(Rate, IsNotOfThoseWhoMayNotConnect) {
  install_with({.listener = 2}, {.allowed_cidrs = {"198.51.100.8/32"}});
  for (int i = 0; i < 5; ++i) EXPECT_THAT(syn_from("198.51.100.7"), Drops(LB_SOURCE_DENIED));
  EXPECT_EQ(begun("198.51.100.8", 5), 2);
}

}  // namespace
}  // namespace test
