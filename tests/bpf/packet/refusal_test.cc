// Packets that do not go on, each for its own reason.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <atomic>
#include <thread>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Refusal : public Lab {
 protected:
  void install_one() {
    install(load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080));
  }
};

TEST_F(Refusal, NotOurs) {
  install_one();
  EXPECT_THAT(run(tcp(kClient, at("192.0.2.100", 81)).syn()), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(tcp(kClient, at("192.0.2.10", 80)).syn()), Passes(LB_NO_SERVICE));
  EXPECT_THAT(run(udp(kClient, kVip)), Passes(LB_NO_SERVICE));
}

TEST_F(Refusal, MiddleOfAConnectionThatIsNotThere) {
  install_one();
  for (const int flags : {0, +kAck, kSyn | kAck, +kRst, kFin | kAck, kSyn | kFin, kSyn | kRst}) {
    EXPECT_THAT(run(tcp(kClient, kVip).flags(static_cast<uint8_t>(flags))), Passes(LB_NO_FLOW))
        << flags;
  }
  EXPECT_EQ(stats_of(kVip).verdicts[LB_NO_FLOW], 7u);
}

TEST_F(Refusal, NobodysAddressBeginsNoFlow) {
  install_one();
  for (const char* nobody : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1",
                             "255.255.255.255", "192.0.2.100"})
    EXPECT_THAT(run(tcp(at(nobody, 40000), kVip).syn()), Passes(LB_BAD_SOURCE)) << nobody;
  EXPECT_EQ(live_flows(), 0u);
}

// Our own addresses, as somebody would forge them to have us talk to ourselves.
TEST_F(Refusal, OurOwnAddressBeginsNoFlow) {
  install(join(
      load_balancer("192.0.2.100").listener(kTcp, 80).pool().member("203.0.113.50", 8080),
      load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81)));
  for (const char* own : {"192.0.2.10", "203.0.113.10", "198.18.0.10"})
    EXPECT_THAT(run(tcp(at(own, 40000), kVip).syn()), Passes(LB_BAD_SOURCE)) << own;
  for (const char* own : {"2001:db8:1::10", "2001:db8:2::10"})
    EXPECT_THAT(run(tcp(at(own, 40000), kVip6).syn()), Passes(LB_BAD_SOURCE)) << own;
  EXPECT_EQ(live_flows(), 0u);
}

TEST_F(Refusal, NobodysAddressBeginsNoFlowIpv6) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  for (const char* nobody : {"::", "::1", "ff02::1", "2001:db8:1::100"})
    EXPECT_THAT(run(tcp(at(nobody, 40000), kVip6).syn()), Passes(LB_BAD_SOURCE)) << nobody;
}

TEST_F(Refusal, NoWayBackToTheClient) {
  install_one();
  EXPECT_THAT(run(tcp(at("198.51.100.200", 40000), kVip).syn()), Drops(LB_NO_ROUTE));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_NO_ROUTE], 1u);
  EXPECT_EQ(live_flows(), 0u);
}

TEST_F(Refusal, NoWayBackToTheClientIpv6) {
  install(load_balancer("2001:db8:1::100").listener(kTcp, 80).pool().member("2001:db8:2::50", 81));
  EXPECT_THAT(run(tcp(at("2001:db8:c:1::7", 40000), kVip6).syn()), Drops(LB_NO_ROUTE));
}

TEST_F(Refusal, TheInterfaceHasJustGone) {
  install_one();
  const uint32_t gone = kEth1;
  ASSERT_EQ(bpf_map_delete_elem(datapath().map_fd("lb_devs"), &gone), 0);
  const Outcome syn = run(tcp(kClient, kVip).syn());
  // The kernel sends for tc, and finds out after us.
  if (is_on_tc())
    EXPECT_TRUE(syn.verdict() == LB_NEW_FLOW && syn.is_sent()) << syn;
  else
    EXPECT_THAT(syn, Drops(LB_NO_DEVICE));
}

// ---- no room ----------------------------------------------------------------------------------

TEST_F(Refusal, NoSnatPortIsLeft) {
  auto options = Lab::options();
  options.snat_port_min = options.snat_port_max = 20000;
  reopen(options);
  install_one();
  forwarded(tcp(at("198.51.100.7", 40000), kVip).syn());
  EXPECT_THAT(run(tcp(at("198.51.100.8", 40000), kVip).syn()), Drops(LB_NO_SNAT_PORT));
  EXPECT_EQ(stats_of(kVip).verdicts[LB_NO_SNAT_PORT], 1u);
  EXPECT_EQ(live_flows(), 1u);
  forwarded(tcp(at("198.51.100.7", 40000), kVip).syn());
}

TEST_F(Refusal, TableIsFull) {
  install_one();
  each_line([](lb_flow& line) { line.word = LB_FLOW_BUSY; });
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Drops(LB_TABLE_FULL));
  EXPECT_EQ(live_flows(), 0u);
}

TEST_F(Refusal, BucketIsLocked) {
  install_one();
  for (uint32_t i = 0; i < datapath().about().lines4 / LB_FLOW_WAYS; ++i) {
    const lb_bucket held{1, 0};
    ASSERT_EQ(bpf_map_update_elem(datapath().map_fd("lb_locks"), &i, &held, BPF_ANY), 0);
  }
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Drops(LB_BUCKET_BUSY));
}

// ---- what must not happen ---------------------------------------------------------------------

// A program that leaves packets to the one before it, of which there is none.
TEST_F(Refusal, BesideNothing) {
  install_one();
  run_beside();
  EXPECT_THAT(run(tcp(kClient, kVip).syn()), Drops(LB_INTERNAL));
}

TEST_F(Refusal, LineIsReusedWhileItIsRead) {
  install_one();
  connect(kClient, kVip);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    each_line([&](lb_flow& line) {
      if ((line.word & 0xff) != LB_FLOW_OPEN) return;
      std::atomic_ref<__u64> word(line.word);
      while (!stop) word.fetch_add(1ull << 32);
    });
  });
  Outcome outcome;
  for (int i = 0; i < 200000 && outcome.verdict() != LB_RECYCLED; ++i)
    outcome = run(tcp(kClient, kVip));
  stop = true;
  other.join();
  EXPECT_THAT(outcome, Drops(LB_RECYCLED));
}

}  // namespace
}  // namespace test
