// TLS and session persistence: what attributes must be together.
#include "tests/unit/model/house.h"

namespace model {
namespace {

const json kTls{{"protocol", "TERMINATED_HTTPS"},
                {"protocol_port", 443},
                {"default_tls_container_ref", "cert"}};

json tls(const json& more) {
  json body = kTls;
  body.update(more);
  return body;
}

std::string failure(const std::string& why) { return "Validation failure: " + why; }

TEST(ListenerTls, IsWhole) {
  House h;
  const std::string needed = "An SNI or default certificate container reference must be provided ";
  const std::vector<std::pair<json, std::string>> cases{
      {tls({{"default_tls_container_ref", nullptr}}),
       needed + "for TERMINATED_HTTPS protocol listeners."},
      {tls({{"default_tls_container_ref", nullptr}, {"client_ca_tls_container_ref", "ca"}}),
       needed + "with a client CA container reference."},
      {tls({{"client_authentication", "MANDATORY"}}),
       "Client authentication setting MANDATORY requires a client CA container reference."},
      {tls({{"client_crl_container_ref", "crl"}}),
       "A client authentication CA reference is required to specify a client authentication "
       "revocation list."},
      {tls({{"tls_versions", json::array()}}),
       "Empty TLS version list. Either specify at least one TLS version or remove this parameter "
       "to use the default."},
      {tls({{"tls_ciphers", "a b"}}),
       "Invalid characters in cipher string. Only alphanumeric, -, +, !, :, @, =, _, and . are "
       "allowed."},
      {tls({{"hsts_preload", true}}),
       "hsts_max_age must be specified with hsts_include_subdomains or hsts_preload."},
      {{{"protocol", "HTTP"}, {"protocol_port", 81}, {"default_tls_container_ref", "a"}},
       "Certificate container references are not allowed on HTTP protocol listeners."},
      {{{"protocol", "UDP"}, {"protocol_port", 81}, {"default_tls_container_ref", "a"}},
       "UDP protocol listener does not support TLS."},
      {{{"protocol", "TCP"}, {"protocol_port", 81}, {"tls_versions", {"TLSv1.2", "x", "y"}}},
       "Invalid TLS versions: x, y"},
      {{{"protocol", "TCP"}, {"protocol_port", 81}, {"client_authentication", "OPTIONAL"}},
       "Client authentication setting OPTIONAL requires a client CA container reference."},
      {{{"protocol", "UDP"}, {"protocol_port", 81}, {"client_ca_tls_container_ref", "a"}},
       needed + "with a client CA container reference."},
      {{{"protocol", "HTTP"}, {"protocol_port", 81}, {"hsts_max_age", 5}},
       "HSTS is only supported by TERMINATED_HTTPS protocol listeners."}};
  for (const auto& [body, why] : cases)
    EXPECT_THAT(refused(h.make(Kind::listener, body)), IsFault(400, failure(why)));
  accepted(h.make(Kind::listener, tls({{"client_authentication", "OPTIONAL"},
                                       {"client_ca_tls_container_ref", "ca"},
                                       {"client_crl_container_ref", "crl"}})));
  accepted(h.make(
      Kind::listener,
      {{"protocol", "PROMETHEUS"}, {"protocol_port", 443}, {"default_tls_container_ref", "cert"}}));
}

TEST(ListenerTls, OptionsAreKeptWhereNothingIsEncrypted) {
  House h;
  auto made = accepted(h.make(Kind::listener, {{"protocol", "TCP"},
                                               {"protocol_port", 81},
                                               {"tls_ciphers", "AES"},
                                               {"tls_versions", {"TLSv1.2"}},
                                               {"alpn_protocols", {"h2"}}}));
  const json shown = show_one(made.model, Kind::listener, made.id);
  EXPECT_EQ(shown["tls_ciphers"], "AES");
  EXPECT_EQ(shown["tls_versions"], json::array({"TLSv1.2"}));
  EXPECT_EQ(shown["alpn_protocols"], json::array({"h2"}));
  accepted(h.make(Kind::listener,
                  {{"protocol", "TCP"}, {"protocol_port", 81}, {"tls_versions", json::array()}}));
  EXPECT_EQ(refused(h.change(Kind::listener, {{"tls_versions", json::array()}})).status, 400);
  // A change to null is one to the defaults, whatever the protocol.
  made = accepted(h.change(Kind::listener, {{"tls_versions", nullptr}}));
  EXPECT_EQ(show_one(made.model, Kind::listener, made.id)["tls_versions"],
            (json::array({"TLSv1.2", "TLSv1.3"})));
}

TEST(ListenerTls, LosesNoCertificateThatItNeeds) {
  House h;
  auto made = accepted(h.make(Kind::listener, kTls));
  h.model = settled(made.model);
  h.listener = made.id;
  EXPECT_EQ(refused(h.change(Kind::listener, {{"default_tls_container_ref", nullptr}})).status,
            400);
  accepted(h.change(Kind::listener,
                    {{"default_tls_container_ref", nullptr}, {"sni_container_refs", {"a"}}}));
}

TEST(References, AreRefusedWithoutAStore) {
  House h;
  json body = kTls;
  body["loadbalancer_id"] = h.lb.text();
  EXPECT_THAT(
      refused(create(h.model, Kind::listener, Uuid{}, {{"listener", body}}, Context{kNow.now})),
      IsFault(400, "Could not retrieve certificate: ['cert']"));
}

TEST(References, ThatFailAreAllNamed) {
  House h;
  const Fault fault = refused(
      h.make(Kind::listener, tls({{"default_tls_container_ref", "missing"},
                                  {"sni_container_refs", {"missing", "here", "missing"}}})));
  EXPECT_EQ(fault.text, "Could not retrieve certificate: ['missing', 'missing', 'missing']");
  EXPECT_THAT(fault.detail,
              ::testing::HasSubstr("default_tls_container_ref: There is no certificate missing."));
}

TEST(References, AreAskedForWhatTheyAreUsedAs) {
  House h;
  std::map<std::string, CertificateUse> asked;
  Context context = kNow;
  context.check_certificate = [&](const std::string& ref, CertificateUse use) {
    asked[ref] = use;
    return std::optional<std::string>();
  };
  json body = tls({{"loadbalancer_id", h.lb.text()},
                   {"sni_container_refs", {"sni"}},
                   {"client_ca_tls_container_ref", "ca"},
                   {"client_crl_container_ref", "crl"}});
  accepted(create(h.model, Kind::listener, Uuid{}, {{"listener", body}}, context));
  EXPECT_EQ(asked, (std::map<std::string, CertificateUse>{{"cert", CertificateUse::identity},
                                                          {"sni", CertificateUse::identity},
                                                          {"ca", CertificateUse::authorities},
                                                          {"crl", CertificateUse::revocations}}));
}

TEST(References, RevocationsAreOfTheAuthority) {
  House h;
  Context context = kNow;
  context.are_revocations_of = [](const std::string& crl, const std::string& ca) {
    return crl == "crl of " + ca;
  };
  const auto with = [&](const char* crl) {
    const json body = tls({{"loadbalancer_id", h.lb.text()},
                           {"client_ca_tls_container_ref", "ca"},
                           {"client_crl_container_ref", crl}});
    return create(h.model, Kind::listener, Uuid{}, {{"listener", body}}, context);
  };
  const char* const words =
      "Validation failure: The CRL specified is not valid for client certificate authority "
      "reference supplied.";
  accepted(with("crl of ca"));
  EXPECT_THAT(refused(with("crl of another")), IsFault(400, words));
  const auto pool_with = [&](const char* crl) {
    const json body = {{"loadbalancer_id", h.lb.text()}, {"protocol", "HTTP"},
                       {"lb_algorithm", "ROUND_ROBIN"},  {"tls_enabled", true},
                       {"ca_tls_container_ref", "ca"},   {"crl_container_ref", crl}};
    return create(h.model, Kind::pool, Uuid{}, {{"pool", body}}, context);
  };
  accepted(pool_with("crl of ca"));
  EXPECT_THAT(refused(pool_with("crl of another")), IsFault(400, words));
}

TEST(InsertHeaders, AreThoseThatTheListenerCanKnow) {
  House h;
  auto with = [&](const char* protocol, const char* header) {
    json body{
        {"protocol", protocol}, {"protocol_port", 81}, {"insert_headers", {{header, "true"}}}};
    if (protocol == std::string("TERMINATED_HTTPS")) body["default_tls_container_ref"] = "cert";
    return h.make(Kind::listener, body);
  };
  EXPECT_THAT(refused(with("TCP", "X-Forwarded-For")),
              IsFault(400, "insert-headers is not a valid option for a TCP protocol listener."));
  EXPECT_THAT(refused(with("HTTP", "X-Other")),
              IsFault(400, "dict_keys(['X-Other']) is not a valid option for insert_headers"));
  EXPECT_THAT(refused(with("HTTP", "X-SSL-Issuer")),
              IsFault(400, "['X-SSL-Issuer'] is not a valid option for HTTP protocol listener."));
  accepted(with("HTTP", "X-Forwarded-Proto"));
  accepted(with("TERMINATED_HTTPS", "X-SSL-Client-CN"));
}

TEST(PoolTls, IsWhole) {
  House h;
  EXPECT_THAT(refused(h.change(Kind::pool, {{"crl_container_ref", "crl"}})),
              IsFault(400, failure("A CA reference is required to specify a certificate revocation "
                                   "list.")));
  EXPECT_THAT(refused(h.make(Kind::pool, {{"protocol", "TCP"},
                                          {"lb_algorithm", "ROUND_ROBIN"},
                                          {"crl_container_ref", "crl"}})),
              IsFault(400, failure("A CA certificate reference is required to specify a revocation "
                                   "list.")));
  EXPECT_THAT(refused(h.make(
                  Kind::pool,
                  {{"protocol", "UDP"}, {"lb_algorithm", "ROUND_ROBIN"}, {"tls_enabled", true}})),
              IsFault(400, failure("tls_enabled is not allowed on UDP protocol pools.")));
}

// A change that does not say the type.
TEST(Persistence, KeepsItsType) {
  House h;
  const auto change = [&](const json& persistence) {
    return h.change(Kind::pool, {{"session_persistence", persistence}});
  };
  EXPECT_THAT(refused(change({{"cookie_name", "a"}})),
              IsFault(400, failure("Invalid session_persistence provided.")));
  EXPECT_THAT(refused(change({{"persistence_timeout", 4}})),
              IsFault(400, failure("persistence_timeout and persistence_granularity is only for "
                                   "UDP protocol pools.")));
  h.model.pools.at(h.pool).protocol = PoolProtocol::http;
  h.model.listeners.clear();
  h.model = settled(accepted(change({{"type", "APP_COOKIE"}, {"cookie_name", "a"}})).model);
  const auto renamed = accepted(change({{"cookie_name", "b"}}));
  const SessionPersistence& now = *renamed.model.pools.at(h.pool).session_persistence;
  EXPECT_EQ(now.type, PersistenceType::app_cookie);
  EXPECT_EQ(now.cookie_name, "b");
  EXPECT_EQ(refused(change(json::object())).status, 400);  // no name is left
}

Outcome<Edited> persist(const char* protocol, const json& persistence) {
  return House().make(Kind::pool, {{"protocol", protocol},
                                   {"lb_algorithm", "ROUND_ROBIN"},
                                   {"session_persistence", persistence}});
}

TEST(Persistence, FitsThePool) {
  const std::string named =
      "Field \"cookie_name\" must be specified when using the \"APP_COOKIE\" session persistence "
      "type.";
  const std::string only =
      "Field \"cookie_name\" can only be specified with session persistence of type "
      "\"APP_COOKIE\".";
  const std::string timing =
      "persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.";
  struct Case {
    const char* protocol;
    json persistence;
    std::string why;
  };
  const std::vector<Case> cases{
      {"HTTP", {{"type", "APP_COOKIE"}}, named},
      {"HTTP", {{"type", "HTTP_COOKIE"}, {"cookie_name", "a"}}, only},
      {"HTTP",
       {{"type", "APP_COOKIE"}, {"cookie_name", "a@b"}},
       "Supplied \"cookie_name\" is invalid."},
      {"HTTP",
       {{"type", "APP_COOKIE"}, {"cookie_name", "a\x01"}},
       "Supplied \"cookie_name\" is invalid."},
      {"HTTP", {{"type", "SOURCE_IP"}, {"persistence_timeout", 5}}, timing},
      {"HTTP", {{"type", "SOURCE_IP"}, {"persistence_granularity", "255.0.0.0"}}, timing},
      {"UDP",
       {{"type", "HTTP_COOKIE"}},
       "Session persistence of type HTTP_COOKIE is not supported for UDP/SCTP protocol pools."},
      {"SCTP",
       {{"type", "SOURCE_IP"}, {"cookie_name", "a"}},
       "session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, "
       "persistence_timeout, persistence_granularity."},
      {"SCTP",
       {{"type", "APP_COOKIE"}, {"cookie_name", "a"}},
       "Cookie names are not supported for UDP/SCTP pools."},
      {"TCP",
       {{"type", "HTTP_COOKIE"}},
       "Session persistence of type HTTP_COOKIE is not supported for TCP protocol pools."}};
  for (const Case& c : cases)
    EXPECT_THAT(refused(persist(c.protocol, c.persistence)), IsFault(400, failure(c.why)));
  accepted(persist("HTTP", {{"type", "APP_COOKIE"}, {"cookie_name", "JSESSIONID"}}));
  accepted(persist("PROXY", {{"type", "HTTP_COOKIE"}}));
  for (const char* mask : {"255.255.255.0", "255.255.255.255", "ffff:ffff:ffff:ffff::", "64"})
    accepted(persist(
        "UDP",
        {{"type", "SOURCE_IP"}, {"persistence_timeout", 33}, {"persistence_granularity", mask}}));
  for (const char* mask : {"255.0.255.0", "0.0.0.0", "129", "0", "x"})
    EXPECT_EQ(
        refused(persist("UDP", {{"type", "SOURCE_IP"}, {"persistence_granularity", mask}})).status,
        400)
        << mask;
}

TEST(Persistence, IsReplacedAndRemovedAsAWhole) {
  House h;
  auto e = accepted(h.change(Kind::pool, {{"session_persistence", {{"type", "SOURCE_IP"}}}}));
  EXPECT_EQ(e.model.pools.at(h.pool).session_persistence->type, PersistenceType::source_ip);
  h.model = settled(e.model);
  e = accepted(h.change(Kind::pool, {{"session_persistence", nullptr}}));
  EXPECT_EQ(e.model.pools.at(h.pool).session_persistence, std::nullopt);
}

}  // namespace
}  // namespace model
