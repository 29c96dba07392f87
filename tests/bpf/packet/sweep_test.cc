// Frames cut short everywhere and damaged at random: counted once, never sent wrongly.
#include <linux/bpf.h>
#include <netinet/in.h>

#include <random>

#include "tests/bpf/packet/lab.h"

namespace test {
namespace {

class Sweep : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    install(join(load_balancer("192.0.2.100")
                     .listener(kTcp, 80)
                     .pool()
                     .members("203.0.113.50", 2, 8080)
                     .listener(kUdp, 80)
                     .pool()
                     .member("192.0.2.50", 53),
                 load_balancer("2001:db8:1::100")
                     .listener(kTcp, 80)
                     .pool()
                     .members("2001:db8:2::50", 2, 8080)
                     .listener(kUdp, 80)
                     .pool()
                     .member("2001:db8:1::50", 53)));
  }
  static std::vector<Bytes> samples() {
    return {tcp(kClient, kVip).syn().bytes(),
            tcp(kClient, kVip).syn().options(12).tag(0).padding(5).bytes(),
            udp(kClient, kVip).bytes(),
            udp(kClient, kVip).no_checksum().bytes(),
            tcp(kClient6, kVip6).syn().bytes(),
            udp(kClient6, kVip6).bytes(),
            tcp(kClient6, kVip6)
                .syn()
                .extension(IPPROTO_HOPOPTS)
                .extension(IPPROTO_ROUTING, 16)
                .extension(IPPROTO_DSTOPTS, 24)
                .bytes(),
            icmp(kClient.address, kVip.address, 3),
            icmp(kClient6.address, kVip6.address, 1)};
  }
  // One verdict, the action that goes with it, and the bytes: as they came, or right as they went.
  void check(const Bytes& frame) {
    if (!can_run(frame)) return;
    const bool was_right = frame.size() > 60 && flaw_or_not(frame);
    const Outcome outcome = run(frame);
    ASSERT_NE(outcome.verdict(), LB_CONTINUE) << outcome << describe(frame);
    switch (datapath::verdict_fate(outcome.verdict())) {
      case datapath::Fate::sent:
        ASSERT_TRUE(outcome.is_sent()) << outcome;
        if (outcome.verdict() == LB_TOLD_EXPIRED || outcome.verdict() == LB_TOLD_TOO_BIG) {
          ASSERT_EQ(flaw(outcome.after), std::nullopt) << outcome << describe(frame);
          break;
        }
        ASSERT_EQ(outcome.after.size(), frame.size());
        if (was_right) {
          ASSERT_EQ(flaw(outcome.after), std::nullopt) << outcome << describe(frame);
        }
        break;
      case datapath::Fate::passed:
        ASSERT_EQ(outcome.action, static_cast<uint32_t>(XDP_PASS)) << outcome;
        break;
      case datapath::Fate::dropped:
        ASSERT_EQ(outcome.action, static_cast<uint32_t>(XDP_DROP)) << outcome;
        break;
    }
  }

 private:
  // Damage on the way in stays: only what was right must be right afterwards.
  static bool flaw_or_not(const Bytes& frame) {
    const uint16_t type = static_cast<uint16_t>(frame[12] << 8 | frame[13]);
    if (type != 0x0800 && type != 0x86dd) return false;
    if (frame[14] >> 4 != (type == 0x0800 ? 4 : 6)) return false;
    return flaw(frame) == std::nullopt;
  }
};

TEST_F(Sweep, EveryPrefix) {
  for (const Bytes& sample : samples()) {
    for (size_t size = 14; size < sample.size(); ++size) {
      const Bytes frame(sample.begin(), sample.begin() + static_cast<ptrdiff_t>(size));
      check(frame);
    }
  }
}

TEST_F(Sweep, EveryPrefixOfWhatIsInTheIpPacketIsTheKernels) {
  const Bytes whole = tcp(kClient, kVip).syn().bytes();
  for (size_t size = 14; size < whole.size(); ++size) {
    const Bytes frame(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    if (!can_run(frame)) continue;
    EXPECT_EQ(run(frame).action, static_cast<uint32_t>(XDP_PASS)) << size;
  }
}

TEST_F(Sweep, RandomDamage) {
  std::mt19937 random(20240229);
  const std::vector<Bytes> all = samples();
  for (int i = 0; i < 20000; ++i) {
    Bytes frame = all[random() % all.size()];
    for (uint32_t changes = random() % 4; changes > 0; --changes)
      frame[random() % frame.size()] = static_cast<uint8_t>(random());
    if (random() % 8 == 0) frame.resize(14 + random() % (frame.size() - 14));
    check(frame);
    if (HasFatalFailure()) return;
  }
}

TEST_F(Sweep, RandomBytes) {
  std::mt19937 random(19991231);
  for (int i = 0; i < 5000; ++i) {
    Bytes frame(14 + random() % 200);
    for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random());
    frame[0] &= 0xfe;
    frame[12] = random() % 2 != 0 ? 0x08 : 0x86;
    frame[13] = frame[12] == 0x08 ? 0x00 : 0xdd;
    check(frame);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace test
