// The API over TCP: real sockets, real TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "agent/http/response.h"
#include "agent/http/tcp_listener.h"
#include "agent/http/token.h"
#include "tests/unit/certificates/maker.h"
#include "tests/unit/http/wire.h"

namespace http::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

boost::asio::awaitable<Response> scheme_and_size(Request request) {
  co_return json_response(200, {{"scheme", request.scheme}, {"size", request.body.size()}});
}

// A certificate that the server shows, and the way to it.
struct Identity {
  Identity() {
    const auto pair = certificates::testing::make(
        {.name = "api",
         .alternate = {},
         .to = certificates::testing::noon() + 365 * certificates::testing::kDay * 20});
    std::ofstream(file) << pair.certificate_pem() << pair.key_pem();
  }
  TlsContext context() const {
    auto made = server_tls(file, file);
    if (!made.ok()) throw std::runtime_error(made.error().message());
    return *made;
  }
  TemporaryFolder folder;
  std::string file = folder.path("api.pem");
};

class TlsWire {
 public:
  explicit TlsWire(base::Fd connected, int newest = TLS1_3_VERSION)
      : fd_(std::move(connected)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), newest);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
  }
  bool handshake() { return SSL_connect(ssl_.get()) == 1; }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  // All that comes until the server ends it.
  std::string ask(const std::string& request) {
    SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
    std::string out(64 * 1024, '\0');
    size_t have = 0;
    for (int size = 1; size > 0 && have<out.size(); have += size> 0 ? size : 0)
      size = SSL_read(ssl_.get(), out.data() + have, static_cast<int>(out.size() - have));
    out.resize(have);
    return out;
  }
  bool told_the_end() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  base::Fd fd_;
  std::unique_ptr<SSL_CTX, certificates::Release<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, certificates::Release<SSL_free>> ssl_;
};

TcpOptions with(TlsContext tls, Guard guard = {}, Limits limits = {}) {
  return TcpOptions{{}, std::move(tls), std::move(guard), limits, {}};
}

TEST(Tcp, KeepsConnectionsAlive) {
  RunningTcp server(scheme_and_size, with({}));
  Wire wire(server.connect());
  for (int i = 0; i < 3; ++i) {
    const auto answer = wire.ask("GET", "/");
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(nlohmann::json::parse(answer->body)["scheme"], "http");
  }
}

TEST(Tcp, SpeaksTls) {
  const Identity identity;
  RunningTcp server(scheme_and_size, with(identity.context()));
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsWire wire(server.connect(), newest);
    ASSERT_TRUE(wire.handshake());
    const std::string answer = wire.ask(
        "POST / HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK"));
    EXPECT_THAT(answer, HasSubstr(R"({"scheme":"https","size":3})"));
    EXPECT_TRUE(wire.told_the_end());
  }
}

TEST(Tcp, RefusesOldTls) {
  const Identity identity;
  RunningTcp server(scheme_and_size, with(identity.context()));
  EXPECT_FALSE(TlsWire(server.connect(), TLS1_1_VERSION).handshake());
  TlsWire good(server.connect(), TLS1_2_VERSION);
  EXPECT_TRUE(good.handshake());
  EXPECT_EQ(good.version(), "TLSv1.2");
}

TEST(Tcp, LeavesAHandshakeThatIsNeverFinished) {
  const Identity identity;
  Limits limits;
  limits.header = milliseconds(200);
  limits.connections = 2;
  RunningTcp server(scheme_and_size, with(identity.context(), {}, limits));
  Wire silent(server.connect());
  Wire plain(server.connect());
  plain.say("GET / HTTP/1.1\r\nHost: lb\r\n\r\n");
  EXPECT_TRUE(silent.ended());
  for (int tries = 0; tries < 100; ++tries) {
    TlsWire wire(server.connect());
    if (wire.handshake()) return;
    std::this_thread::sleep_for(milliseconds(20));
  }
  FAIL() << "connections without a handshake still count";
}

