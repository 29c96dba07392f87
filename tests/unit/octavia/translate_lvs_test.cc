// One change to an LVS text of Octavia's, and texts beside each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/octavia/written.h"

namespace {

using octavia_test::haproxy_upload;
using octavia_test::listener_id;
using octavia_test::lvs_upload;
using octavia_test::member_id;
using octavia_test::pool_id;
using octavia_test::replaced;
using octavia_test::sample;
using octavia_test::translated;
using octavia_test::uuid;
using testing::HasSubstr;

const std::string kCheckedLvs = "lvs/02-udp-lc-hm-udpconnect.conf";
const std::string kDual = "lvs/06-udp-dualstack.2026.conf";

std::string refusal_of(const octavia::Uploads& uploads) {
  const auto model = translated(uploads);
  return model.ok() ? "none" : model.error().what;
}

model::Model model_of(const octavia::Uploads& uploads) {
  const auto model = translated(uploads);
  EXPECT_TRUE(model.ok()) << model.error().what;
  return model.ok() ? *model : model::Model{};
}

// The second listener of the samples: another id, another port.
std::string second_listener(const std::string& text) {
  std::string other = replaced(text, listener_id(1).text(), listener_id(2).text());
  return replaced(other, "203.0.113.10 53", "203.0.113.10 54");
}

TEST(TranslateLvs, RefusesWhatNobodyWouldCarryOut) {
  struct Case {
    std::string name, what, with, error;
  };
  const Case cases[] = {
      {kCheckedLvs, "lb_kind NAT", "lb_kind TUN", "line 12: it is not understood: lb_kind TUN"},
      {kCheckedLvs, "uthreshold 100", "uthreshold 99",
       "line 32: its uthreshold is not the one of the others"},
      {kCheckedLvs, "real_server 192.0.2.11 53", "real_server 203.0.113.10 53",
       "line 22: its address is a VIP of the load balancer"},
      {kCheckedLvs, "misc_timeout 3", "misc_timeout 4",
       "line 32: it is not checked as the others are"},
      {kCheckedLvs, "    delay_loop 5\n    delay_before_retry 5\n", "",
       "line 20: it is checked, and nobody says how often"},
      {kCheckedLvs, "# Configuration for HealthMonitor", "#", "line 22: it is checked, and nobody"},
      {kCheckedLvs, "# Configuration for Pool", "#", "line 10: no comment names its pool"},
      {kCheckedLvs, "Member 33333333-0000-4000-8000-000000000002",
       "Member 33333333-0000-4000-8000-000000000001", "line 32: this member is given twice"},
      {"lvs/03-udp-sh-hm-http-persist.conf", "path /healthz", "path healthz",
       "line 32: it is not understood: path /healthz"},
      {kDual, "2001:db8::10 53", "2001:db8::10 54", "line 38: it is not the other family's"},
      {kDual, "persistence_granularity 128", "persistence_timeout 5", "line 43"},
      {kDual,
       "retry 3\n\n\n    # Configuration for Pool 22222222-0000-4000-8000-000000000001\n    # "
       "Configuration for HealthMonitor 44444444-0000-4000-8000-000000000001\n    # "
       "Configuration for Member 33333333-0000-4000-8000-000000000002",
       "retry 4\n    # Configuration for Pool 22222222-0000-4000-8000-000000000001\n    # "
       "Configuration for HealthMonitor 44444444-0000-4000-8000-000000000001\n    # "
       "Configuration for Member 33333333-0000-4000-8000-000000000002",
       "line 38: it is not the other family's of the first one"},
      {kDual, "protocol UDP", "protocol SCTP", "line 38: it is not the other family's"}};
  for (const Case& c : cases)
    EXPECT_THAT(refusal_of(lvs_upload(replaced(sample(c.name), c.what, c.with))),
                HasSubstr("listener 11111111-0000-4000-8000-000000000001, " + c.error))
        << c.with;
}

// What a probe would send is no more than a path.
TEST(TranslateLvs, RefusesAPathThatIsNone) {
  std::string text = sample("lvs/03-udp-sh-hm-http-persist.conf");
  for (size_t at = text.find("/healthz"); at != text.npos; at = text.find("/healthz", at + 10))
    text.replace(at, 8, "\"/a b\"");
  EXPECT_THAT(refusal_of(lvs_upload(text)), HasSubstr("line 24: its path is none"));
}

TEST(TranslateLvs, TheTextIsTheListeners) {
  EXPECT_EQ(refusal_of(lvs_upload(sample(kCheckedLvs), 2)),
            "listener 11111111-0000-4000-8000-000000000002: the text is of listener "
            "11111111-0000-4000-8000-000000000001");
  octavia::Uploads uploads = lvs_upload(sample(kCheckedLvs));
  uploads.lvs[listener_id(2)] =
      replaced(second_listener(sample(kCheckedLvs)), octavia_test::kLoadBalancer,
               "00000000-0000-4000-8000-000000000009");
  EXPECT_THAT(refusal_of(uploads), HasSubstr("there are texts of two load balancers"));
}

TEST(TranslateLvs, PortsAndIdsHaveOneOwner) {
  octavia::Uploads uploads = lvs_upload(sample(kCheckedLvs));
  uploads.lvs[listener_id(2)] =
      replaced(sample(kCheckedLvs), listener_id(1).text(), listener_id(2).text());
  EXPECT_EQ(refusal_of(uploads),
            "listener 11111111-0000-4000-8000-000000000002: another listener has port 53");

  uploads = haproxy_upload(sample("haproxy/01-tcp-rr-nohm.cfg"));
  uploads.lvs = lvs_upload(sample(kCheckedLvs)).lvs;
  EXPECT_THAT(refusal_of(uploads), HasSubstr("haproxy.cfg has a pool with the id of its pool"));
  uploads.lvs[listener_id(1)] = sample("lvs/08-udp-no-pool.conf");
  EXPECT_THAT(refusal_of(uploads), HasSubstr("haproxy.cfg has a listener with this id"));

  uploads = lvs_upload(sample(kCheckedLvs));
  uploads.lvs[listener_id(2)] =
      replaced(second_listener(sample(kCheckedLvs)), pool_id(1).text(), pool_id(2).text());
  EXPECT_THAT(refusal_of(uploads), HasSubstr("is in another pool, too"));
}

// While a pool changes, the texts of its listeners come one after the other.
TEST(TranslateLvs, APoolOfTwoListeners) {
  octavia::Uploads uploads = lvs_upload(sample(kCheckedLvs));
  uploads.lvs[listener_id(2)] = second_listener(sample(kCheckedLvs));
  const model::Model before = model_of(uploads);
  EXPECT_EQ(before.listeners.size(), 2U);
  EXPECT_EQ(before.pools.size(), 1U);
  EXPECT_EQ(before.members.size(), 4U);
  EXPECT_EQ(before.listeners.at(listener_id(2)).default_pool, pool_id(1));
  EXPECT_EQ(before.listeners.at(listener_id(2)).protocol_port, 54);

  const auto change = [&](int listener) {
    std::string& text = uploads.lvs[listener_id(listener)];
    text = replaced(text, "weight 1", "weight 7");
    return model_of(uploads).members.at(member_id(1)).weight;
  };
  EXPECT_EQ(change(2), 1);  // the first text still says so
  EXPECT_EQ(change(1), 7);
}

TEST(TranslateLvs, BesideHaproxy) {
  octavia::Uploads uploads = haproxy_upload(sample("haproxy/01-tcp-rr-nohm.cfg"));
  const auto rename = [](std::string text) {
    text = replaced(second_listener(text), pool_id(1).text(), pool_id(2).text());
    for (int i = 1; i <= 4; i++)
      text = replaced(text, "Member " + member_id(i).text(), "Member " + member_id(10 + i).text());
    return text;
  };
  uploads.lvs[listener_id(2)] = rename(sample(kCheckedLvs));
  const model::Model model = model_of(uploads);
  EXPECT_EQ(model.load_balancers.size(), 1U);
  EXPECT_EQ(model.listeners.at(listener_id(1)).protocol, model::ListenerProtocol::tcp);
  EXPECT_EQ(model.listeners.at(listener_id(2)).protocol, model::ListenerProtocol::udp);
  EXPECT_TRUE(model.amphora->left_to_haproxy.empty());
  EXPECT_EQ(model.members.size(), 6U);

  // Every listener of haproxy.cfg is switched off; the load balancer is not.
  uploads.haproxy.begin()->second = sample("haproxy/17-lb-admin-down.cfg");
  EXPECT_TRUE(model_of(uploads).load_balancers.begin()->second.admin_state_up);
  uploads.lvs[listener_id(2)] =
      replaced(sample("lvs/08-udp-no-pool.conf"), listener_id(1).text(), listener_id(2).text());
  EXPECT_FALSE(model_of(uploads).load_balancers.begin()->second.admin_state_up);
}

TEST(TranslateLvs, IsAtEveryVip) {
  octavia::Uploads uploads = lvs_upload(sample(kCheckedLvs));
  EXPECT_TRUE(octavia::translate(uploads, uuid(octavia_test::kAmphora)).ok());
  const std::string id = uploads.lvs.begin()->first.text();
  uploads.lvs[listener_id(9)] = replaced(replaced(sample(kCheckedLvs), id, listener_id(9).text()),
                                         "203.0.113.10", "203.0.113.11");
  const auto two = octavia::translate(uploads, uuid(octavia_test::kAmphora));
  ASSERT_FALSE(two.ok());
  EXPECT_THAT(two.error().what, HasSubstr("line 10: its addresses are not the VIPs"));
}

TEST(TranslateLvs, GranularityOfBothFamilies) {
  struct Case {
    std::string v4, v6, both;
  };
  const Case cases[] = {{"255.255.255.255", "128", "255.255.255.255"},
                        {"255.255.0.0", "128", "255.255.0.0"},
                        {"255.255.255.255", "64", "64"},
                        {"255.255.255.255", "ffff:ffff::", "ffff:ffff::"}};
  for (const Case& c : cases) {
    std::string text =
        replaced(sample(kDual), "granularity 255.255.255.255", "granularity " + c.v4);
    text = replaced(text, "granularity 128", "granularity " + c.v6);
    const model::Model model = model_of(lvs_upload(text));
    EXPECT_EQ(model.pools.at(pool_id(1)).session_persistence->persistence_granularity, c.both);
  }
  // Octavia 11 says IPv4's default of a listener that has IPv6 only.
  const std::string dual = sample("lvs/06-udp-dualstack.conf");
  const size_t v4 = dual.find("virtual_server_group ipv4"),
               v6 = dual.find("virtual_server_group ipv6");
  std::string only_v6 = dual;
  only_v6.erase(v4, v6 - v4);
  const model::Model model = model_of(lvs_upload(only_v6));
  EXPECT_EQ(model.pools.at(pool_id(1)).session_persistence->persistence_granularity, "128");
}

// With a method that keepalived does not know Octavia writes a monitor without any check.
TEST(TranslateLvs, AMonitorThatChecksNothing) {
  std::string text = sample("lvs/04-udp-hm-tcp-persist-defaults.conf");
  for (size_t at = text.find("        TCP_CHECK"); at != text.npos;
       at = text.find("        TCP_CHECK"))
    text.erase(at, text.find("        }\n", at) + 10 - at);
  const model::Model model = model_of(lvs_upload(text));
  EXPECT_EQ(model.members.size(), 2U);
  EXPECT_TRUE(model.health_monitors.empty());
}

}  // namespace
