// HTTP and HTTPS probes: one request, and the status of the answer.
#include "health/http_text.h"
#include "health/probe.h"
#include "health/tls_stream.h"

namespace health {

using boost::asio::awaitable;

namespace {

awaitable<Probed> ask(Stream& stream, const Target& target) {
  const std::string request = request_text(target);
  const Io written = co_await stream.write(request);
  if (written.error != 0) co_return stream.failed(written.error, kConnectedBut);
  std::string received;
  Reading reading = Reading::wanting;
  while (reading == Reading::wanting) {
    const size_t before = received.size();
    received.resize(std::min(before + 1024, kMaxResponseHeader));
    const Io io = co_await stream.read(received.data() + before, received.size() - before);
    if (io.error != 0) co_return stream.failed(io.error, kConnectedBut);
    if (io.bytes == 0)
      co_return failure(before == 0 ? "closed without an answer" : "closed within the answer");
    received.resize(before + io.bytes);
    reading = examine(received);
  }
  if (reading == Reading::not_http) co_return failure("the answer is not HTTP");
  co_return judge(received, target);
}

}  // namespace

awaitable<Probed> probe_http(Attempt& attempt, const Target& target) {
  Probed probed = co_await connect_tcp(attempt, target);
  if (probed.kind == Probed::Kind::success) probed = co_await ask(attempt, target);
  co_return probed;
}

awaitable<Probed> probe_https(Attempt& attempt, const Target& target) {
  Probed probed = co_await connect_tcp(attempt, target);
  if (probed.kind != Probed::Kind::success) co_return probed;
  TlsStream tls(attempt, target.domain_name);
  const Io shaken = co_await tls.handshake();
  if (shaken.error != 0) co_return tls.failed(shaken.error, kConnectedBut);
  co_return co_await ask(tls, target);
}

}  // namespace health
