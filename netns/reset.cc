#include "netns/reset.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/sctp.h"
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
using Protocol = Reset::Protocol;
using Source = Reset::Source;

constexpr unsigned kRstAck = 0x14;
constexpr unsigned kHeaderWords = 5;

std::vector<uint8_t> tcp_segment(const Reset& reset, unsigned checksum) {
  Frame frame;
  frame.u16(reset.from.port).u16(reset.to.port).u32(reset.awaited).u32(reset.next);
  frame.u8(kHeaderWords << 4).u8(kRstAck).u16(0).u16(checksum).u16(0);
  return frame.take();
}

std::vector<uint8_t> tcp_reset(const Reset& reset) {
  const std::vector<uint8_t> unsummed = tcp_segment(reset, 0);
  Frame pseudo;
  pseudo.ip(reset.from.address).ip(reset.to.address);
  pseudo.u32(static_cast<uint32_t>(unsummed.size())).u32(IPPROTO_TCP).raw(unsummed);
  return tcp_segment(reset, internet_checksum(pseudo.take()));
}

std::vector<uint8_t> sctp_abort(const Reset& reset) {
  const std::string packet = base::sctp_abort(reset.from.port, reset.to.port, reset.awaited);
  return {packet.begin(), packet.end()};
}

// From any address: the kernel's own judgement depends on ip_nonlocal_bind. Raw sockets are handed
// every packet of their protocol that comes in, so they live for as long as is sent.
Result<Fd> open_raw_socket(Family family, Protocol protocol) {
  const bool ipv4 = family == Family::ipv4;
  Fd socket(::socket(ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                     protocol == Protocol::tcp ? IPPROTO_TCP : IPPROTO_SCTP));
  if (!socket.valid()) return Error{errno, "open a raw socket"};
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
  explicit ResetMessage(const Reset& reset)
      : bytes_(reset_packet(reset)), to_(base::socket_address({reset.to.address, 0})) {
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

std::vector<uint8_t> reset_packet(const Reset& reset) {
  return reset.protocol == Protocol::tcp ? tcp_reset(reset) : sctp_abort(reset);
}

Result<size_t> send_resets(int namespace_fd, std::span<const Reset> resets) {
  if (resets.empty()) return size_t{0};
  return run_in(namespace_fd, [resets]() -> Result<size_t> {
    const auto own = own_addresses();
    if (!own) return own.error();
    std::map<std::pair<Family, Protocol>, Fd> sockets;
    size_t sent = 0;
    for (const Reset& reset : resets) {
      if (reset.source == Source::ours && !own->contains(reset.from.address)) continue;
      const std::pair kind(reset.to.address.family(), reset.protocol);
      auto socket = sockets.find(kind);
      if (socket == sockets.end()) {
        auto opened = open_raw_socket(kind.first, kind.second);
        if (!opened) return opened.error();
        socket = sockets.emplace(kind, *std::move(opened)).first;
      }
      if (ResetMessage(reset).send(socket->second.get())) ++sent;
    }
    return sent;
  });
}

}  // namespace netns
