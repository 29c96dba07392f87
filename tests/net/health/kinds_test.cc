// Every kind of probe against members that answer, refuse, stay silent or talk nonsense.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "health/expected_codes.h"
#include "tests/net/health/lab.h"
#include "tests/net/health/servers.h"

namespace health_test {
namespace {

using health::Health;
using health::State;
using health::Target;
using health::Type;

class Kinds : public Lab {
 protected:
  base::Fd listener(uint16_t port) { return member_socket(SOCK_STREAM, IPPROTO_TCP, port); }
  std::shared_ptr<Talk> http(uint16_t port, const std::string& answer) {
    auto talk = std::make_shared<Talk>();
    talk->answer = answer;
    serve_http(loop_, listener(port), talk);
    return talk;
  }
  std::shared_ptr<Talk> bytes(uint16_t port, const std::string& answer) {
    auto talk = std::make_shared<Talk>();
    talk->answer = answer;
    serve_bytes(loop_, listener(port), talk);
    return talk;
  }
  // Where no deadline is looked for, there is time enough for a busy machine.
  void expect(Target target, State state, const std::string& reason) {
    if (reason.find("300 ms") == reason.npos)
      target.delay = target.timeout = std::max<std::chrono::milliseconds>(target.delay, 3s);
    const Health health = health_of(target);
    EXPECT_EQ(health.state, state) << to_text(target.type) << ": " << health.reason;
    EXPECT_EQ(health.reason, reason) << to_text(target.type);
    EXPECT_EQ(health.usable, state != State::down);
  }
};

INSTANTIATE_TEST_SUITE_P(Families, Kinds, testing::Values(base::Family::ipv4, base::Family::ipv6),
                         [](const auto& family) {
                           return family.param == base::Family::ipv4 ? "v4" : "v6";
                         });

TEST_P(Kinds, Tcp) {
  const base::Fd open = listener(80);
  expect(target(Type::tcp, member(), 80), State::up, "connected");
  expect(target(Type::tcp, member(), 81), State::down, "connection refused");
  expect(target(Type::tcp, silent(), 80), State::down, "no answer within 300 ms");
}

TEST_P(Kinds, AHostThatIsNotThereIsDown) {
  Target t = target(Type::tcp, absent(), 80);
  t.delay = t.timeout = 6s;
  expect(t, State::down, "host unreachable");
  t.type = Type::ping;
  t.endpoint.port = 0;
  expect(t, State::down, "host unreachable");
}

// Nobody beyond the link answers an address of the link, which is all that there is meanwhile.
TEST_P(Kinds, NobodyIsDownWhileOurAddressesAreTentative) {
  if (GetParam() == base::Family::ipv4) return;
  sh("echo 100 > /proc/sys/net/ipv6/conf/probe0/dad_transmits;"
     "ip -6 addr flush dev probe0 scope global; ip addr add 2001:db8::1/64 dev probe0");
  const std::string reason = "not probed: no IPv6 address of ours can be used (yet)";
  expect(target(Type::tcp, silent(), 80), State::unknown, reason);
  sh("ip addr add fe80::1/64 dev probe0 nodad");
  Target t = target(Type::tcp, silent(), 80);
  for (const Type type : {Type::tcp, Type::http}) {
    t.type = type;
    expect(t, State::unknown, reason);
  }
  sh("ip addr del 2001:db8::1/64 dev probe0; ip addr add 2001:db8::1/64 dev probe0 nodad");
  expect(target(Type::tcp, silent(), 80), State::down, "no answer within 300 ms");
}

// A probe leaves no TIME_WAIT at the member.
TEST_P(Kinds, TcpEndsWithReset) {
  auto talk = std::make_shared<Talk>();
  serve_http(loop_, listener(80), talk);
  expect(target(Type::tcp, member(), 80), State::up, "connected");
  EXPECT_TRUE(run_until([&] { return talk->resets == 1; }));
  EXPECT_EQ(sh("ip netns exec member ss -Htan state time-wait"), "");
}

TEST_P(Kinds, Http) {
  auto talk = http(80, "HTTP/1.1 204 No Content\r\nA: b\r\n\r\nbody");
  Target t = target(Type::http, member(), 80);
  expect(t, State::down, "HTTP 204, expected 200");
  t.expected = *health::parse_expected_codes("200-204");
  t.version = health::HttpVersion::v1_1;
  t.domain_name = "www.example.com";
  t.method = "HEAD";
  t.path = "/alive";
  expect(t, State::up, "HTTP 204");
  EXPECT_EQ(talk->requests.at(1),
            "HEAD /alive HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n");
  t.endpoint.port = 81;
  expect(t, State::down, "connection refused");
  t.endpoint.address = silent();
  expect(t, State::down, "no answer within 300 ms");
}

TEST_P(Kinds, HttpNonsense) {
  http(80, "");
  http(81, "SSH-2.0-OpenSSH_9.2\r\n");
  http(82, "close");
  http(83, "HTTP/1.1 200 OK\r\nwith: no end\r\n");
  http(84, "HTTP/1.1 200 OK\r\nlong: " + std::string(1 << 20, 'x'));
  expect(target(Type::http, member(), 80), State::down, "connected, but no answer within 300 ms");
  expect(target(Type::http, member(), 81), State::down, "the answer is not HTTP");
  expect(target(Type::http, member(), 82), State::down, "the answer is not HTTP");
  expect(target(Type::http, member(), 83), State::down, "connected, but no answer within 300 ms");
  expect(target(Type::http, member(), 84), State::up, "HTTP 200");
}

TEST_P(Kinds, Https) {
  auto talk = std::make_shared<Talk>();
  talk->answer = "HTTP/1.0 200 OK\r\n\r\n";
  serve_https(loop_, listener(443), self_signed(), talk);
  Target t = target(Type::https, member(), 443);
  expect(t, State::up, "HTTP 200");
  t.domain_name = "www.example.com";
  t.version = health::HttpVersion::v1_1;
  expect(t, State::up, "HTTP 200");
  EXPECT_EQ(talk->names, (std::vector<std::string>{"", "www.example.com"}));
  talk->answer = "HTTP/1.0 503 No\r\n\r\n";
  expect(t, State::down, "HTTP 503, expected 200");
  t.endpoint.port = 444;
  expect(t, State::down, "connection refused");
}

TEST_P(Kinds, HttpsWithoutAgreement) {
  const Context context = self_signed();
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE-RSA-AES128-GCM-SHA256");  // the key is not RSA
  serve_https(loop_, listener(443), context, std::make_shared<Talk>());
  bytes(444, "220 mail.example.com ESMTP\r\n");
  bytes(445, "");
  expect(target(Type::https, member(), 443), State::down, "TLS: sslv3 alert handshake failure");
  expect(target(Type::https, member(), 444), State::down, "the answer is not TLS");
  expect(target(Type::https, member(), 445), State::down, "connected, but no answer within 300 ms");
  // A server that refuses what we offer is alive all the same.
  expect(target(Type::tls_hello, member(), 443), State::up, "TLS alert answered");
  expect(target(Type::tls_hello, member(), 444), State::down, "the answer is not TLS");
  expect(target(Type::tls_hello, member(), 445), State::down,
         "connected, but no answer within 300 ms");
}

TEST_P(Kinds, TlsHello) {
  serve_https(loop_, listener(443), self_signed(), std::make_shared<Talk>());
  expect(target(Type::tls_hello, member(), 443), State::up, "TLS handshake answered");
  expect(target(Type::tls_hello, member(), 444), State::down, "connection refused");
  expect(target(Type::tls_hello, silent(), 443), State::down, "no answer within 300 ms");
}

TEST_P(Kinds, UdpConnect) {
  const base::Fd open = member_socket(SOCK_DGRAM, 0, 53);
  expect(target(Type::udp_connect, member(), 53), State::up, "no ICMP error within 300 ms");
  char byte = 0;
  EXPECT_EQ(::recv(open.get(), &byte, 1, 0), 1);
  expect(target(Type::udp_connect, silent(), 53), State::up, "no ICMP error within 300 ms");
  expect(target(Type::udp_connect, member(), 54), State::down, "port unreachable");
}

TEST_P(Kinds, PingByRawAndByPingSocket) {
  for (const char* groups : {"1 0", "0 2147483647"}) {
    sh(std::string("echo '") + groups + "' > /proc/sys/net/ipv4/ping_group_range");
    expect(target(Type::ping, member(), 0), State::up, "echo reply");
    expect(target(Type::ping, silent(), 0), State::down, "no answer within 300 ms");
  }
}

TEST_P(Kinds, Sctp) {
  auto talk = std::make_shared<Talk>();
  serve_sctp(loop_, member_socket(SOCK_RAW, IPPROTO_SCTP, 0), SctpManner::accepts, talk);
  expect(target(Type::sctp, member(), 3868), State::up, "INIT ACK");
  ASSERT_TRUE(run_until([&] { return talk->requests.size() == 2; }));
  EXPECT_EQ(talk->requests[1].substr(4, 4), "TAG!");  // ends with an ABORT that the member takes
  EXPECT_EQ(talk->requests[1].substr(12, 4), std::string("\x06\x00\x00\x04", 4));
  expect(target(Type::sctp, silent(), 3868), State::down, "no answer within 300 ms");
}

TEST_P(Kinds, SctpRefused) {
  serve_sctp(loop_, member_socket(SOCK_RAW, IPPROTO_SCTP, 0), SctpManner::aborts,
             std::make_shared<Talk>());
  expect(target(Type::sctp, member(), 3868), State::down, "ABORT");
}

TEST_P(Kinds, SctpAnswersOfOthersDoNotCount) {
  for (SctpManner manner : {SctpManner::wrong_tag, SctpManner::broken_checksum})
    serve_sctp(loop_, member_socket(SOCK_RAW, IPPROTO_SCTP, 0), manner, std::make_shared<Talk>());
  expect(target(Type::sctp, member(), 3868), State::down, "no answer within 300 ms");
}

TEST_P(Kinds, SctpWithoutProtocol) {
  expect(target(Type::sctp, member(), 3868), State::down, "protocol unreachable");
}

}  // namespace
}  // namespace health_test
