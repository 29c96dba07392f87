// SCTP: INIT over a raw socket, as Octavia's amphora-health-checker does it; works where the kernel
// has no SCTP, and leaves nothing behind at the member. Needs CAP_NET_RAW.
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/fd.h"
#include "health/packet.h"
#include "health/probe.h"
#include "health/sctp_text.h"

namespace health {

using boost::asio::awaitable;

namespace {

// A raw socket has no port of its own. Where no range is set aside for probes it is one that the
// kernel would give a UDP socket: no other probe has it as long as `holder` lives.
int reserve_port(base::Family family, base::Fd& holder, uint16_t& port) {
  const bool v4 = family == base::Family::ipv4;
  holder.reset(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!holder.valid()) return errno;
  sockaddr_in6 address{};  // long enough for both families; the port is at the same place
  socklen_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  address.sin6_family = v4 ? AF_INET : AF_INET6;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(holder.get(), generic, size) != 0) return errno;
  if (::getsockname(holder.get(), generic, &size) != 0) return errno;
  port = ntohs(address.sin6_port);
  return 0;
}

}  // namespace

awaitable<Probed> probe_sctp(Attempt& attempt, const Target& target) {
  const base::Family family = target.endpoint.address.family();
  base::Fd holder;
  SctpPath path;
  path.peer_port = target.endpoint.port;
  path.own_port = attempt.source_port();
  int error = path.own_port != 0 ? 0 : reserve_port(family, holder, path.own_port);
  if (error == 0) error = attempt.open(family, SOCK_RAW, IPPROTO_SCTP);
  while (error == 0 && path.own_tag == 0)
    if (::getrandom(&path.own_tag, sizeof(path.own_tag), 0) != sizeof(path.own_tag)) error = ENOMEM;
  if (error != 0) co_return attempt.failed(error, "");
  // The port of a raw socket's address is the IP protocol for IPv6, and nothing for IPv4.
  const base::Endpoint peer{target.endpoint.address, 0};
  Io io = co_await attempt.connect(peer);
  const std::string init = sctp_init(path);
  if (io.error == 0) io = co_await attempt.write(init);
  while (io.error == 0) {
    std::array<char, 2048> buffer;
    io = co_await attempt.read(buffer.data(), buffer.size());
    std::string_view packet(buffer.data(), io.bytes);
    if (family == base::Family::ipv4) packet = without_ipv4_header(packet);
    const auto reply = parse_sctp_reply(packet, path);
    if (io.error != 0 || !reply) continue;
    if (reply->answer == SctpAnswer::abort) co_return failure("ABORT");
    const std::string abort = sctp_abort(path, reply->peer_tag);
    co_await attempt.write(abort);
    co_return success("INIT ACK");
  }
  co_return attempt.failed(io.error, "");
}

}  // namespace health
