#include "health/probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "health/schedule.h"

namespace health {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

// Silence is a success: no reason to wait for it longer than Octavia's udp_check.sh does.
constexpr auto kUdpSilence = 1000ms;

}  // namespace

std::chrono::milliseconds limit_of(const Target& target) {
  const auto delay = interval_of(target);
  auto limit = target.timeout > 0ms ? std::min(target.timeout, delay) : delay;
  return target.type == Type::udp_connect ? std::min(limit, kUdpSilence) : limit;
}

awaitable<Probed> probe(Attempt& attempt, const Target& target) {
  switch (target.type) {
    case Type::ping:
      return probe_ping(attempt, target);
    case Type::tcp:
      return probe_tcp(attempt, target);
    case Type::http:
      return probe_http(attempt, target);
    case Type::https:
      return probe_https(attempt, target);
    case Type::tls_hello:
      return probe_tls_hello(attempt, target);
    case Type::udp_connect:
      return probe_udp_connect(attempt, target);
    case Type::sctp:
      return probe_sctp(attempt, target);
  }
  __builtin_unreachable();
}

awaitable<Probed> connect_tcp(Attempt& attempt, const Target& target) {
  const int error = attempt.open(target.endpoint.address.family(), SOCK_STREAM, IPPROTO_TCP);
  if (error != 0) co_return attempt.failed(error, "");
  const Io connected = co_await attempt.connect(target.endpoint);
  if (connected.error != 0) co_return attempt.failed(connected.error, "");
  co_return success("connected");
}

awaitable<Probed> probe_tcp(Attempt& attempt, const Target& target) {
  return connect_tcp(attempt, target);
}

// As netcat in udp_check.sh: one byte; an ICMP error is down, an answer or silence is up.
awaitable<Probed> probe_udp_connect(Attempt& attempt, const Target& target) {
  const int error = attempt.open(target.endpoint.address.family(), SOCK_DGRAM, IPPROTO_UDP);
  if (error != 0) co_return attempt.failed(error, "");
  Io io = co_await attempt.connect(target.endpoint);
  if (io.error == 0) io = co_await attempt.write("X");
  char answer[16];
  if (io.error == 0) io = co_await attempt.read(answer, sizeof(answer));
  if (io.error == 0) co_return success("answered");
  if (io.error == ETIME) co_return success("no ICMP error within " + to_text(attempt.limit()));
  if (io.error == ECONNREFUSED) co_return failure("port unreachable");
  co_return attempt.failed(io.error, "");
}

}  // namespace health
