#include "netns/nics.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "base/fd.h"
#include "netns/netlink.h"
#include "netns/records.h"

namespace netns {

namespace {

using base::Error;
using base::Result;
using base::Unit;

constexpr char kRescan[] = "/sys/bus/pci/rescan";

Nic nic_of(const nlmsghdr& message, const Link& link) {
  Nic nic{.ifindex = link.ifindex, .name = link.name, .mac = link.mac};
  const auto stats = Attributes(message, sizeof(ifinfomsg)).bytes(IFLA_STATS64);
  rtnl_link_stats64 counters{};
  if (stats.size() < offsetof(rtnl_link_stats64, rx_errors)) return nic;
  std::memcpy(&counters, stats.data(), offsetof(rtnl_link_stats64, rx_errors));
  nic.received = counters.rx_bytes;
  nic.transmitted = counters.tx_bytes;
  return nic;
}

}  // namespace

Result<std::vector<Nic>> read_nics(int namespace_fd) {
  Result<Socket> socket = Socket::open(namespace_fd);
  if (!socket) return std::move(socket).error();
  std::map<uint32_t, Nic> nics;
  Message links(RTM_GETLINK, 0, ifinfomsg{});
  auto done = socket->dump(links, "read the links", [&](const nlmsghdr& m) {
    auto record = read_link(m);
    if (record && !record->link.loopback) nics[record->link.ifindex] = nic_of(m, record->link);
  });
  if (!done) return std::move(done).error();
  Message addresses(RTM_GETADDR, 0, ifaddrmsg{});
  done = socket->dump(addresses, "read the addresses", [&](const nlmsghdr& m) {
    auto record = read_address(m);
    auto nic = record ? nics.find(record->address.ifindex) : nics.end();
    if (nic != nics.end()) nic->second.addresses.push_back(record->address.prefix);
  });
  if (!done) return std::move(done).error();
  std::vector<Nic> out;
  out.reserve(nics.size());
  for (auto& [ifindex, nic] : nics) out.push_back(std::move(nic));
  return out;
}

Result<Unit> rescan_pci() {
  base::Fd file(::open(kRescan, O_WRONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return Unit{};
  if (!file.valid() || ::write(file.get(), "1", 1) != 1)
    return Error{errno, std::string("write to ") + kRescan};
  return Unit{};
}

}  // namespace netns
