// TLS-HELLO: as HAProxy's `option ssl-hello-chk`, which takes any TLS record of a handshake or an
// alert for an answer (`tcp-check expect rbinary ^1[56]`, at least five bytes): a server that
// refuses our ciphers or our version is alive.
#include "health/probe.h"
#include "health/tls_stream.h"

namespace health {

using boost::asio::awaitable;

namespace {

constexpr size_t kRecordHeader = 5;
constexpr char kAlert = 0x15, kHandshake = 0x16, kMajorVersion = 3;

}  // namespace

awaitable<Probed> probe_tls_hello(Attempt& attempt, const Target& target) {
  Probed probed = co_await connect_tcp(attempt, target);
  if (probed.kind != Probed::Kind::success) co_return probed;
  const std::string hello = TlsStream::client_hello(target.domain_name);
  const Io written = co_await attempt.write(hello);
  if (written.error != 0) co_return attempt.failed(written.error, kConnectedBut);
  char record[kRecordHeader];
  for (size_t have = 0; have < kRecordHeader;) {
    const Io io = co_await attempt.read(record + have, kRecordHeader - have);
    if (io.error != 0) co_return attempt.failed(io.error, kConnectedBut);
    if (io.bytes == 0) co_return failure("closed within the TLS handshake");
    have += io.bytes;
  }
  if (record[1] != kMajorVersion) co_return failure("the answer is not TLS");
  if (record[0] == kHandshake) co_return success("TLS handshake answered");
  if (record[0] == kAlert) co_return success("TLS alert answered");
  co_return failure("the answer is not TLS");
}

}  // namespace health
