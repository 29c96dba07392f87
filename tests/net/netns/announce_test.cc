// Announcements as the other end of the link hears them, and the live view of interfaces (the
// topology is in lab.h).
#include "netns/announce.h"

#include <gmock/gmock.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "netns/nics.h"
#include "tests/net/netns/lab.h"

namespace netns_test {
namespace {

using netns::Announcement;
using testing::Contains;

class AnnounceTest : public Lab {};

// Everything that arrives at an interface of "peer".
base::Fd sniff(const std::string& interface) {
  auto peer = netns::Namespace::open("peer");
  EXPECT_TRUE(peer);
  auto socket = netns::run_in(peer->fd(), [&]() -> base::Result<base::Fd> {
    base::Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0)
      return base::Error{errno, "bind a packet socket"};
    timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
  });
  EXPECT_TRUE(socket) << socket.error().message();
  return *std::move(socket);
}

// Reads until `frame` came; false: five seconds without a frame.
bool hears(const base::Fd& socket, const std::vector<uint8_t>& frame) {
  std::vector<uint8_t> buffer(2048);
  for (;;) {
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return false;
    if (std::equal(frame.begin(), frame.end(), buffer.begin(), buffer.begin() + size)) return true;
  }
}

TEST_F(AnnounceTest, ThePeerLearnsWhereAVipIs) {
  plug_ens7();
  open();
  const netns::LayoutSpec want{
      .interfaces = {eth1()}, .vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}}};
  arrange(want);
  ASSERT_TRUE(eventually([&] {
    return netns::announcements(want, observe(want).seen).size() == 4;
  })) << "the addresses of eth1 and the VIPs are usable";
  // Somebody else had them before: what the peer knows is wrong.
  sh("ip -n peer neigh replace 192.0.2.10 lladdr 02:00:00:00:99:99 nud reachable dev peer7");
  sh("ip -n peer neigh replace 2001:db8:2::10 lladdr 02:00:00:00:99:99 nud reachable dev peer7");
  const base::Fd wire = sniff("peer7");
  const std::set<Announcement> all = netns::announcements(want, observe(want).seen);
  const std::vector<Announcement> list(all.begin(), all.end());
  auto said = netns::announce(space_->fd(), list);
  ASSERT_TRUE(said) << said.error().message();
  for (const Announcement& a : list)
    EXPECT_TRUE(hears(wire, netns::announcement_frame(a))) << a.address.text();
  for (const char* vip : {"192.0.2.10", "2001:db8:2::10"})
    EXPECT_TRUE(eventually([&] {
      return sh(std::string("ip -n peer neigh show ") + vip).find(kMac7) != std::string::npos;
    })) << vip;
}

TEST_F(AnnounceTest, AnErrorNamesTheAddress) {
  open();
  const std::vector<Announcement> nowhere{{99, mac(kMac7), ip("192.0.2.10")}};
  auto said = netns::announce(space_->fd(), nowhere);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().message(), "announce 192.0.2.10 on if99: No such device or address");
}

TEST_F(AnnounceTest, NicsAreReadInEitherNamespace) {
  plug_ens7();
  plug_ens8();
  open();
  arrange({.interfaces = {eth1()}});
  auto inside = netns::read_nics(space_->fd());
  ASSERT_TRUE(inside) << inside.error().message();
  ASSERT_EQ(inside->size(), 1u);
  const netns::Nic& nic = inside->front();
  EXPECT_EQ(nic.name, "eth1");
  EXPECT_EQ(nic.mac, mac(kMac7));
  EXPECT_THAT(nic.addresses, Contains(prefix("192.0.2.5/24")));
  EXPECT_THAT(nic.addresses, Contains(prefix("2001:db8:2::5/64")));
  EXPECT_TRUE(eventually([&] {
    auto again = netns::read_nics(space_->fd());
    return again && again->front().transmitted > 0;
  })) << "IPv6 says hello on every link";
  auto outside = netns::read_nics(space_->original_fd());
  ASSERT_TRUE(outside);
  ASSERT_EQ(outside->size(), 1u);
  EXPECT_EQ(outside->front().name, "ens8");
}

}  // namespace
}  // namespace netns_test
