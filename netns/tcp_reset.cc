#include "netns/tcp_reset.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "base/fd.h"
#include "base/socket_address.h"
#include "netns/frame.h"
#include "netns/namespace.h"

namespace netns {

namespace {

using base::Error;
using base::Family;
using base::Fd;
using base::IpAddress;
using base::Result;
using Source = TcpReset::Source;

constexpr unsigned kRstAck = 0x14;
constexpr unsigned kHeaderWords = 5;

std::vector<uint8_t> segment(const TcpReset& reset, unsigned checksum) {
  Frame frame;
  frame.u16(reset.from.port).u16(reset.to.port).u32(reset.seq).u32(reset.ack);
  frame.u8(kHeaderWords << 4).u8(kRstAck).u16(0).u16(checksum).u16(0);
  return frame.take();
}

// From any address: the kernel's own judgement depends on ip_nonlocal_bind. Raw sockets of TCP are
// handed every segment that comes in, so they live for as long as is sent.
Result<Fd> open_raw_socket(Family family) {
  const bool ipv4 = family == Family::ipv4;
  Fd socket(::socket(ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.valid()) return Error{errno, "open a raw socket for TCP"};
  const int on = 1;
  if (::setsockopt(socket.get(), ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
                   ipv4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof(on)) != 0)
    return Error{errno, "let a raw socket send from any address"};
  return socket;
}

Result<std::set<IpAddress>> own_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return Error{errno, "list the addresses of this machine"};
  std::set<IpAddress> own;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    if (const auto address = base::ip_address(*one->ifa_addr)) own.insert(*address);
  }
  ::freeifaddrs(first);
  return own;
}

// One message: its bytes, where to, and in its control data from which address.
class ResetMessage {
 public:
  // Raw sockets know no ports, and for IPv6 want none to be named.
  explicit ResetMessage(const TcpReset& reset)
      : bytes_(tcp_reset_segment(reset)), to_(base::socket_address({reset.to.address, 0})) {
    part_ = {bytes_.data(), bytes_.size()};
    header_.msg_iov = &part_;
    header_.msg_iovlen = 1;
    header_.msg_name = &to_.storage;
    header_.msg_namelen = to_.size;
    header_.msg_control = control_;
    if (reset.to.address.family() == Family::ipv4) {
      in_pktinfo from{};
      std::memcpy(&from.ipi_spec_dst, reset.from.address.bytes(), sizeof(from.ipi_spec_dst));
      set_source(IPPROTO_IP, IP_PKTINFO, from);
    } else {
      in6_pktinfo from{};
      std::memcpy(&from.ipi6_addr, reset.from.address.bytes(), sizeof(from.ipi6_addr));
      set_source(IPPROTO_IPV6, IPV6_PKTINFO, from);
    }
  }
  ResetMessage(const ResetMessage&) = delete;
  ResetMessage& operator=(const ResetMessage&) = delete;

  bool send(int socket) const { return ::sendmsg(socket, &header_, MSG_DONTWAIT) >= 0; }

 private:
  template <class Info>
  void set_source(int level, int type, const Info& info) {
    header_.msg_controllen = CMSG_SPACE(sizeof(info));
    cmsghdr* control = CMSG_FIRSTHDR(&header_);
    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(sizeof(info));
    std::memcpy(CMSG_DATA(control), &info, sizeof(info));
  }

  std::vector<uint8_t> bytes_;
  iovec part_{};
  base::SocketAddress to_;
  alignas(cmsghdr) uint8_t control_[CMSG_SPACE(sizeof(in6_pktinfo))]{};
  msghdr header_{};
};

}  // namespace

std::vector<uint8_t> tcp_reset_segment(const TcpReset& reset) {
  const std::vector<uint8_t> unsummed = segment(reset, 0);
  Frame pseudo;
  pseudo.ip(reset.from.address).ip(reset.to.address);
  pseudo.u32(static_cast<uint32_t>(unsummed.size())).u32(IPPROTO_TCP).raw(unsummed);
  return segment(reset, internet_checksum(pseudo.take()));
}

Result<size_t> send_resets(int namespace_fd, std::span<const TcpReset> resets) {
  if (resets.empty()) return size_t{0};
  return run_in(namespace_fd, [resets]() -> Result<size_t> {
    const auto own = own_addresses();
    if (!own) return own.error();
    std::map<Family, Fd> sockets;
    size_t sent = 0;
    for (const TcpReset& reset : resets) {
      if (reset.source == Source::ours && !own->contains(reset.from.address)) continue;
      const Family family = reset.to.address.family();
      auto socket = sockets.find(family);
      if (socket == sockets.end()) {
        auto opened = open_raw_socket(family);
        if (!opened) return opened.error();
        socket = sockets.emplace(family, *std::move(opened)).first;
      }
      if (ResetMessage(reset).send(socket->second.get())) ++sent;
    }
    return sent;
  });
}

}  // namespace netns
