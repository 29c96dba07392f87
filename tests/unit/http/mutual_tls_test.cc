// TLS in which both sides show certificates: who is let in, and what a new certificate changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "agent/http/response.h"
#include "agent/http/tls.h"
#include "tests/unit/http/tls_client.h"

namespace http::testing {
namespace {

using ::testing::HasSubstr;

boost::asio::awaitable<Response> size_of(Request request) {
  co_return json_response(200, request.body.size());
}

class MutualTls : public ::testing::Test {
 protected:
  TlsContext context(const std::string& name) const {
    auto made = mutual_tls(Authorities::pem_of(all.signed_for(name, all.ca)), all.ca_file);
    if (!made.ok()) throw std::runtime_error(made.error().message());
    return *made;
  }
  TcpOptions options() const {
    TcpOptions out;
    out.tls = context("amphora");
    out.words = [](int status, const std::string& text) {
      return json_response(status, {{"said", text}});
    };
    return out;
  }
  // Let in, and answered.
  bool served(const certificates::testing::Pair* shown, int version = TLS1_2_VERSION) const {
    TlsClient wire(server.connect(), shown, version);
    return wire.handshake() && wire.ask("GET", "/").status == 200;
  }

  Authorities all;
  certificates::testing::Pair controller = all.signed_for("controller", all.ca);
  RunningTcp server{size_of, options()};
};

TEST_F(MutualTls, ServesWhoShowsACertificateOfTheAuthority) {
  EXPECT_TRUE(served(&controller, TLS1_2_VERSION));
  EXPECT_TRUE(served(&controller, TLS1_3_VERSION));
}

TEST_F(MutualTls, RefusesEverybodyElse) {
  const auto other = all.signed_for("controller", all.stranger);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_FALSE(served(nullptr, version));
    EXPECT_FALSE(served(&other, version));
  }
  EXPECT_FALSE(served(&controller, TLS1_1_VERSION));
  Wire plain(server.connect());
  plain.say("GET / HTTP/1.1\r\nHost: lb\r\n\r\n");
  EXPECT_TRUE(plain.ended());
  EXPECT_TRUE(served(&controller));
}

TEST_F(MutualTls, ServesManyThatStayConnected) {
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TlsClient>(server.connect(), &controller));
    ASSERT_TRUE(clients.back()->handshake());
  }
  for (int round = 0; round < 3; ++round)
    for (const auto& one : clients)
      EXPECT_EQ(one->ask("PUT", "/", std::string(20000, 'x')).body, "20000");
}

TEST_F(MutualTls, ANewCertificateCountsFromTheNextHandshake) {
  TlsClient before(server.connect(), &controller);
  ASSERT_TRUE(before.handshake());
  EXPECT_EQ(before.peer_name(), "amphora");
  server.show(context("renewed"));
  TlsClient after(server.connect(), &controller);
  ASSERT_TRUE(after.handshake());
  EXPECT_EQ(after.peer_name(), "renewed");
  EXPECT_EQ(before.ask("PUT", "/", "abc").body, "3");  // and lives on
  EXPECT_EQ(after.ask("PUT", "/", "abc").body, "3");
}

TEST_F(MutualTls, TheDoorWordsWhatTheServerRefuses) {
  TlsClient broken(server.connect(), &controller);
  ASSERT_TRUE(broken.handshake());
  const Answer answer = broken.ask("GET", "/", "", "Expect: wonders\r\n");
  EXPECT_EQ(answer.status, 417);
  EXPECT_THAT(answer.body, HasSubstr(R"({"said":)"));
}

TEST_F(MutualTls, SaysWhatIsWrongWithAPem) {
  const auto pair = all.signed_for("amphora", all.ca), other = all.signed_for("b", all.ca);
  const auto refusal = [&](const std::string& pem, const std::string& ca) {
    const auto made = mutual_tls(pem, ca);
    return made.ok() ? "" : made.error().message();
  };
  EXPECT_EQ(refusal(pair.key_pem() + pair.certificate_pem(), all.ca_file), "");
  EXPECT_THAT(refusal("", all.ca_file), HasSubstr("certificate: "));
  EXPECT_THAT(refusal(pair.certificate_pem(), all.ca_file), HasSubstr("key: "));
  EXPECT_THAT(refusal(pair.certificate_pem() + other.key_pem(), all.ca_file), HasSubstr("key"));
  EXPECT_THAT(refusal(Authorities::pem_of(pair), "/nonexistent"), HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace http::testing
