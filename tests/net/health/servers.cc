#include "tests/net/health/servers.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>

#include "base/sctp.h"
#include "health/packet.h"

namespace health_test {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using Shared = std::shared_ptr<Talk>;

// Until the prober goes.
template <class S>
awaitable<void> drain(S& stream, Shared talk) {
  std::array<char, 512> buffer;
  error_code error;
  while (!error)
    co_await stream.async_read_some(asio::buffer(buffer), redirect_error(use_awaitable, error));
  if (error == asio::error::connection_reset) talk->resets++;
}

template <class S>
awaitable<void> converse(S& stream, Shared talk, const char* until) {
  std::string request;
  error_code error;
  if (until != nullptr) {
    co_await asio::async_read_until(stream, asio::dynamic_buffer(request), until,
                                    redirect_error(use_awaitable, error));
  } else {
    request.resize(4096);
    request.resize(co_await stream.async_read_some(asio::buffer(request),
                                                   redirect_error(use_awaitable, error)));
  }
  if (error == asio::error::connection_reset) talk->resets++;
  if (error) co_return;
  talk->requests.push_back(request);
  if (!talk->answer.empty())
    co_await asio::async_write(stream, asio::buffer(talk->answer),
                               redirect_error(use_awaitable, error));
  if (talk->answer != "close") co_await drain(stream, talk);
}

awaitable<void> talk_plain(tcp::socket socket, Shared talk, const char* until) {
  co_await converse(socket, talk, until);
}

awaitable<void> talk_tls(tcp::socket socket, Context context, Shared talk) {
  asio::ssl::context wrapped(SSL_CTX_up_ref(context.get()) == 1 ? context.get() : nullptr);
  asio::ssl::stream<tcp::socket> tls(std::move(socket), wrapped);
  error_code error;
  co_await tls.async_handshake(asio::ssl::stream_base::server,
                               redirect_error(use_awaitable, error));
  if (error) co_return;
  const char* name = SSL_get_servername(tls.native_handle(), TLSEXT_NAMETYPE_host_name);
  talk->names.push_back(name != nullptr ? name : "");
  co_await converse(tls, talk, "\r\n\r\n");
}

using Serve = std::function<awaitable<void>(tcp::socket)>;

awaitable<void> accept_all(tcp::acceptor acceptor, Shared talk, Serve serve) {
  for (;;) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(redirect_error(use_awaitable, error));
    if (error) co_return;
    talk->connections++;
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
  }
}

void start(asio::io_context& loop, base::Fd listener, Shared talk, Serve serve) {
  sockaddr_storage own;
  socklen_t size = sizeof(own);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&own), &size);
  tcp::acceptor acceptor(loop, own.ss_family == AF_INET ? tcp::v4() : tcp::v6(),
                         listener.release());
  asio::co_spawn(loop, accept_all(std::move(acceptor), std::move(talk), std::move(serve)),
                 asio::detached);
}

// INIT ACK or ABORT in answer to an INIT; empty: to nothing else.
std::string sctp_answer(const std::string& packet, SctpManner manner) {
  constexpr char kInit = 1;
  if (packet.size() < 32 || packet[12] != kInit) return "";
  std::string tag = packet.substr(16, 4);
  if (manner == SctpManner::wrong_tag) tag[0] = static_cast<char>(tag[0] ^ 1);
  std::string answer = packet.substr(2, 2) + packet.substr(0, 2) + tag + std::string(4, '\0');
  if (manner == SctpManner::aborts)
    answer += std::string("\x06\x00\x00\x04", 4);
  else
    answer += std::string("\x02\x00\x00\x14", 4) + "TAG!" + packet.substr(20, 12);
  uint32_t crc = base::crc32c(answer);
  if (manner == SctpManner::broken_checksum) crc ^= 1;
  for (size_t i = 0; i < 4; i++) answer[8 + i] = static_cast<char>(crc >> (8 * i));
  return answer;
}

awaitable<void> answer_sctp(asio::posix::stream_descriptor raw, SctpManner manner, Shared talk) {
  for (;;) {
    error_code error;
    co_await raw.async_wait(asio::posix::stream_descriptor::wait_read,
                            redirect_error(use_awaitable, error));
    if (error) co_return;
    std::array<char, 2048> buffer;
    sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    const ssize_t got = ::recvfrom(raw.native_handle(), buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&peer), &size);
    if (got < 0) continue;
    std::string_view packet(buffer.data(), static_cast<size_t>(got));
    if (peer.ss_family == AF_INET) packet = health::without_ipv4_header(packet);
    talk->requests.emplace_back(packet);
    const std::string answer = sctp_answer(talk->requests.back(), manner);
    if (!answer.empty())
      ::sendto(raw.native_handle(), answer.data(), answer.size(), 0,
               reinterpret_cast<sockaddr*>(&peer), size);
  }
}

}  // namespace

void serve_http(asio::io_context& loop, base::Fd listener, Shared talk) {
  start(loop, std::move(listener), talk,
        [talk](tcp::socket socket) { return talk_plain(std::move(socket), talk, "\r\n\r\n"); });
}

void serve_bytes(asio::io_context& loop, base::Fd listener, Shared talk) {
  start(loop, std::move(listener), talk,
        [talk](tcp::socket socket) { return talk_plain(std::move(socket), talk, nullptr); });
}

void serve_https(asio::io_context& loop, base::Fd listener, Context context, Shared talk) {
  start(loop, std::move(listener), talk,
        [talk, context](tcp::socket socket) { return talk_tls(std::move(socket), context, talk); });
}

Context self_signed() {
  Context context(SSL_CTX_new(TLS_server_method()), FreeContext());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("member"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context.get(), certificate);
  SSL_CTX_use_PrivateKey(context.get(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

void serve_sctp(asio::io_context& loop, base::Fd raw, SctpManner manner, Shared talk) {
  asio::posix::stream_descriptor socket(loop, raw.release());
  asio::co_spawn(loop, answer_sctp(std::move(socket), manner, std::move(talk)), asio::detached);
}

}  // namespace health_test
