// Telling the network where an address is now: gratuitous ARP, and unsolicited neighbour
// advertisements for IPv6 (contract, 8.9). Without it switches and routers go on sending to
// whoever had the address before.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "netns/netns_spec.h"

namespace netns {

// An address that is told on a link. `mac` is the link's.
struct Announcement {
  uint32_t ifindex = 0;
  base::MacAddress mac;
  base::IpAddress address;

  auto operator<=>(const Announcement&) const = default;
};

// What is ours to tell: the addresses and VIPs of `want` that are usable on a link with a carrier.
// A VIP of keepalived's is told by keepalived.
std::set<Announcement> announcements(const LayoutSpec& want, const Observed& observed);

// The Ethernet frame. ARP: a request, sender and target are the address, target MAC broadcast.
// IPv6: to ff02::1 with hop limit 255, flags router and override, target link-layer address.
std::vector<uint8_t> announcement_frame(const Announcement& announcement);

// Says each of them once. Blocks for microseconds a frame; works from any thread. All are tried,
// the first error (errno, and which one) is returned.
base::Result<base::Unit> announce(int namespace_fd, std::span<const Announcement> what);

// When to say what: everything new three times, a second apart, because frames get lost and
// switches are still learning. What goes and comes back is new.
class Announcer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Everything there is to tell now.
  void update(const std::set<Announcement>& there, Time now);
  // Says everything once more.
  void again(Time now);
  // What to say now; each call counts as having said it.
  std::vector<Announcement> take_due(Time now);
  // When there is something to say next; nullopt: nothing until the next update().
  std::optional<Time> next() const;

 private:
  struct Pending {
    int left = 0;
    Time next{};
  };
  std::map<Announcement, Pending> known_;
};

}  // namespace netns
