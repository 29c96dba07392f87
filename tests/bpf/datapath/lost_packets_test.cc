// Packets that were redirected to an interface whose driver does not take them.
#include "agent/datapath/lost_packets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <sched.h>

#include <array>

#include "redirect.skel.h"
#include "tests/bpf/datapath/fixture.h"

namespace datapath {
namespace {

class LostPacketsTest : public DatapathTest {
 protected:
  // So many frames, redirected to the interface as if they had come in by another one.
  void send(const std::string& interface, uint32_t count) {
    redirect* object = redirect::open();
    ASSERT_NE(object, nullptr);
    const uint32_t out = ifindex(interface);
    object->rodata->out = out;
    ASSERT_EQ(redirect::load(object), 0);
    ASSERT_EQ(bpf_map__update_elem(object->maps.devices, &out, sizeof(out), &out, sizeof(out), 0),
              0);
    std::array<uint8_t, 64> frame{};
    frame[0] = 2;  // an address of a station
    xdp_md context{};
    context.data_end = frame.size();
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_size_in = frame.size(),
                .ctx_in = &context, .ctx_size_in = sizeof(context),
                .repeat = static_cast<int>(count), .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(object->progs.redirect_all), &run), 0);
    redirect::destroy(object);
  }
  std::map<uint32_t, uint64_t> lost(const LostPackets& watched) {
    std::map<uint32_t, uint64_t> packets;
    const auto all = watched.read();
    EXPECT_TRUE(all.ok());
    for (const auto& [ifindex, lost] : *all) packets[ifindex] = lost.packets;
    return packets;
  }
};

TEST_F(LostPacketsTest, AreCountedByTheInterfaceThatDidNotTakeThem) {
  make_veth("v0");  // nobody takes frames at its other end: they are refused at once ...
  make_veth("v1");
  ASSERT_TRUE(shell("ethtool -K v1p gro on"));
  auto watched = LostPackets::watch();
  ASSERT_TRUE(watched.ok()) << watched.error().message();
  send("v1", 50);
  EXPECT_TRUE(lost(*watched).empty());
  send("v0", 200);
  const std::map<uint32_t, uint64_t> want{{ifindex("v0"), 200}};
  EXPECT_EQ(lost(*watched), want);
  // ... as a whole bulk is lost when the other end has gone down.
  ASSERT_TRUE(shell("ip link set v1p down"));
  send("v1", 50);
  EXPECT_EQ(lost(*watched).at(ifindex("v1")), 50u);
  ASSERT_TRUE(shell("ip link set v1 down"));
  send("v1", 10);
  EXPECT_EQ(lost(*watched).at(ifindex("v1")), 60u);
  EXPECT_EQ(why_lost(watched->read()->at(ifindex("v1")), "v1"),
            "60 packets for interface v1 were lost since the agent started, after XDP had sent "
            "them: Network is down");
}

// The same index in another namespace is another interface.
TEST_F(LostPacketsTest, OfAnotherNamespaceAreNot) {
  auto watched = LostPackets::watch();
  ASSERT_TRUE(watched.ok()) << watched.error().message();
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  make_veth("v0");
  send("v0", 20);
  EXPECT_TRUE(lost(*watched).empty());
}

}  // namespace
}  // namespace datapath
