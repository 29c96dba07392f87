// The lines that each feature of a Spec becomes.
#include "haproxy/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/haproxy/specs.h"

namespace haproxy {
namespace {

using haproxy_test::id;
using haproxy_test::ip;
using haproxy_test::Made;
using haproxy_test::pool;
using testing::HasSubstr;
using testing::Not;

auto HasLine(const std::string& line) { return HasSubstr("    " + line + "\n"); }
auto HasSection(const std::string& title) { return HasSubstr("\n" + title + "\n"); }

const std::string kId1 = "00000000-0000-0000-0000-000000000001";
const std::string kId3 = "00000000-0000-0000-0000-000000000003";
const std::string kPool = "00000000-0000-0000-0000-000000000002:" + kId1;

TEST(Render, SaysWhatAListenerNeeds) {
  Made m;
  EXPECT_THAT(m.text(), HasSection("frontend " + kId1));
  EXPECT_THAT(m.text(), HasLine("bind 192.0.2.1:80"));
  EXPECT_THAT(m.text(), HasLine("mode http"));
  EXPECT_THAT(m.text(), HasLine("timeout client 50000"));
  EXPECT_THAT(m.text(), HasLine("default_backend " + kPool));
  EXPECT_THAT(m.text(), HasSection("backend " + kPool));
  EXPECT_THAT(m.text(), HasLine("http-reuse safe"));
  EXPECT_THAT(m.text(), HasLine("balance roundrobin"));
  EXPECT_THAT(m.text(), HasLine("option allbackups"));
  EXPECT_THAT(m.text(), HasLine("timeout connect 5000"));
  EXPECT_THAT(m.text(), HasLine("timeout server 50000"));
  EXPECT_THAT(m.text(), HasLine("server " + kId3 + " 203.0.113.7:8080 weight 1"));
  EXPECT_EQ(m.text(), Made().text());
}

TEST(Render, HealthIsNoPartOfTheText) {
  Made m;
  m.server().health = Health::down;
  EXPECT_EQ(m.text(), Made().text());
  EXPECT_NE(m.spec, Made().spec);
}

TEST(Render, ConnectionsFitTheDescriptors) {
  Made m;
  m.frontend().max_connections = 2000;
  EXPECT_EQ(max_connections(m.spec, 20000), 2000u);
  EXPECT_THAT(m.text(), HasLine("maxconn 2000"));
  EXPECT_THAT(m.text(), HasLine("fullconn 50000"));
  m.frontend().max_connections.reset();
  EXPECT_EQ(max_connections(m.spec, 20000), (20000u - 130) * 2 / 5);
  EXPECT_EQ(max_connections(m.spec, 64), 1u);
}

TEST(Render, NamesUsersAndLogOnlyIfTheyAreThere) {
  Made m;
  EXPECT_THAT(m.text(), Not(HasSubstr("log")));
  m.around.log_socket = "/dev/log";
  m.around.user = m.around.group = "haproxy";
  EXPECT_THAT(m.text(), HasLine("user haproxy"));
  EXPECT_THAT(m.text(), HasLine("log /dev/log local0"));
  EXPECT_THAT(m.text(), HasSubstr("log-format '- 00000000-0000-0000-0000-000000000009 %f %ci"));
}

TEST(Render, EveryRule) {
  struct Row {
    Fetch fetch;
    Match match;
    std::string key, value, line;
  };
  const Row rows[] = {
      {Fetch::host, Match::exact, "", "a.example.com", "req.hdr(host) -i -m str -- a.example.com"},
      {Fetch::path, Match::prefix, "", "/api", "path -m beg -- /api"},
      {Fetch::file_type, Match::exact, "", "jpg", "path_end -- jpg"},
      {Fetch::file_type, Match::regex, "", "jp?g$", "path -m reg -- 'jp?g$'"},
      {Fetch::header, Match::substring, "X-A", "bad bot", "'req.hdr(\"X-A\")' -m sub -- 'bad bot'"},
      {Fetch::cookie, Match::regex, "ver", "^v[12]$", "'req.cook(\"ver\")' -m reg -- '^v[12]$'"},
      {Fetch::client_has_certificate, Match::exact, "", "True", "ssl_c_used"},
      {Fetch::verify_result, Match::exact, "", "0", "ssl_c_verify -m str -- 0"},
      {Fetch::client_dn_field, Match::suffix, "CN", "x", "'ssl_c_s_dn(\"CN\")' -m end -- x"},
  };
  for (const Row& row : rows) {
    Made m;
    Policy policy{id(5), Action::deny, "", 302, {}, {}};
    policy.rules.push_back({id(6), row.fetch, row.match, row.key, row.value, true});
    m.frontend().policies = {policy};
    const std::string rule = id(6).text();
    EXPECT_THAT(m.text(), HasLine("    acl " + rule + " " + row.line));
    EXPECT_THAT(m.text(), HasLine("http-request deny if !" + rule));
  }
}

TEST(Render, EveryAction) {
  Made m;
  const Rule rule{id(6), Fetch::path, Match::exact, "", "/", false};
  m.frontend().policies = {{id(5), Action::use_backend, "", 302, pool(2), {rule}},
                           {id(7), Action::redirect_location, "http://a/%20", 303, {}, {rule}},
                           {id(8), Action::redirect_prefix, "https://b", 301, {}, {rule}}};
  const std::string condition = " if " + id(6).text();
  EXPECT_THAT(m.text(), HasLine("redirect code 303 location 'http://a/%20'" + condition));
  EXPECT_THAT(m.text(), HasLine("redirect code 301 prefix https://b" + condition));
  EXPECT_THAT(m.text(), HasLine("use_backend " + kPool + condition));
}

TEST(Render, Tls) {
  Made m;
  FrontendTls tls;
  tls.certificates = {{"/c/a.pem", "f1"}, {"/c/b.pem", "f2"}};
  tls.client_ca = PemFile{"/c/ca.pem", "f3"};
  tls.client_crl = PemFile{"/c/crl.pem", "f4"};
  tls.authentication = ClientAuthentication::optional;
  tls.options = {"TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256", {"TLSv1.3"}, {"h2"}};
  m.frontend().tls = tls;
  m.frontend().hsts = Hsts{600, true, true};
  EXPECT_THAT(m.text(),
              HasLine("bind 192.0.2.1:80 ssl crt /c/a.pem crt /c/b.pem ca-file /c/ca.pem verify "
                      "optional crl-file /c/crl.pem ciphers ECDHE-RSA-AES128-GCM-SHA256 "
                      "ciphersuites TLS_AES_128_GCM_SHA256 ssl-min-ver TLSv1.3 "
                      "ssl-max-ver TLSv1.3 alpn h2"));
  EXPECT_THAT(m.text(), HasLine("http-response set-header Strict-Transport-Security "
                                "'max-age=600; includeSubDomains; preload;'"));
  EXPECT_THAT(m.text(), HasLine("redirect scheme https if !{ ssl_fc }"));
  const std::string before = m.text();
  m.frontend().tls->certificates[1].fingerprint = "f5";
  EXPECT_NE(m.text(), before);
}

TEST(Render, Persistence) {
  Made m;
  m.backend().persistence = Persistence{Persistence::Kind::source_ip, ""};
  EXPECT_THAT(m.text(), HasLine("stick-table type ipv6 size 10k"));
  EXPECT_THAT(m.text(), HasLine("stick on src"));
  m.backend().persistence = Persistence{Persistence::Kind::app_cookie, "sid"};
  EXPECT_THAT(m.text(), HasLine("stick store-response 'res.cook(\"sid\")'"));
  EXPECT_THAT(m.text(), HasLine("stick match 'req.cook(\"sid\")'"));
  m.backend().persistence = Persistence{Persistence::Kind::http_cookie, ""};
  EXPECT_THAT(m.text(), HasLine("cookie SRV insert indirect nocache"));
  EXPECT_THAT(m.text(), HasSubstr("weight 1 cookie " + kId3 + "\n"));
}

TEST(Render, Checks) {
  Made m;
  Check check;
  check.kind = Check::Kind::https;
  check.method = "HEAD";
  check.path = "/healthz";
  check.version = "1.1";
  check.domain_name = "www.example.com";
  check.expected_status = "200-204,301";
  check.timeout = 3;
  m.backend().check = check;
  m.backend().keeps_state = true;
  m.server().check_address = ip("198.51.100.1");
  m.server().check_port = 9000;
  EXPECT_THAT(m.text(), HasLine("load-server-state-from-file global"));
  EXPECT_THAT(m.text(), HasLine("timeout check 3s"));
  EXPECT_THAT(m.text(), HasLine("http-check send meth HEAD uri /healthz ver HTTP/1.1 hdr Host "
                                "www.example.com"));
  EXPECT_THAT(m.text(), HasLine("http-check expect status 200-204,301"));
  m.backend().check->timeout = 30;
  EXPECT_THAT(m.text(), HasLine("timeout check 5s")) << "until the next check at most";
  EXPECT_THAT(m.text(), HasSubstr(" check check-ssl check-sni www.example.com verify none "
                                  "ssl-min-ver TLSv1.0 ciphers ALL:@SECLEVEL=0 inter 5s fall 3 "
                                  "rise 2 addr 198.51.100.1 port 9000\n"));
}

TEST(Render, AHostIsSentWithHttp11WhateverIsKnown) {
  Made m;
  m.backend().check.emplace().kind = Check::Kind::http;
  m.backend().check->version = "1.1";
  EXPECT_THAT(m.text(), HasSubstr("ver HTTP/1.1 hdr Host '%[bc_dst]:%[bc_dst_port]'\n"));
  m.server().place.address = ip("2001:db8::1");
  EXPECT_THAT(m.text(), HasSubstr("ver HTTP/1.1 hdr Host '[%[bc_dst]]:%[bc_dst_port]'\n"));
  m.backend().check->version = "1.0";
  EXPECT_THAT(m.text(), Not(HasSubstr("hdr Host")));
}

TEST(Render, ChecksAreHttp1WhateverTheTrafficSpeaks) {
  Made m;
  m.backend().check.emplace().kind = Check::Kind::http;
  m.backend().tls.emplace().options.alpn = {"h2", "http/1.1"};
  EXPECT_THAT(m.text(), HasSubstr(" check check-alpn http/1.1 inter "));
  m.backend().tls->options.alpn = {"http/1.1"};
  EXPECT_THAT(m.text(), Not(HasSubstr("check-alpn")));
  m.backend().tls->options.alpn = {"h2"};
  m.backend().check->kind = Check::Kind::tcp;
  EXPECT_THAT(m.text(), Not(HasSubstr("check-alpn")));
}

struct Versions {
  const char* name;
  std::vector<std::string> given;
  const char* words;
};
class TlsVersions : public testing::TestWithParam<Versions> {};

TEST_P(TlsVersions, AreExactlyThose) {
  Made m;
  m.frontend().tls = FrontendTls{};
  m.frontend().tls->certificates = {{"/c/a.pem", "f1"}};
  m.frontend().tls->options = {"AES128-SHA", GetParam().given, {}};
  EXPECT_THAT(m.text(), HasLine("bind 192.0.2.1:80 ssl crt /c/a.pem ciphers " +
                                std::string(GetParam().words)));
}
INSTANTIATE_TEST_SUITE_P(
    Of, TlsVersions,
    testing::Values(Versions{"Default", {}, "AES128-SHA ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3"},
                    Versions{
                        "One", {"TLSv1.2"}, "AES128-SHA ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2"},
                    Versions{"AnOldOne",
                             {"TLSv1.1"},
                             "AES128-SHA:@SECLEVEL=0 ssl-min-ver TLSv1.1 ssl-max-ver TLSv1.1"},
                    Versions{"InAnyOrder",
                             {"TLSv1.2", "TLSv1.1"},
                             "AES128-SHA:@SECLEVEL=0 ssl-min-ver TLSv1.1 ssl-max-ver TLSv1.2"},
                    Versions{"NoneThatWasNotNamed",
                             {"TLSv1", "TLSv1.3"},
                             "AES128-SHA ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3"}),
    [](const auto& versions) { return versions.param.name; });

TEST(Render, ManyCertificatesAreInAList) {
  Made m;
  m.frontend().tls = FrontendTls{};
  m.frontend().tls->certificates = {{"/c/a.pem", "f1"}, {"/c/b.pem", "f2"}};
  m.frontend().tls->list = PemFile{"/c/more.list", "f3"};
  EXPECT_THAT(m.text(), HasSubstr(" ssl crt /c/a.pem crt-list /c/more.list ssl-min-ver"));
}

TEST(Render, AValueInQuotesIsWhatTheyHold) {
  Made m;
  Rule rule{id(5), Fetch::header, Match::exact, "X-Name", "\"foo bar\"", false};
  m.frontend().policies = {{id(6), Action::deny, "", 302, {}, {rule}}};
  EXPECT_THAT(m.text(), HasSubstr(" -m str -- 'foo bar'\n"));
  m.frontend().policies[0].rules[0].value = "a\"b";
  EXPECT_THAT(m.text(), HasSubstr(" -m str -- 'a\"b'\n")) << "no quotes around it";
  m.frontend().policies[0].rules[0].value = "\"a\\b\"";
  EXPECT_THAT(m.text(), HasSubstr(" -m str -- 'a\\b'\n"));
}

TEST(Render, ServersOfEveryKind) {
  Made m;
  m.server().place = {ip("2001:db8::1"), 443};
  m.server().weight = 0;
  m.server().backup = m.server().disabled = true;
  m.backend().proxy = ProxyProtocol::v1;
  EXPECT_THAT(m.text(), HasLine("server " + kId3 +
                                " [2001:db8::1]:443 weight 0 send-proxy backup "
                                "disabled"));
  m.backend().proxy = ProxyProtocol::v2;
  m.backend().forwarded = Forwarded::tls;
  EXPECT_THAT(m.text(), HasSubstr(" send-proxy-v2-ssl-cn "));
  m.backend().tls = BackendTls{};
  EXPECT_THAT(m.text(), HasSubstr(" ssl verify none sni ssl_fc_sni "));
  m.backend().tls->ca = PemFile{"/c/ca.pem", "f"};
  m.backend().tls->crl = PemFile{"/c/crl.pem", "f"};
  EXPECT_THAT(m.text(), HasSubstr(" ca-file /c/ca.pem crl-file /c/crl.pem verify required "));
}

TEST(Render, TimersEndWhereHaproxysDo) {
  Made m;
  m.frontend().client_timeout = 31536000000;
  m.frontend().inspect_delay = 500;
  EXPECT_THAT(m.text(), HasLine("timeout client 2147483647"));
  EXPECT_THAT(m.text(), HasLine("tcp-request inspect-delay 500"));
}

TEST(Render, MetricsComeFromTheAgent) {
  Made m;
  m.frontend().source = Source::metrics;
  m.frontend().default_backend.reset();
  m.spec.backends.clear();
  m.spec.metrics_socket = "/run/x/metrics.sock";
  EXPECT_THAT(m.text(), HasLine("http-request set-query loadbalancer=" + id(9).text()));
  EXPECT_THAT(m.text(), HasLine("default_backend metrics"));
  EXPECT_THAT(m.text(), HasLine("server agent unix@/run/x/metrics.sock"));
}

}  // namespace
}  // namespace haproxy
