// What one feature of the Spec makes the real HAProxy do.
#include <thread>

#include "tests/net/haproxy/lab.h"

namespace haproxy_test {
namespace {

using haproxy::Action;
using haproxy::Fetch;
using haproxy::Match;
using testing::HasSubstr;

class Features : public Lab {
 protected:
  static haproxy::Policy policy(Action action, haproxy::Rule rule) {
    haproxy::Policy policy;
    policy.id = id(60);
    policy.action = action;
    rule.id = id(61);
    policy.rules.push_back(std::move(rule));
    return policy;
  }
  // A CA, and what it signs: "<name>.pem" holds certificate and key.
  void certificates(const std::vector<std::string>& names) {
    const std::string in = "cd " + path("") + "; ";
    sh(in +
       "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key "
       "-out ca.pem -days 2 -subj /CN=authority");
    for (const std::string& name : names)
      sh(in +
         "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out r "
         "-subj /CN=" +
         name + "; echo subjectAltName=DNS:" + name +
         " > x;"
         "openssl x509 -req -in r -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
         "-extfile x -out c; cat c k > " +
         name + ".pem; rm c k r x");
  }
  haproxy::PemFile pem(const std::string& name) { return {path(name + ".pem"), name}; }
  haproxy::Spec https() {
    haproxy::Spec spec = http(1);
    frontend(spec).binds[0].port = 443;
    backend(spec).forwarded = haproxy::Forwarded::tls;
    haproxy::FrontendTls tls;
    tls.certificates = {pem("a.example.com"), pem("b.example.com")};
    frontend(spec).tls = tls;
    url_ = "https://a.example.com";
    return spec;
  }
  std::string trusting(const std::string& name = "a.example.com") {
    return "--cacert " + path("ca.pem") + " --resolve " + name + ":443:" + kVip;
  }
};

TEST_F(Features, PoliciesDenyRedirectAndChoose) {
  member(1);
  member(2);
  haproxy::Spec spec = http(1);
  frontend(spec).policies = {policy(Action::deny, {{}, Fetch::path, Match::prefix, "", "/no"})};
  apply(spec);
  EXPECT_EQ(status("/no/way"), "403");
  EXPECT_EQ(status("/yes"), "200");

  frontend(spec).policies = {
      policy(Action::redirect_location, {{}, Fetch::host, Match::exact, "", "old.example.com"})};
  frontend(spec).policies[0].target = "http://new.example.com/%20?a=%[src]";
  frontend(spec).policies[0].code = 307;
  apply(spec);
  EXPECT_EQ(status("/", "-H 'Host: OLD.example.com'"), "307");
  EXPECT_THAT(sh("curl -sgi -H 'Host: old.example.com' " + url_),
              HasSubstr("location: http://new.example.com/%20?a=%[src]\r\n"));

  frontend(spec).policies = {
      policy(Action::redirect_prefix, {{}, Fetch::file_type, Match::exact, "", "jpg"})};
  frontend(spec).policies[0].target = "https://img.example.com";
  apply(spec);
  EXPECT_THAT(sh("curl -sgi " + url_ + "/a/b.jpg"),
              HasSubstr("location: https://img.example.com/a/b.jpg\r\n"));

  haproxy::Backend other = backend(spec);
  other.id = {id(3), id(1)};
  other.servers = {server(2)};
  spec.backends[other.id] = other;
  haproxy::Rule rule{{}, Fetch::header, Match::regex, "X-Version", "^v[2-9]$"};
  rule.invert = true;
  frontend(spec).policies = {policy(Action::use_backend, rule)};
  frontend(spec).policies[0].backend = other.id;
  apply(spec);
  EXPECT_EQ(get("/", "-H 'X-Version: v1'")["member"], "m2");
  EXPECT_EQ(get("/", "-H 'X-Version: v2'")["member"], "m1");
}

TEST_F(Features, HeadersAreInserted) {
  member(1);
  haproxy::Spec spec = http(1);
  backend(spec).insert_headers = {"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"};
  apply(spec);
  const auto headers = get()["headers"];
  EXPECT_EQ(headers["x-forwarded-for"], kVip);
  EXPECT_EQ(headers["x-forwarded-port"], "80");
  EXPECT_EQ(headers["x-forwarded-proto"], "http");
}

TEST_F(Features, CookiesAndAddressesStick) {
  member(1);
  member(2);
  haproxy::Spec spec = http(2);
  backend(spec).persistence = haproxy::Persistence{haproxy::Persistence::Kind::http_cookie, ""};
  apply(spec);
  const std::string jar = path("jar");
  const auto first = get("/", "-c " + jar)["member"];
  for (int i = 0; i < 6; i++) EXPECT_EQ(get("/", "-b " + jar)["member"], first);

  backend(spec).persistence = haproxy::Persistence{haproxy::Persistence::Kind::app_cookie, "sid"};
  apply(spec);
  const auto owner = get("/set-cookie/sid/abc")["member"];
  for (int i = 0; i < 6; i++) EXPECT_EQ(get("/", "-b sid=abc")["member"], owner);
  // The table survives reloads that follow each other closely, and servers that change places.
  for (int weight = 3; weight <= 5; weight++) {
    backend(spec).servers[0].weight = weight;
    std::swap(backend(spec).servers[0], backend(spec).servers[1]);
    apply(spec);
  }
  for (int i = 0; i < 6; i++) EXPECT_EQ(get("/", "-b sid=abc")["member"], owner);

  backend(spec).persistence = haproxy::Persistence{haproxy::Persistence::Kind::source_ip, ""};
  apply(spec);
  EXPECT_EQ(answering(8).size(), 1u);
}

TEST_F(Features, TlsIsTerminatedBySniWithHsts) {
  member(1);
  certificates({"a.example.com", "b.example.com"});
  haproxy::Spec spec = https();
  frontend(spec).hsts = haproxy::Hsts{600, true, false};
  frontend(spec).tls->options.alpn = {"h2", "http/1.1"};
  backend(spec).insert_headers = {"X-Forwarded-Proto"};
  apply(spec);
  EXPECT_EQ(get("/", trusting())["headers"]["x-forwarded-proto"], "https");
  EXPECT_THAT(sh("curl -sgi " + trusting() + " " + url_),
              HasSubstr("strict-transport-security: max-age=600; includeSubDomains;\r\n"));
  url_ = "https://b.example.com";
  EXPECT_EQ(status("/", trusting("b.example.com")), "200");
  frontend(spec).tls->options = {
      "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384", {"TLSv1.2"}, {}};
  apply(spec);
  EXPECT_EQ(status("/", trusting("b.example.com") + " --tlsv1.3"), "000");
  EXPECT_EQ(status("/", trusting("b.example.com") + " --tls-max 1.2"), "200");
}

TEST_F(Features, ClientsShowCertificates) {
  member(1);
  certificates({"a.example.com", "b.example.com", "client"});
  haproxy::Spec spec = https();
  frontend(spec).tls->client_ca = haproxy::PemFile{path("ca.pem"), "ca"};
  frontend(spec).tls->authentication = haproxy::ClientAuthentication::mandatory;
  backend(spec).insert_headers = {"X-SSL-Client-CN", "X-SSL-Client-Has-Cert", "X-SSL-Client-Verify",
                                  "X-SSL-Issuer"};
  apply(spec);
  EXPECT_EQ(status("/", trusting()), "000");
  const std::string shown = trusting() + " --cert " + path("client.pem");
  const auto headers = get("/", shown)["headers"];
  EXPECT_EQ(headers["x-ssl-client-cn"], "client");
  EXPECT_EQ(headers["x-ssl-client-has-cert"], "1");
  EXPECT_EQ(headers["x-ssl-issuer"], "/CN=authority");
  frontend(spec).tls->authentication = haproxy::ClientAuthentication::optional;
  frontend(spec).policies = {
      policy(Action::deny, {{}, Fetch::client_dn_field, Match::exact, "CN", "client"})};
  apply(spec);
  EXPECT_EQ(status("/", trusting()), "200");
  EXPECT_EQ(status("/", shown), "403");
}

TEST_F(Features, MembersAreReachedOverTlsAndBelievedByTheCa) {
  certificates({"member", "client", "a.example.com", "b.example.com"});
  member(1, {"--tls", path("member.pem"), "--tls-client-ca", path("ca.pem")});
  haproxy::Spec spec = http(1);
  haproxy::BackendTls tls;
  tls.certificate = pem("client");
  tls.ca = haproxy::PemFile{path("ca.pem"), "ca"};
  backend(spec).tls = tls;
  apply(spec);
  EXPECT_EQ(get()["member"], "m1");
  backend(spec).tls->ca = pem("b.example.com");  // not who signed it
  apply(spec);
  EXPECT_EQ(status("/"), "503");
}

TEST_F(Features, ProxyProtocolTellsTheClient) {
  for (const auto& [version, number, head] :
       {std::tuple{haproxy::ProxyProtocol::v1, 1, "PROXY TCP4 "},
        std::tuple{haproxy::ProxyProtocol::v2, 2, "PROXYV2 "}}) {
    member(number, {"--proxy", number == 1 ? "v1" : "v2"});
    haproxy::Spec spec = http(1);
    backend(spec).servers = {server(number)};
    backend(spec).proxy = version;
    apply(spec);
    EXPECT_THAT(get()["proxy"], testing::StartsWith(std::string(head) + kVip + " " + kVip));
  }
}

TEST_F(Features, NobodyToAskIs503OrTheEndOfTheConnection) {
  haproxy::Spec spec = http(0);
  apply(spec);
  EXPECT_EQ(status("/"), "503");
  spec.backends.clear();
  frontend(spec).default_backend.reset();
  apply(spec);
  EXPECT_EQ(status("/"), "503");
  frontend(spec).mode = haproxy::Mode::tcp;
  apply(spec);
  EXPECT_EQ(try_sh(std::string("bash -c 'exec 3<>/dev/tcp/") + kVip +
                   "/80 && timeout 3 cat <&3 && echo closed'"),
            "closed\n");
}

TEST_F(Features, BackupsServeWhenNobodyElseCan) {
  member(2);
  haproxy::Spec spec = http(2);
  backend(spec).servers[0].health = haproxy::Health::up;
  backend(spec).servers[1].backup = true;
  member(1);
  apply(spec);
  EXPECT_EQ(answering(), (std::set<std::string>{"m1"}));
  backend(spec).servers[0].health = haproxy::Health::down;
  apply(spec);
  EXPECT_EQ(answering(), (std::set<std::string>{"m2"}));
}

TEST_F(Features, FamiliesMix) {
  member(1);
  haproxy::Spec spec = http(1);
  frontend(spec).mode = backend(spec).mode = haproxy::Mode::tcp;
  frontend(spec).binds = {{ip("2001:db8:100::10"), 80}};
  apply(spec);
  url_ = "http://[2001:db8:100::10]";
  EXPECT_EQ(get()["member"], "m1");
}

TEST_F(Features, ChecksAskAsOctaviaDoes) {
  member(1);
  member(2);
  haproxy::Spec spec = http(2);
  haproxy::Check check;
  check.kind = haproxy::Check::Kind::http;
  check.interval = check.timeout = check.rise = check.fall = 1;
  check.method = "GET";
  check.path = "/status/204";
  check.version = "1.1";
  check.domain_name = "www.example.com";
  check.expected_status = "200,202-204";
  backend(spec).check = check;
  backend(spec).servers[1].check_port = 9;  // nobody there
  apply(spec);
  EXPECT_TRUE(until([&] { return answering() == std::set<std::string>{"m1"}; }));
  backend(spec).check->path = "/status/503";
  apply(spec);
  EXPECT_TRUE(until([&] { return status("/") == "503"; }));
  const auto stats = process().stats();
  EXPECT_THAT(stats->back().backends.at({id(2), id(1)}).servers.at(id(101)).reason,
              testing::AllOf(HasSubstr("L7STS"), HasSubstr("503")));
}

TEST_F(Features, MetricsAreTheAgents) {
  Child agent(
      {"python3", TEST_DIR "/member.py", "--unix", path("metrics.sock"), "--name", "agent"});
  haproxy::Spec spec;
  haproxy::Frontend frontend;
  frontend.listener = id(1);
  frontend.load_balancer = id(9);
  frontend.source = haproxy::Source::metrics;
  frontend.binds = {{ip(kVip), 80}};
  spec.frontends[id(1)] = frontend;
  spec.metrics_socket = path("metrics.sock");
  apply(spec);
  EXPECT_TRUE(until([&] { return status("/metrics") == "200"; }));
  EXPECT_EQ(get("/metrics")["member"], "agent");
  const std::string own = "/metrics?loadbalancer=" + id(9).text();
  EXPECT_EQ(get("/metrics?loadbalancer=" + id(8).text())["path"], own) << "nobody else's";
  EXPECT_EQ(get("/metrics")["path"], own);
  EXPECT_EQ(status("/v1/status"), "404");
  EXPECT_EQ(status("/metrics", "-X POST"), "404");
}

}  // namespace
}  // namespace haproxy_test
