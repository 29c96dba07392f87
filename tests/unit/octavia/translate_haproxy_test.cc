// One change to a text of Octavia's: what becomes of its first listener, and why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "haproxy/document.h"
#include "tests/unit/octavia/written.h"

namespace {

using octavia_test::haproxy_upload;
using octavia_test::listener_id;
using octavia_test::member_id;
using octavia_test::pool_id;
using octavia_test::replaced;
using octavia_test::sample;
using octavia_test::translated;
using octavia_test::uuid;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kPlain = "haproxy/01-tcp-rr-nohm.cfg";
const std::string kChecked = "haproxy/04-tcp-rr-hm-http-sourceip-persist-backup-drain-disabled.cfg";
const std::string kMany = "haproxy/15-multi-listener-active-standby.cfg";
const std::string kShared = "haproxy/16-shared-pool-two-listeners.cfg";

// "XDP", "HAProxy: <reason>", "refused: <error>" or "none".
std::string place_of(const std::string& text, int listener = 1) {
  const auto model = translated(haproxy_upload(text));
  if (!model) return "refused: " + model.error().what;
  const auto& left = model->amphora->left_to_haproxy;
  const auto reason = left.find(listener_id(listener));
  if (reason != left.end()) return "HAProxy: " + reason->second;
  return model->listeners.contains(listener_id(listener)) ? "XDP" : "none";
}

model::Model model_of(const std::string& text) {
  const auto model = translated(haproxy_upload(text));
  EXPECT_TRUE(model.ok()) << model.error().what;
  return model.ok() ? *model : model::Model{};
}

struct Change {
  std::string what, with, place;
};

void expect_changes(const std::string& name, const std::vector<Change>& changes) {
  const std::string text = sample(name);
  for (const Change& change : changes)
    EXPECT_THAT(place_of(replaced(text, change.what, change.with)), StartsWith(change.place))
        << change.what << " -> " << change.with;
}

TEST(TranslateHaproxy, LinesOfTheFrontend) {
  expect_changes(
      kPlain,
      {{"mode tcp", "mode tcp # a comment", "XDP"},
       {"    mode tcp\n", "mode\ttcp\n", "XDP"},
       {"mode tcp", "mode http", "HAProxy: protocol HTTP"},
       {"mode tcp", "mode health", "HAProxy: line 25 is not understood: mode health"},
       {"mode tcp", "mode \"$MODE\"", "HAProxy: line 25 is not understood: mode $MODE"},
       {"mode tcp", "mode tcp\n    mode tcp", "HAProxy: line 26 is not understood: mode tcp"},
       {"    mode tcp\n", "", "HAProxy: there is no line mode"},
       {"    maxconn 50000\n    bind", "    bind", "HAProxy: there is no line maxconn"},
       {"    timeout client 50000\n", "", "HAProxy: there is no line timeout client"},
       {"    bind 203.0.113.10:80\n", "", "HAProxy: there is no bind line"},
       {"10:80\n", "10:80 tfo\n", "HAProxy: line 24 is not understood: bind 203.0.113.10:80 tfo"},
       {"10:80\n", "10:80 ssl crt-list /x\n", "HAProxy: line 24 is not understood"},
       {"10:80\n", "10:80-90\n", "HAProxy: line 24 is not understood"},
       {"10:80\n", "10:0\n", "HAProxy: line 24 is not understood"},
       {"bind 203.0.113.10:80", "bind *:80", "HAProxy: line 24 is not understood: bind *:80"},
       {"bind 203.0.113.10:80", "bind 0.0.0.0:80", "HAProxy: line 24 is not understood"},
       {"bind 203.0.113.10:80", "bind :::80", "HAProxy: line 24 is not understood"},
       {"bind 203.0.113.10:80", "bind /run/x.sock", "HAProxy: line 24 is not understood"},
       {"10:80\n", "10:80\n    bind 203.0.113.11:81\n", "HAProxy: line 25 is not understood"},
       {"10:80\n", "10:80\n    bind 203.0.113.10:80\n", "HAProxy: its binds are not the VIPs"},
       {"    timeout client", "    option tcplog\n    timeout client",
        "HAProxy: line 27 is not understood: option tcplog"},
       {"    timeout client", "    acl a src 192.0.2.0/24\n    timeout client",
        "HAProxy: line 27 is not understood: acl a src 192.0.2.0/24"},
       {"    timeout client", "    tcp-request connection reject\n    timeout client",
        "HAProxy: line 27 is not understood: tcp-request connection reject"},
       {"timeout client 50000", "timeout client 50s", "HAProxy: line 27 is not understood"},
       {"timeout client 50000", "timeout client 2147483648", "HAProxy: line 27 is not understood"},
       {"timeout client 50000", "timeout client 2147483647", "XDP"},
       {"timeout client 50000", "timeout client -1", "HAProxy: line 27 is not understood"},
       {"maxconn 50000\n    bind", "maxconn 0\n    bind", "HAProxy: line 23 is not understood"},
       {"log-format ", "log-format %ci\\ ", "XDP"},
       {"log-format ", "log-format a b", "HAProxy: line 28 is not understood"},
       {"frontend 11111111-0000-4000-8000-000000000001",
        "frontend 11111111-0000-4000-8000-000000000001 from other",
        "HAProxy: line 22 is not understood: frontend"},
       {"frontend 11111111-0000-4000-8000-000000000001", "frontend web", "none"},
       {"frontend 11111111-0000-4000-8000-000000000001",
        "frontend 11111111000040008000000000000001", "none"},
       {"default_backend 22222222-0000-4000-8000-000000000001", "default_backend x",
        "HAProxy: line 26 is not understood: default_backend x"},
       {":11111111-0000-4000-8000-000000000001\n    timeout",
        ":11111111-0000-4000-8000-000000000002\n    timeout",
        "HAProxy: line 26 is not understood: default_backend"},
       {"backend 22222222-0000-4000-8000-000000000001:11111111-0000-4000-8000-000000000001\n    "
        "mode",
        "backend other\n    mode", "HAProxy: its default_backend is not there"}});
}

TEST(TranslateHaproxy, LinesOfTheBackend) {
  expect_changes(
      kChecked,
      {{"balance roundrobin", "balance random", "HAProxy: line 33 is not understood"},
       {"balance roundrobin", "balance source\n    hash-type consistent",
        "HAProxy: line 34 is not understood: hash-type consistent"},
       {"    balance roundrobin\n", "", "HAProxy: there is no line balance"},
       {"    option allbackups\n", "", "HAProxy: there is no line option allbackups"},
       {"    fullconn 50000\n", "", "HAProxy: there is no line fullconn"},
       {"    timeout connect 2000\n", "", "HAProxy: there is no line timeout connect"},
       {"    timeout server 20000\n", "", "HAProxy: there is no line timeout server"},
       {"    timeout server", "    timeout tunnel 1\n    timeout server",
        "HAProxy: line 43 is not understood: timeout tunnel 1"},
       {"size 10k", "size 10k expire 30m", "HAProxy: line 34 is not understood: stick-table"},
       {"size 10k", "size 1m peers x", "XDP"},
       {"size 10k", "size 10k store conn_rate", "HAProxy: line 34 is not understood"},
       {"type ip size", "type integer size", "HAProxy: line 34 is not understood"},
       {"    stick on src\n", "", "HAProxy: a stick-table and what sticks in it come together"},
       {"    stick-table type ip size 10k\n", "", "HAProxy: a stick-table and what sticks"},
       {"stick on src", "stick on src,ipmask(24)", "HAProxy: line 35 is not understood"},
       {"stick on src", "stick match src", "HAProxy: line 35 is not understood"},
       {"    option allbackups", "    cookie SRV insert\n    option allbackups",
        "HAProxy: pool 22222222-0000-4000-8000-000000000001 keeps sessions by a cookie"},
       {"    option allbackups", "    tcp-check connect\n    option allbackups",
        "HAProxy: line 41 is not understood: tcp-check connect"}});
}

TEST(TranslateHaproxy, LinesOfTheMonitor) {
  const std::string check = "pool 22222222-0000-4000-8000-000000000001: ";
  const std::string httpchk = "option httpchk GET /healthz HTTP/1.1\\r\\nHost:\\ www.example.com";
  const std::string expect = "    http-check expect rstatus 200|202|204|201\n";
  expect_changes(
      kChecked,
      {{"    timeout check 3s\n", "", "HAProxy: " + check + "how its members are checked is not"},
       {"timeout check 3s", "timeout check 3000", "HAProxy: line 37 is not understood"},
       {httpchk, "option httpchk", "HAProxy: line 38 is not understood"},
       {httpchk, "option httpchk get /", "HAProxy: line 38 is not understood"},
       {httpchk, "option httpchk GET health", "HAProxy: line 38 is not understood"},
       {httpchk, "option httpchk GET /a\\r\\nX:b", "HAProxy: line 38 is not understood"},
       {httpchk, "option httpchk GET / HTTP/2.0", "HAProxy: line 38 is not understood"},
       {httpchk, "option httpchk GET / HTTP/1.0\\r\\nX:\\ y", "HAProxy: line 38 is not understood"},
       {"www.example.com", "www\\r\\nX:y", "HAProxy: line 38 is not understood"},
       {expect, "", "HAProxy: " + check + "how its members are checked is not understood"},
       {"200|202", "200|2..", "HAProxy: line 39 is not understood"},
       {"200|202", "200|99", "HAProxy: line 39 is not understood"},
       {"rstatus 200", "! rstatus 200", "HAProxy: line 39 is not understood"},
       {expect, expect + expect, "HAProxy: line 40 is not understood"},
       {httpchk, "option ssl-hello-chk", "HAProxy: " + check + "how its members are checked"},
       {"    option allbackups", "    option ssl-hello-chk\n    option allbackups",
        "HAProxy: " + check + "how its members are checked"},
       {"inter 5s", "inter 6s", "HAProxy: " + check + "its members are not all checked"},
       {" check inter 5s fall 3 rise 2 addr 198.51.100.1 port 9000", "",
        "HAProxy: " + check + "its members are not all checked in the same way"}});
  const std::string ping = "haproxy/03-tcp-sourceip-hm-ping.cfg";
  expect_changes(ping,
                 {{"ping-wrapper.sh", "other.sh", "HAProxy: line 38 is not understood"},
                  {"    option external-check\n", "", "HAProxy: " + check + "how its members"},
                  {"    external-check command /var/lib/octavia/ping-wrapper.sh\n", "",
                   "HAProxy: " + check + "how its members are checked"}});
}

TEST(TranslateHaproxy, WordsOfTheServer) {
  const std::string pool = "HAProxy: pool 22222222-0000-4000-8000-000000000001 ";
  expect_changes(
      kPlain,
      {{"weight 1\n", "weight 256\n", "XDP"},
       {"weight 1\n", "weight 257\n", "HAProxy: line 37 is not understood"},
       {" weight 1\n", "\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "backup disabled weight 1\n", "XDP"},
       {"weight 1\n", "weight 1 weight 1\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "weight 1 backup backup\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "weight 1 maxconn 5\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "weight 1 inter 5s\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "weight 1 addr 192.0.2.1\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "weight 1 verify none\n", "HAProxy: line 37 is not understood"},
       {"weight 1\n", "weight 1 send-proxy\n", pool + "speaks PROXY"},
       {"weight 1\n", "weight 1 send-proxy-v2-ssl-cn\n", pool + "speaks PROXYV2"},
       {"weight 1\n", "weight 1 ssl verify none\n", pool + "is encrypted towards its members"},
       {"weight 1\n", "weight 1 cookie 33333333-0000-4000-8000-000000000001\n",
        pool + "keeps sessions by a cookie"},
       {"192.0.2.11:8080", "example.com:8080", "HAProxy: line 37 is not understood"},
       {"192.0.2.11:8080", "192.0.2.11", "HAProxy: line 37 is not understood"},
       {"192.0.2.11:8080", "unix@/run/x:8080", "HAProxy: line 37 is not understood"},
       {"192.0.2.11:8080", "2001:db8::1:8080",
        "HAProxy: member 2001:db8::1 is IPv6, VIP 203.0.113.10 is IPv4"},
       {"192.0.2.11:8080 weight 1", "2001:db8::1:8080 weight 1 disabled", "XDP"},
       {"192.0.2.11:8080", "203.0.113.10:8080",
        "HAProxy: member 203.0.113.10 is a VIP of the load balancer"},
       {"192.0.2.11:8080", "127.0.0.1:8080",
        "HAProxy: member 127.0.0.1 is not the address of one machine"},
       {"192.0.2.11:8080 weight 1", "2001:db8::1:8080 weight 0", "HAProxy: member 2001:db8::1"},
       {"server 33333333-0000-4000-8000-000000000001", "server web",
        "HAProxy: line 37 is not understood: server web"},
       {"server 33333333-0000-4000-8000-000000000002",
        "server 33333333-0000-4000-8000-000000000001", "HAProxy: line 38 is not understood"}});
}

// Whatever a frontend inherits, or decides about its lines, is a part of it.
TEST(TranslateHaproxy, LinesElsewhere) {
  expect_changes(
      kPlain,
      {{"    option redispatch\n", "", "XDP"},
       {"retries 3", "retries 4", "HAProxy: line 13 is not understood: retries 4"},
       {"    option redispatch", "    timeout client 1s", "HAProxy: line 14 is not understood"},
       {"    option redispatch", "    mode http", "HAProxy: line 14 is not understood: mode http"},
       {"defaults\n", "defaults web\n", "HAProxy: line 11 is not understood: defaults web"},
       {"defaults\n", "defaults\n defaults x\n", "HAProxy: line 12 is not understood"},
       {"    user nobody", "    .if defined(X)", "HAProxy: line 4 is not understood: .if"},
       {"global\n", "maxconn 5\nglobal\n", "HAProxy: line 2 is not understood: maxconn 5"},
       {"    user nobody", "    '.'if 1", "HAProxy: line 4 is not understood: .if"},
       {"    user nobody", "    [x]", "HAProxy: line 4 is not understood: [x]"},
       {"    user nobody", "    nbthread 4\n    tune.bufsize 32768", "XDP"}});
}

TEST(TranslateHaproxy, RefusesWhatHaproxyWould) {
  const std::string frontend = "frontend 11111111-0000-4000-8000-000000000002";
  const std::string text = sample(kShared);
  EXPECT_EQ(place_of(replaced(text, frontend, "frontend 11111111-0000-4000-8000-000000000001")),
            "refused: haproxy.cfg, line 42: this frontend is given twice");
  EXPECT_EQ(place_of(replaced(text, "203.0.113.10:81", "203.0.113.10:80")),
            "refused: haproxy.cfg, line 42: frontend 11111111-0000-4000-8000-000000000001 has the "
            "same port");
  EXPECT_EQ(place_of(replaced(text, "01:11111111-0000-4000-8000-000000000002\n    mode",
                              "01:11111111-0000-4000-8000-000000000001\n    mode")),
            "refused: haproxy.cfg, line 50: this backend is given twice");
  EXPECT_EQ(place_of("global\n maxconn '5\n"), "refused: haproxy.cfg, line 2: a quote is open: '");
  EXPECT_THAT(place_of(text.substr(0, text.size() - 30)), HasSubstr("newline is missing"));
}

// The pool is in the model once, as the listener of the datapath has it; HAProxy keeps its own.
TEST(TranslateHaproxy, APoolOfListenersAtBothPlaces) {
  const std::string text = replaced(sample(kShared), "bind 203.0.113.10:81\n    mode tcp",
                                    "bind 203.0.113.10:81\n    mode http");
  const model::Model model = model_of(text);
  EXPECT_EQ(model.listeners.size(), 2U);
  EXPECT_EQ(model.pools.size(), 1U);
  EXPECT_EQ(model.members.size(), 2U);
  EXPECT_EQ(model.amphora->left_to_haproxy.size(), 1U);
  EXPECT_EQ(model.listeners.at(listener_id(1)).default_pool, pool_id(1));
  EXPECT_EQ(model.listeners.at(listener_id(2)).default_pool, pool_id(1));
  const std::string& rest = model.amphora->haproxy_text;
  const std::string own = "backend 22222222-0000-4000-8000-000000000001:11111111-0000-4000-8000-";
  EXPECT_THAT(rest, HasSubstr(own + "000000000002\n"));
  EXPECT_THAT(rest, testing::Not(HasSubstr(own + "000000000001\n")));
}

TEST(TranslateHaproxy, APoolThatTwoListenersSayDifferently) {
  const std::string text = sample(kShared);
  const size_t second = text.rfind("weight 5");
  std::string other = text;
  other.replace(second, 8, "weight 6");
  EXPECT_EQ(place_of(other, 1), "XDP");
  EXPECT_EQ(place_of(other, 2),
            "HAProxy: pool 22222222-0000-4000-8000-000000000001 is not as for another listener");
  EXPECT_EQ(model_of(other).members.at(member_id(2)).weight, 5);

  // Timeouts are the listener's.
  std::string timeouts = text;
  timeouts.replace(text.rfind("timeout server 50000"), 20, "timeout server 40000");
  EXPECT_EQ(place_of(timeouts, 2), "XDP");
  EXPECT_EQ(model_of(timeouts).listeners.at(listener_id(1)).timeout_member_data, 50000);
  EXPECT_EQ(model_of(timeouts).listeners.at(listener_id(2)).timeout_member_data, 40000);
}

TEST(TranslateHaproxy, AMemberOfTwoPools) {
  const std::string text =
      replaced(sample(kMany), "000000000021 192.0.2.41:443", "000000000001 192.0.2.41:443");
  EXPECT_EQ(place_of(text, 1), "XDP");
  EXPECT_EQ(place_of(text, 3),
            "HAProxy: member 33333333-0000-4000-8000-000000000001 is in another pool, too");
}

// A backend of a listener that is taken over stays as long as anything else names it.
TEST(TranslateHaproxy, BackendsThatAreStillNamed) {
  const std::string name =
      "22222222-0000-4000-8000-000000000001:11111111-0000-4000-8000-000000000001";
  const std::string text = replaced(sample(kMany), "bind 203.0.113.10:80\n    mode http",
                                    "bind 203.0.113.10:80\n    mode http\n    use_backend " + name +
                                        " if { nbsrv(" + name + ") gt 1 }");
  EXPECT_EQ(place_of(text, 1), "XDP");
  const std::string rest = model_of(text).amphora->haproxy_text;
  EXPECT_THAT(rest, HasSubstr("\nbackend " + name + "\n"));
  EXPECT_THAT(rest, testing::Not(HasSubstr("frontend 11111111-0000-4000-8000-000000000001\n")));
}

TEST(TranslateHaproxy, LinesThatHaproxyMustNotSee) {
  const std::string prometheus = sample("haproxy/14-prometheus.cfg");
  const std::string htx =
      replaced(prometheus, "    no log\n", "    no log\n    option http-use-htx\n");
  EXPECT_EQ(model_of(htx).amphora->haproxy_text, prometheus);
  EXPECT_EQ(model_of(replaced(htx, "option http-use-htx", "no option http-use-htx"))
                .amphora->haproxy_text,
            prometheus);
  const std::string group =
      replaced(prometheus, "    user nobody\n", "    user nobody\n    group nogroup\n");
  EXPECT_EQ(model_of(group).amphora->haproxy_text, prometheus);
  // In another section it is another word.
  const std::string users = prometheus + "userlist u\n    group a users b\n";
  EXPECT_EQ(model_of(users).amphora->haproxy_text, users);
}

TEST(TranslateHaproxy, NobodyNeedsHaproxyForItsOwnEndpoint) {
  const std::string text = sample("haproxy/14-prometheus.cfg");
  const size_t tenant = text.find("frontend 11111111");
  EXPECT_EQ(model_of(text.substr(0, tenant)).amphora->haproxy_text, "");
  const std::string listen = text.substr(0, tenant) + "listen x\n    bind 203.0.113.10:1\n";
  EXPECT_EQ(model_of(listen).amphora->haproxy_text, listen);
}

TEST(TranslateHaproxy, AnAmphoraServesOneLoadBalancer) {
  octavia::Uploads uploads = haproxy_upload(sample(kPlain));
  uploads.haproxy[listener_id(9)] = sample(kPlain);
  EXPECT_THAT(translated(uploads).error().what, HasSubstr("there are texts of two load balancers"));
  const auto nothing = translated({});
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->load_balancers.empty());
  EXPECT_EQ(nothing->amphora, model::Amphora{});
}

TEST(TranslateHaproxy, NoMoreThanOneMachineCarriesOut) {
  std::string text = "defaults\n    log global\n";
  for (int i = 1; i <= 1001; i++)
    text +=
        "frontend " + listener_id(i).text() + "\n    bind 192.0.2.1:" + std::to_string(i) + "\n";
  EXPECT_THAT(place_of(text), HasSubstr("refused: 1001 listeners"));
}

TEST(TranslateHaproxy, ReasonsAreOneShortLine) {
  const std::string line = "    option " + std::string(5000, 'x') + "\\n\x01\xff\n    mode tcp\n";
  const std::string place = place_of(replaced(sample(kPlain), "    mode tcp\n", line));
  EXPECT_THAT(place, StartsWith("HAProxy: line 25 is not understood: option xxx"));
  EXPECT_LT(place.size(), 150U);
  EXPECT_EQ(place_of(replaced(sample(kPlain), "mode tcp", "a\\n\x01\xff")),
            "HAProxy: line 25 is not understood: a???");
}

}  // namespace