// As many as there may be, without a word or without the token: who has it is served all the same.
TEST(Tcp, IsNotLockedByWhoSaysNothing) {
  const Identity identity;
  Limits limits;
  limits.connections = 8;
  limits.strangers_of_a_source = 8;
  RunningTcp server(scheme_and_size, with(identity.context(), token_guard(Token(kToken)), limits));
  std::vector<std::unique_ptr<Wire>> silent;
  for (int i = 0; i < 40; i++) silent.push_back(std::make_unique<Wire>(server.connect()));
  const auto before = std::chrono::steady_clock::now();
  TlsWire late(server.connect());
  ASSERT_TRUE(late.handshake());
  EXPECT_THAT(late.ask("GET / HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nX-Auth-Token: " +
                       kToken + "\r\n\r\n"),
              HasSubstr("200 OK"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  EXPECT_TRUE(silent.front()->ended());  // the oldest
}

TEST(Tcp, LeavesTheStrangersOfOneSource) {
  Limits limits;
  limits.strangers_of_a_source = 3;
  RunningTcp server(scheme_and_size, with({}, token_guard(Token(kToken)), limits));
  Wire known(server.connect());
  known.say("GET / HTTP/1.1\r\nHost: lb\r\nX-Auth-Token: " + kToken + "\r\n\r\n");
  ASSERT_EQ(known.hear()->status, 200);
  Wire first(server.connect());
  std::vector<std::unique_ptr<Wire>> others;
  for (int i = 0; i < 3; i++) others.push_back(std::make_unique<Wire>(server.connect()));
  EXPECT_TRUE(first.ended());
  known.say("GET / HTTP/1.1\r\nHost: lb\r\nX-Auth-Token: " + kToken + "\r\n\r\n");
  EXPECT_EQ(known.hear()->status, 200);  // who was let in stays
}

TEST(Tcp, LetsNobodyInLate) {
  Limits limits;
  limits.first = milliseconds(200);
  RunningTcp server(scheme_and_size, with({}, token_guard(Token(kToken)), limits));
  Wire silent(server.connect());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(silent.ended());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST(Tcp, RefusesTwoHosts) {
  RunningTcp server(scheme_and_size, with({}));
  Wire wire(server.connect());
  wire.say("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  const auto answer = wire.hear();
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("more than one Host header"));
}

TEST(Tcp, AsksForTheTokenBeforeTheBody) {
  RunningTcp server(scheme_and_size, with({}, token_guard(Token(kToken))));
  Wire none(server.connect());
  // The body never comes: it is not waited for.
  none.say("PUT /v1/x HTTP/1.1\r\nHost: lb\r\nContent-Length: 1000000\r\n\r\n");
  const auto refused = none.hear();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(refused->header("WWW-Authenticate"), "Bearer realm=\"amphora-xdp\"");
  const auto body = nlohmann::json::parse(refused->body);
  EXPECT_EQ(body["error"]["code"], 401);
  EXPECT_EQ(body["faultcode"], "Client");
  EXPECT_TRUE(none.ended());
}

TEST(Tcp, TakesTheTokenInEitherHeader) {
  RunningTcp server(scheme_and_size, with({}, token_guard(Token(kToken))));
  const auto status = [&](const std::string& header) {
    Wire wire(server.connect());
    wire.say("GET / HTTP/1.1\r\nHost: lb\r\n" + header + "\r\n");
    const auto answer = wire.hear();
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status("X-Auth-Token: " + kToken + "\r\n"), 200);
  EXPECT_EQ(status("Authorization: Bearer " + kToken + "\r\n"), 200);
  EXPECT_EQ(status("authorization: bearer " + kToken + "\r\n"), 200);
  EXPECT_EQ(status("Authorization: Basic " + kToken + "\r\n"), 401);
  EXPECT_EQ(status("X-Auth-Token: " + kToken.substr(1) + "\r\n"), 401);
  EXPECT_EQ(status("X-Auth-Token: wrong\r\nAuthorization: Bearer " + kToken + "\r\n"), 401);
}

TEST(Tcp, HasTheLimitsOfTheControlSocket) {
  Limits limits;
  limits.header = milliseconds(200);
  limits.body_bytes = 1000;
  RunningTcp server(scheme_and_size, with({}, {}, limits));
  Wire half(server.connect());
  half.say("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(half.hear()->status, 408);
  EXPECT_TRUE(half.ended());
  Wire large(server.connect());
  EXPECT_EQ(large.ask("POST", "/", std::string(1001, 'x'))->status, 413);
  Wire header(server.connect());
  header.say("GET / HTTP/1.1\r\nHost: lb\r\nX: " + std::string(20000, 'x') + "\r\n\r\n");
  EXPECT_EQ(header.hear()->status, 431);
}

TEST(Tcp, GivesUpOnWhoDoesNotRead) {
  const Handler much = [](Request) -> boost::asio::awaitable<Response> {
    Response response;
    response.body.assign(64 * 1024 * 1024, 'x');
    co_return response;
  };
  Limits limits;
  limits.write = milliseconds(300);
  limits.connections = 1;
  RunningTcp server(much, with({}, {}, limits));
  Wire slow(server.connect());
  slow.say("GET / HTTP/1.1\r\nHost: lb\r\n\r\n");
  for (int tries = 0; tries < 200; ++tries) {
    std::this_thread::sleep_for(milliseconds(20));
    Wire next(server.connect());
    const auto answer = next.ask("HEAD", "/");
    if (answer && answer->status == 200) return;
  }
  FAIL() << "a client that does not read holds its place";
}

TEST(Tcp, TurnsAwayWhatIsTooMuchOf300) {
  RunningTcp server(scheme_and_size, with({}));
  std::vector<std::unique_ptr<Wire>> wires;
  int served = 0, refused = 0;
  for (int i = 0; i < 300; ++i) {
    wires.push_back(std::make_unique<Wire>(server.connect()));
    const auto answer = wires.back()->ask("GET", "/");
    if (answer && answer->status == 200) ++served;
    if (!answer || answer->status == 503) ++refused;
  }
  EXPECT_EQ(served, 256);
  EXPECT_EQ(refused, 44);
  EXPECT_EQ(wires.front()->ask("GET", "/")->status, 200);
}

TEST(TcpListener, SaysWhereItCannotListen) {
  const auto address = *base::IpAddress::parse("127.0.0.1");
  const auto first = listen_tcp({address, 0});
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(listen_tcp({*base::IpAddress::parse("192.0.2.77"), 9876}).error().message(),
              HasSubstr("bind 192.0.2.77:9876"));
  EXPECT_TRUE(listen_tcp({*base::IpAddress::parse("::1"), 0}).ok());
}

TEST(ServerTls, SaysWhichFileIsBad) {
  const Identity identity;
  const std::string other = identity.folder.path("other.pem"), text = identity.folder.path("text");
  const auto pair = certificates::testing::make({.name = "other", .alternate = {}});
  std::ofstream(other) << certificates::testing::encrypted_key_pem(pair, "secret");
  std::ofstream(text) << "no PEM";
  EXPECT_THAT(server_tls("/nonexistent", identity.file).error().message(),
              HasSubstr("certificate /nonexistent"));
  EXPECT_THAT(server_tls(text, text).error().message(), HasSubstr("certificate " + text));
  EXPECT_THAT(server_tls(identity.file, other).error().message(), HasSubstr("key " + other));
  std::ofstream(other) << pair.key_pem();
  EXPECT_THAT(server_tls(identity.file, other).error().message(), HasSubstr("key " + other));
}

}  // namespace
}  // namespace http::testing
