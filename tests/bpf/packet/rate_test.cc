// How many flows may begin in a second: of a client, of its network, of a listener.
#include <bpf/bpf.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

using namespace std::chrono_literals;

class Rate : public Lab {
 protected:
  void install_with(const plan::FlowRate& rate, const ListenerOptions& options = {}) {
    limit_flows(rate);
    fastest_ = std::max({rate.client, rate.network, rate.listener});
    install(load_balancer("192.0.2.100")
                .vip("2001:db8:1::100")
                .listener(kTcp, 80, options)
                .pool()
                .member("203.0.113.50", 8080)
                .member("2001:db8:2::50", 8080));
    installed_ = std::chrono::steady_clock::now();
  }
  Outcome syn_from(const std::string& client) {
    const base::IpAddress address = ip(client);
    const bool is_ipv4 = address.family() == base::Family::ipv4;
    return run(tcp({address, next_++}, is_ipv4 ? kVip : kVip6).syn());
  }
  // So many of these SYNs begin a flow, each by another port, and all others are refused by the
  // rate; and as many more as the rate has given since it was installed.
  void expect_begun(const std::string& client, int syns, int wanted) {
    int begun = 0;
    for (int i = 0; i < syns; ++i) {
      const Outcome outcome = syn_from(client);
      if (outcome.verdict() == LB_NEW_FLOW)
        begun++;
      else
        EXPECT_THAT(outcome, Drops(LB_RATE_LIMITED));
    }
    sent_ += syns;
    begun_ += begun;
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - installed_;
    EXPECT_GE(begun, wanted);
    EXPECT_LE(begun, wanted + static_cast<int>(time.count() * fastest_)) << "in " << time.count();
  }
  uint16_t next_ = 20000;
  int sent_ = 0, begun_ = 0;
  uint32_t fastest_ = 0;  // of the rates that were installed last
  std::chrono::steady_clock::time_point installed_;
};

TEST_F(Rate, OfAClientIsOfNobodyElse) {
  install_with({.client = 3});
  expect_begun("198.51.100.7", 10, 3);
  expect_begun("198.51.100.8", 10, 3);
  expect_begun("2001:db8:c::7", 10, 3);
  expect_begun("2001:db8:c::8", 10, 0);  // of the same /64
  EXPECT_EQ(stats_of(kVip).verdicts[LB_RATE_LIMITED] + stats_of(kVip6).verdicts[LB_RATE_LIMITED],
            static_cast<uint64_t>(sent_ - begun_));
}

TEST_F(Rate, OfANetworkIsOfItsClientsTogether) {
  install_with({.network = 4});
  expect_begun("198.51.100.7", 2, 2);
  expect_begun("198.51.100.8", 10, 2);
  expect_begun("192.0.2.50", 10, 4);
  expect_begun("2001:db8:c:40::7", 2, 2);
  expect_begun("2001:db8:c:ff::7", 10, 2);  // of the same /56
  expect_begun("2001:db8:c:100::7", 10, 4);
}

TEST_F(Rate, OfAListenerIsOfAllItsAddresses) {
  install_with({.listener = 5});
  expect_begun("198.51.100.7", 3, 3);
  expect_begun("2001:db8:c::7", 10, 2);
  expect_begun("192.0.2.50", 10, 0);
}

// Else whoever asks too much would shut the others out.
TEST_F(Rate, WhatAClientIsRefusedIsNotTakenFromTheListener) {
  install_with({.listener = 5, .client = 2});
  expect_begun("198.51.100.7", 100, 2);
  expect_begun("198.51.100.8", 2, 2);
  expect_begun("198.51.100.9", 2, 1);
}

TEST_F(Rate, ComesBackWithTime) {
  install_with({.client = 20});
  expect_begun("198.51.100.7", 20, 20);
  std::this_thread::sleep_for(260ms);
  expect_begun("198.51.100.7", 40, 5);
}

TEST_F(Rate, IsOfFlowsNotOfPackets) {
  install_with({.client = 1});
  const Ends inside = connect(kClient, kVip);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(run(tcp(kClient, kVip).payload(100)).verdict(), LB_ESTABLISHED);
    EXPECT_EQ(run(tcp(inside.to, inside.from), kEth1).verdict(), LB_ESTABLISHED);
  }
  expect_begun("198.51.100.7", 1, 0);
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
  install_with({.client = 1});
  change_service(kVip, [](lb_service& service) { service.flags |= LB_SERVICE_TO_KERNEL; });
  EXPECT_THAT(syn_from("198.51.100.7"), Passes(LB_L7));
  EXPECT_THAT(syn_from("198.51.100.7"), Drops(LB_RATE_LIMITED));
  EXPECT_THAT(run(tcp(kClient, kVip).payload(100)), Passes(LB_L7)) << "of a connection it has";
}

TEST_F(Rate, HoldsForDatagrams) {
  limit_flows({.client = 1});
  install(load_balancer("192.0.2.100").listener(kUdp, 53).pool().member("203.0.113.50", 53));
  const base::Endpoint vip = at("192.0.2.100", 53);
  EXPECT_EQ(run(udp(kClient, vip)).verdict(), LB_NEW_FLOW);
  EXPECT_THAT(run(udp({kClient.address, 20002}, vip)), Drops(LB_RATE_LIMITED));
  EXPECT_EQ(run(udp(kClient, vip)).verdict(), LB_ESTABLISHED);
}

TEST_F(Rate, ThatIsTakenAwayLetsAllIn) {
  install_with({.client = 1});
  expect_begun("198.51.100.7", 5, 1);
  install_with({});
  expect_begun("198.51.100.7", 50, 50);
}

TEST_F(Rate, IsKnownToTheNextAgent) {
  const auto buckets = [this] {
    std::vector<uint64_t> full;
    const int map = datapath().map_fd("lb_rate_sources");
    lb_rate_source source{};
    for (const void* at = nullptr; bpf_map_get_next_key(map, at, &source) == 0; at = &source) {
      lb_rate_bucket bucket{};
      EXPECT_EQ(bpf_map_lookup_elem(map, &source, &bucket), 0);
      full.push_back(bucket.full);
    }
    return full;
  };
  install_with({.client = 2, .network = 3});
  expect_begun("198.51.100.7", 1, 1);
  const auto before = buckets();
  EXPECT_EQ(before.size(), 2u);
  restart();
  EXPECT_EQ(buckets(), before);
  EXPECT_EQ(service(kVip).rates.client, 2u);
}

// Who is not allowed at all uses up nobody's rate.
TEST_F(Rate, IsNotOfThoseWhoMayNotConnect) {
  install_with({.listener = 2}, {.allowed_cidrs = {"198.51.100.8/32"}});
  for (int i = 0; i < 5; ++i) EXPECT_THAT(syn_from("198.51.100.7"), Drops(LB_SOURCE_DENIED));
  expect_begun("198.51.100.8", 5, 2);
}

}  // namespace
}  // namespace test
