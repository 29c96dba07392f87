// PING: one ICMP echo. An unprivileged ping socket where the namespace lets us
// (net.ipv4.ping_group_range), else a raw one, which needs CAP_NET_RAW.
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "health/packet.h"
#include "health/probe.h"

namespace health {

using boost::asio::awaitable;

namespace {

constexpr int kIcmpFilter = 1;  // ICMP_FILTER of linux/icmp.h, which does not go with net/if.h
constexpr size_t kNonceSize = 16;
constexpr size_t kHeaderSize = 8;  // of an ICMP or ICMPv6 echo

struct Kind {
  int protocol;
  uint8_t request, reply;
};

Kind kind_of(base::Family family) {
  if (family == base::Family::ipv4) return {IPPROTO_ICMP, ICMP_ECHO, ICMP_ECHOREPLY};
  return {IPPROTO_ICMPV6, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY};
}

// Type, code, checksum, id, sequence; then what makes the reply ours. A ping socket puts an id of
// its own; the checksum is the kernel's except for raw IPv4, where it costs nothing elsewhere.
std::string echo_request(const Kind& kind, const std::array<char, kNonceSize>& nonce) {
  std::string packet(kHeaderSize, '\0');
  packet[0] = static_cast<char>(kind.request);
  std::memcpy(packet.data() + 4, nonce.data(), 2);
  packet.append(nonce.data(), nonce.size());
  const uint16_t sum = internet_checksum(packet);
  packet[2] = static_cast<char>(sum >> 8);
  packet[3] = static_cast<char>(sum & 0xff);
  return packet;
}

// The kernel hands no other kinds of ICMP up to a raw socket.
int filter_replies(int fd, base::Family family, const Kind& kind) {
  std::array<uint32_t, 8> blocked;
  blocked.fill(0xffffffff);
  blocked[kind.reply / 32] &= ~(1u << (kind.reply % 32));
  const bool v4 = family == base::Family::ipv4;
  const int error = ::setsockopt(fd, v4 ? SOL_RAW : IPPROTO_ICMPV6, v4 ? kIcmpFilter : ICMP6_FILTER,
                                 blocked.data(), v4 ? sizeof(uint32_t) : sizeof(blocked));
  return error == 0 ? 0 : errno;
}

int open_ping(Attempt& attempt, base::Family family, const Kind& kind, int& type) {
  type = SOCK_DGRAM;
  int error = attempt.open(family, type, kind.protocol);
  if (error != EACCES && error != EPERM) return error;
  type = SOCK_RAW;
  error = attempt.open(family, type, kind.protocol);
  return error != 0 ? error : filter_replies(attempt.fd(), family, kind);
}

bool is_reply(std::string_view packet, const Kind& kind, std::string_view nonce) {
  return packet.size() == kHeaderSize + kNonceSize &&
         static_cast<uint8_t>(packet[0]) == kind.reply && packet.substr(kHeaderSize) == nonce;
}

}  // namespace

awaitable<Probed> probe_ping(Attempt& attempt, const Target& target) {
  const base::Family family = target.endpoint.address.family();
  const Kind kind = kind_of(family);
  int type = 0;
  const int error = open_ping(attempt, family, kind, type);
  if (error != 0) co_return attempt.failed(error, "");
  std::array<char, kNonceSize> nonce;
  if (::getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size()))
    co_return attempt.failed(ENOMEM, "");
  // Connected: packets of other hosts do not even wake us.
  const base::Endpoint peer{target.endpoint.address, 0};
  Io io = co_await attempt.connect(peer);
  const std::string request = echo_request(kind, nonce);
  if (io.error == 0) io = co_await attempt.write(request);
  while (io.error == 0) {
    std::array<char, 512> buffer;
    io = co_await attempt.read(buffer.data(), buffer.size());
    std::string_view packet(buffer.data(), io.bytes);
    if (type == SOCK_RAW && family == base::Family::ipv4) packet = without_ipv4_header(packet);
    if (io.error == 0 && is_reply(packet, kind, std::string_view(nonce.data(), nonce.size())))
      co_return success("echo reply");
  }
  co_return attempt.failed(io.error, "");
}

}  // namespace health
