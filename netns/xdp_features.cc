#include "netns/xdp_features.h"

#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <optional>
#include <string>

#include "netns/netlink.h"

namespace netns {

namespace {

// From linux/netdev.h, which is not among the headers of Debian 12's kernel.
constexpr uint8_t kDeviceGet = 1;   // NETDEV_CMD_DEV_GET
constexpr int kIfindex = 1;         // NETDEV_A_DEV_IFINDEX
constexpr int kXdpFeatures = 3;     // NETDEV_A_DEV_XDP_FEATURES
constexpr uint64_t kTransmits = 4;  // NETDEV_XDP_ACT_NDO_XMIT

// The number that the kernel gave the family `netdev` when it started; nullopt: it has none.
std::optional<uint16_t> netdev_family(Socket& socket) {
  std::optional<uint16_t> number;
  const auto make = [](size_t) {
    Message message(GENL_ID_CTRL, 0, genlmsghdr{CTRL_CMD_GETFAMILY, 1, 0});
    message.put(CTRL_ATTR_FAMILY_NAME, std::string("netdev"));
    return message;
  };
  (void)socket.ask(1, "find the netlink family netdev", make, [&](size_t, const nlmsghdr& answer) {
    if (answer.nlmsg_type != GENL_ID_CTRL || !fits<genlmsghdr>(answer)) return;
    const auto id = Attributes(answer, sizeof(genlmsghdr)).bytes(CTRL_ATTR_FAMILY_ID);
    if (id.size() != sizeof(uint16_t)) return;
    std::memcpy(&number.emplace(), id.data(), sizeof(uint16_t));
  });
  return number;
}

XdpMode mode_of(uint8_t attached) {
  switch (attached) {
    case XDP_ATTACHED_NONE:
      return XdpMode::none;
    case XDP_ATTACHED_SKB:
      return XdpMode::generic;
    default:  // in the driver, in the device, or of several kinds
      return XdpMode::native;
  }
}

}  // namespace

base::Result<std::map<uint32_t, XdpMode>> xdp_modes(int namespace_fd) {
  auto socket = Socket::open(namespace_fd);
  if (!socket) return socket.error();
  std::map<uint32_t, XdpMode> out;
  Message message(RTM_GETLINK, 0, ifinfomsg{});
  message.put(IFLA_EXT_MASK, uint32_t{RTEXT_FILTER_SKIP_STATS});
  auto read = socket->dump(message, "read where XDP runs", [&](const nlmsghdr& m) {
    if (m.nlmsg_type != RTM_NEWLINK || !fits<ifinfomsg>(m)) return;
    out[static_cast<uint32_t>(header_of<ifinfomsg>(m).ifi_index)] =
        mode_of(Attributes(Attributes(m, sizeof(ifinfomsg)).bytes(IFLA_XDP))
                    .u8(IFLA_XDP_ATTACHED)
                    .value_or(XDP_ATTACHED_NONE));
  });
  if (!read) return read.error();
  return out;
}

std::optional<bool> takes_xdp_frames(int namespace_fd, uint32_t ifindex) {
  auto socket = Socket::open(namespace_fd, NETLINK_GENERIC);
  if (!socket) return std::nullopt;
  const auto family = netdev_family(*socket);
  if (!family) return std::nullopt;
  std::optional<bool> takes;
  const auto make = [&](size_t) {
    Message message(*family, 0, genlmsghdr{kDeviceGet, 1, 0});
    message.put(kIfindex, ifindex);
    return message;
  };
  (void)socket->ask(1, "read what a driver can do for XDP", make,
                    [&](size_t, const nlmsghdr& answer) {
                      if (answer.nlmsg_type != *family || !fits<genlmsghdr>(answer)) return;
                      const auto bytes = Attributes(answer, sizeof(genlmsghdr)).bytes(kXdpFeatures);
                      uint64_t features = 0;
                      if (bytes.size() != sizeof(features)) return;
                      std::memcpy(&features, bytes.data(), sizeof(features));
                      takes = (features & kTransmits) != 0;
                    });
  return takes;
}

}  // namespace netns
