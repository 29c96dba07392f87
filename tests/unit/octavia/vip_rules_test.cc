// The rules of SR-IOV VIPs, and what they leave of a listener's clients.
#include "agent/octavia/vip_rules.h"

#include <gmock/gmock.h>

#include "tests/support/addresses.h"

namespace octavia {
namespace {

using base::IpPrefix;
using test::prefix;
using testing::ElementsAre;
using testing::IsEmpty;
using Protocol = VipRule::Protocol;

std::vector<VipRule> rules(const char* text) {
  auto read = read_vip_rules(text);
  EXPECT_TRUE(std::holds_alternative<std::vector<VipRule>>(read)) << text;
  return std::get<std::vector<VipRule>>(read);
}

TEST(VipRules, AreReadAndWritten) {
  const auto read = rules(R"([{"protocol": "TCP", "cidr": null, "port": 80},
      {"protocol": "UDP", "cidr": "0.0.0.0/0", "port": 53},
      {"protocol": "SCTP", "cidr": "2001:db8::1/64", "port": 9},
      {"protocol": "VRRP", "cidr": "192.0.2.7/32", "port": 112}])");
  EXPECT_EQ(read, (std::vector<VipRule>{{Protocol::tcp, {}, 80},
                                        {Protocol::udp, {}, 53},
                                        {Protocol::sctp, prefix("2001:db8::/64"), 9},
                                        {Protocol::vrrp, prefix("192.0.2.7/32"), 112}}));
  EXPECT_EQ(rules(vip_rules_text(read).c_str()), read);
  EXPECT_THAT(rules("[]"), IsEmpty());
}

TEST(VipRules, WhatIsNoRuleIsRefused) {
  for (const char* bad : {"", "{}", "[1]", R"([{"protocol": "TCP", "port": 80}])",
                          R"([{"protocol": "TCP", "cidr": null, "port": 80, "more": 1}])",
                          R"([{"protocol": "tcp", "cidr": null, "port": 80}])",
                          R"([{"protocol": "ICMP", "cidr": null, "port": 80}])",
                          R"([{"protocol": "TCP", "cidr": null, "port": 0}])",
                          R"([{"protocol": "TCP", "cidr": null, "port": 65536}])",
                          R"([{"protocol": "TCP", "cidr": null, "port": "80"}])",
                          R"([{"protocol": "TCP", "cidr": 1, "port": 80}])",
                          R"([{"protocol": "TCP", "cidr": "192.0.2.0/33", "port": 80}])"}) {
    auto read = read_vip_rules(bad);
    ASSERT_TRUE(std::holds_alternative<Answer>(read)) << bad;
    EXPECT_EQ(std::get<Answer>(read),
              (Answer{.status = 400, .error = "400 Bad Request: Invalid rules information"}));
  }
}

TEST(AllowedClients, AreTheIntersection) {
  const std::vector<VipRule> some{{Protocol::tcp, prefix("192.0.2.0/24"), 80},
                                  {Protocol::tcp, prefix("2001:db8::/32"), 80},
                                  {Protocol::udp, {}, 53}};
  const auto of = [&](Protocol protocol, uint16_t port, std::vector<IpPrefix> allowed) {
    return allowed_clients(some, protocol, port, allowed);
  };
  // Everybody so far.
  EXPECT_THAT(of(Protocol::tcp, 80, {}),
              testing::Optional(ElementsAre(prefix("192.0.2.0/24"), prefix("2001:db8::/32"))));
  // Narrower, wider, and apart from the rule.
  EXPECT_THAT(
      of(Protocol::tcp, 80, {prefix("192.0.2.128/25"), prefix("::/0"), prefix("198.51.100.0/24")}),
      testing::Optional(ElementsAre(prefix("192.0.2.128/25"), prefix("2001:db8::/32"))));
  EXPECT_EQ(of(Protocol::tcp, 80, {prefix("198.51.100.0/24")}), std::nullopt);
  // The rule lets everybody in.
  EXPECT_THAT(of(Protocol::udp, 53, {}), testing::Optional(IsEmpty()));
  EXPECT_THAT(of(Protocol::udp, 53, {prefix("192.0.2.0/24")}),
              testing::Optional(ElementsAre(prefix("192.0.2.0/24"))));
  // No rule is for it.
  EXPECT_EQ(of(Protocol::udp, 80, {}), std::nullopt);
  EXPECT_EQ(of(Protocol::tcp, 53, {}), std::nullopt);
}

}  // namespace
}  // namespace octavia
