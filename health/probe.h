// One probe of each kind. What they send and what they take for a success is what Octavia's
// amphora does with the same monitor; where that is in doubt, the kind's own file says why.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "health/attempt.h"
#include "health/health_spec.h"

namespace health {

// How long a probe of `target` may take.
std::chrono::milliseconds limit_of(const Target& target);

// `attempt` is fresh, with that limit. Both live until the result is there.
boost::asio::awaitable<Probed> probe(Attempt& attempt, const Target& target);

boost::asio::awaitable<Probed> probe_ping(Attempt& attempt, const Target& target);
boost::asio::awaitable<Probed> probe_tcp(Attempt& attempt, const Target& target);
boost::asio::awaitable<Probed> probe_http(Attempt& attempt, const Target& target);
boost::asio::awaitable<Probed> probe_https(Attempt& attempt, const Target& target);
boost::asio::awaitable<Probed> probe_tls_hello(Attempt& attempt, const Target& target);
boost::asio::awaitable<Probed> probe_udp_connect(Attempt& attempt, const Target& target);
boost::asio::awaitable<Probed> probe_sctp(Attempt& attempt, const Target& target);

// A connected TCP socket; success says "connected".
boost::asio::awaitable<Probed> connect_tcp(Attempt& attempt, const Target& target);

}  // namespace health
