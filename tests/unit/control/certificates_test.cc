// /v1/certificates
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>

#include "agent/model/edit/certificate_references.h"
#include "tests/unit/certificates/maker.h"
#include "tests/unit/control/fakes.h"

namespace control::testing {
namespace {

using certificates::testing::kDay;
using certificates::testing::make;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kPath = "/v1/certificates";

// A listener that refers to it. Whether it may is the model's business.
void refer(FakeAgent& fake, const std::string& reference) {
  fake.make("/v2.0/lbaas/loadbalancers", web());
  const reconcile::Edit edit = [&](const model::Model& m, const model::Context&) {
    model::Model next = m;
    next.listeners.begin()->second.default_tls_container_ref = reference;
    return model::Outcome<model::Edited>(model::Edited{next, next.listeners.begin()->first});
  };
  boost::asio::io_context loop;
  boost::asio::co_spawn(
      loop, [&]() -> boost::asio::awaitable<void> { (void)co_await fake.changes.change(edit); },
      boost::asio::detached);
  loop.run();
}

TEST(CertificatesApi, TakeABundleThroughItsLife) {
  FakeAgent agent;
  EXPECT_TRUE(agent.get(kPath)["certificates"].empty());
  const auto web = make({.name = "www.example.com", .alternate = "DNS:www.example.com"});
  const std::string bundle = web.certificate_pem() + web.key_pem();
  const auto created = agent.ask("PUT", kPath + "/web.pem", bundle);
  EXPECT_EQ(created->status, 201);
  const json made = parsed(created)["certificate"];
  EXPECT_EQ(made["name"], "web.pem");
  EXPECT_EQ(made["kind"], "identity");
  EXPECT_EQ(made["subject"], "CN=www.example.com");
  EXPECT_EQ(made["subject_alternative_names"], json::array({"DNS:www.example.com"}));
  EXPECT_EQ(made["not_after"], "2026-12-22T12:00:00Z");
  EXPECT_TRUE(made["used_by"].empty());
  EXPECT_EQ(agent.ask("PUT", kPath + "/web.pem", bundle)->status, 200);
  EXPECT_EQ(agent.get(kPath + "/web.pem")["certificate"], made);
  EXPECT_EQ(agent.get(kPath)["certificates"], json::array({made}));
  EXPECT_THAT(agent.get(kPath).dump(), Not(HasSubstr("PRIVATE")));
  EXPECT_EQ(agent.ask("DELETE", kPath + "/web.pem")->status, 204);
  EXPECT_EQ(agent.ask("DELETE", kPath + "/web.pem")->status, 404);
  agent.get(kPath + "/web.pem", 404);
}

TEST(CertificatesApi, TakesPkcs12) {
  FakeAgent agent;
  const auto web = make({.name = "web", .alternate = {}});
  const std::string bytes = certificates::testing::pkcs12(web, "web", nullptr, "");
  ASSERT_NE(bytes.find('\0'), std::string::npos);
  EXPECT_EQ(agent.ask("PUT", kPath + "/web.p12", bytes)->status, 201);
}

TEST(CertificatesApi, RefusesByName) {
  FakeAgent agent;
  const auto old = make({.name = "old",
                         .alternate = {},
                         .from = certificates::testing::noon() - 3 * kDay,
                         .to = certificates::testing::noon() - kDay});
  const auto other = make({.name = "other", .alternate = {}});
  const auto fault = [&](const std::string& name, const std::string& bytes) {
    const auto answer = agent.ask("PUT", kPath + "/" + name, bytes);
    EXPECT_EQ(answer->status, 400);
    return parsed(answer)["faultstring"].get<std::string>();
  };
  EXPECT_THAT(fault("old.pem", old.certificate_pem() + old.key_pem()),
              HasSubstr("Certificate old.pem cannot be used: it expired on"));
  EXPECT_THAT(fault("x.pem", old.certificate_pem() + other.key_pem()),
              HasSubstr("Certificate x.pem cannot be used: its private key does not match"));
  EXPECT_THAT(fault("x.pem", "nothing"), HasSubstr("neither PEM nor PKCS#12"));
  EXPECT_THAT(fault("x.pem", ""), HasSubstr("neither PEM nor PKCS#12"));
  EXPECT_THAT(fault("..%2Fx", other.certificate_pem() + other.key_pem()), HasSubstr("not a name"));
  EXPECT_TRUE(agent.get(kPath)["certificates"].empty());
}

TEST(CertificatesApi, KeepsWhatIsInUse) {
  FakeAgent agent;
  const auto web = make({.name = "web", .alternate = {}});
  const auto ca = make({.name = "ca", .alternate = {}, .authority = true});
  const std::string bundle = web.certificate_pem() + web.key_pem();
  EXPECT_EQ(agent.ask("PUT", kPath + "/web.pem", bundle)->status, 201);
  refer(agent, "https://192.0.2.5/v1/containers/web.pem");
  const auto references = model::certificate_references(agent.changes.model());
  ASSERT_EQ(references.size(), 1u);
  EXPECT_EQ(references[0].text, "https://192.0.2.5/v1/containers/web.pem");
  const json used = agent.get(kPath + "/web.pem")["certificate"]["used_by"];
  ASSERT_EQ(used.size(), 1u);
  EXPECT_EQ(used[0]["type"], "listener");
  EXPECT_EQ(used[0]["field"], "default_tls_container_ref");
  const auto kept = agent.ask("DELETE", kPath + "/web.pem");
  EXPECT_EQ(kept->status, 409);
  EXPECT_THAT(kept->body, HasSubstr(used[0]["id"].get<std::string>()));
  EXPECT_EQ(agent.ask("PUT", kPath + "/web.pem", ca.certificate_pem())->status, 409);
  EXPECT_EQ(agent.ask("PUT", kPath + "/web.pem", bundle)->status, 200);
}

TEST(CertificatesApi, SaysThatTheDiskIsFull) {
  FakeAgent agent;
  agent.certificates.disk_fault = base::Error{ENOSPC, "write web.pem"};
  const auto web = make({.name = "web", .alternate = {}});
  const auto answer = agent.ask("PUT", kPath + "/web.pem", web.certificate_pem() + web.key_pem());
  EXPECT_EQ(answer->status, 500);
  EXPECT_THAT(answer->body, HasSubstr("No space left on device"));
  EXPECT_TRUE(agent.get(kPath)["certificates"].empty());
}

}  // namespace
}  // namespace control::testing
