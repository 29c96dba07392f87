// What the drivers of a namespace can do for XDP, as they say themselves, and where they do it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/result.h"
#include "netns/device_spec.h"

namespace netns {

// Whether frames that an XDP program sends out of another interface, or back out of this one, leave
// by `ifindex` (ndo_xdp_xmit); where it does not hold the kernel drops them after the program has
// ended, and nobody is told. Ask while a program is attached: some drivers can only then. Asked by
// generic netlink (Documentation/netlink/specs/netdev.yaml, since Linux 6.3); nullopt: the kernel
// does not say.
std::optional<bool> takes_xdp_frames(int namespace_fd, uint32_t ifindex);

// Of all links that are there, by index; whosever the program is.
base::Result<std::map<uint32_t, XdpMode>> xdp_modes(int namespace_fd);

}  // namespace netns
