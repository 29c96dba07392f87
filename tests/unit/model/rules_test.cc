// Rules between resources.
#include "tests/unit/model/house.h"

namespace model {
namespace {

const std::vector<std::string> kListeners{"TCP", "HTTP", "HTTPS", "TERMINATED_HTTPS", "UDP"};
const std::vector<std::string> kPools{"HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP", "UDP", "SCTP"};
// Of those that can be made now.
const std::map<std::string, std::set<std::string>> kFit{
    {"TCP", {"HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP"}},
    {"HTTP", {"HTTP", "PROXY", "PROXYV2"}},
    {"HTTPS", {"HTTPS", "PROXY", "PROXYV2", "TCP"}},
    {"TERMINATED_HTTPS", {"HTTP", "PROXY", "PROXYV2"}},
    {"UDP", {"UDP"}}};

std::string misfit(const std::string& pool, const std::string& listener) {
  return "Validation failure: The pool protocol '" + pool +
         "' is invalid while the listener protocol is '" + listener + "'.";
}

TEST(Protocols, OfListenerAndDefaultPoolMustFit) {
  for (const std::string& listener : kListeners)
    for (const std::string& pool : kPools) {
      SCOPED_TRACE(listener + " " + pool);
      House h;
      auto p = accepted(h.make(Kind::pool, {{"protocol", pool}, {"lb_algorithm", "SOURCE_IP"}}));
      h.model = settled(p.model);
      json body{{"protocol", listener}, {"protocol_port", 81}, {"default_pool_id", p.id.text()}};
      if (listener == "TERMINATED_HTTPS") body["default_tls_container_ref"] = "cert";
      auto by_create = h.make(Kind::listener, body);

      body.erase("default_pool_id");
      auto l = accepted(h.make(Kind::listener, body));
      h.model = settled(l.model);
      h.listener = l.id;
      auto by_update = h.change(Kind::listener, {{"default_pool_id", p.id.text()}});
      auto by_pool =
          h.make(Kind::pool,
                 {{"protocol", pool}, {"lb_algorithm", "SOURCE_IP"}, {"listener_id", l.id.text()}});
      for (const auto& outcome : {by_create, by_update, by_pool}) {
        if (kFit.at(listener).contains(pool))
          accepted(outcome);
        else
          EXPECT_THAT(refused(outcome), IsFault(400, misfit(pool, listener)));
      }
    }
}

TEST(Ports, AreUniquePerL4Protocol) {
  House h;
  auto on_80 = [&](const char* protocol) {
    return h.make(Kind::listener, {{"protocol", protocol}, {"protocol_port", 80}});
  };
  const char* taken =
      "Another Listener on this Load Balancer is already using protocol TCP and protocol_port 80";
  EXPECT_THAT(refused(on_80("TCP")), IsFault(409, taken));
  EXPECT_THAT(refused(on_80("HTTPS")), IsFault(409, taken));
  accepted(on_80("UDP"));
}

TEST(Ports, AreFreeOnAnotherLoadBalancer) {
  House h;
  auto other = accepted(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.11"}}));
  h.model = settled(other.model);
  accepted(
      h.make(Kind::listener,
             {{"protocol", "TCP"}, {"protocol_port", 80}, {"loadbalancer_id", other.id.text()}}));
}

TEST(Vips, BelongToOneLoadBalancer) {
  House h;
  std::string taken = "IP address 203.0.113.10 is already the VIP of Load Balancer " + h.lb.text();
  EXPECT_THAT(refused(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.10"}})),
              IsFault(409, taken));
  EXPECT_THAT(refused(h.make(Kind::load_balancer,
                             {{"vip_address", "203.0.113.11"},
                              {"additional_vips", {{{"ip_address", "203.0.113.10"}}}}})),
              IsFault(409, taken));
}

TEST(Vips, AreUnicastAndRoutable) {
  House h;
  for (const char* vip : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "169.254.1.1",
                          "0.1.2.3", "::", "::1", "ff02::1", "fe80::1", "::ffff:203.0.113.1"}) {
    Fault fault = refused(h.make(Kind::load_balancer, {{"vip_address", vip}}));
    EXPECT_EQ(fault.status, 400) << vip;
    EXPECT_THAT(fault.text, ::testing::HasSubstr("is invalid."));
  }
}

TEST(Vips, AreNotRepeated) {
  House h;
  EXPECT_THAT(refused(h.make(Kind::load_balancer,
                             {{"vip_address", "203.0.113.20"},
                              {"additional_vips", {{{"ip_address", "203.0.113.20"}}}}})),
              IsFault(400, "Validation failure: Duplicate VIP 203.0.113.20 specified."));
  const char* subnet = "d52c5bac-c0b1-4e78-bfdd-9bd34f40e545";
  EXPECT_THAT(
      refused(
          h.make(Kind::load_balancer,
                 {{"vip_address", "203.0.113.20"},
                  {"vip_subnet_id", subnet},
                  {"additional_vips", {{{"ip_address", "203.0.113.21"}, {"subnet_id", subnet}}}}})),
      IsFault(400,
              "Validation failure: Duplicate VIP subnet(s) specified. Only one IP can be bound "
              "per subnet."));
}

TEST(Vips, AreAtMostSixtyFourMore) {
  json vips = json::array();
  for (int i = 0; i < 100'000; i++) vips.push_back({{"ip_address", "192.0.2.1"}});
  EXPECT_THAT(refused(House().make(Kind::load_balancer,
                                   {{"vip_address", "203.0.113.20"}, {"additional_vips", vips}})),
              IsFault(400, "Validation failure: There are more than 64 additional_vips."));
}

TEST(Provider, MustBeOurs) {
  House h;
  EXPECT_THAT(
      refused(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.9"}, {"provider", "ovn"}})),
      IsFault(400, "Provider 'ovn' is not enabled."));
}

TEST(AllowedCidrs, HaveTheFamilyOfAVip) {
  House h;
  const json v6{{"allowed_cidrs", {"2001:db8::/32"}}};
  EXPECT_THAT(refused(h.change(Kind::listener, v6)),
              IsFault(400,
                      "Validation failure: CIDR 2001:db8::/32 IP version incompatible with VIP "
                      "203.0.113.10 IP version."));
  h.model.load_balancers.at(h.lb).additional_vips.push_back(
      {*base::IpAddress::parse("2001:db8::10"), ""});
  accepted(h.change(Kind::listener, v6));
}

TEST(DefaultPool, IsOfTheSameLoadBalancer) {
  House h;
  auto other = accepted(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.11"}}));
  h.model = settled(other.model);
  EXPECT_THAT(refused(h.make(Kind::listener, {{"protocol", "TCP"},
                                              {"protocol_port", 80},
                                              {"loadbalancer_id", other.id.text()},
                                              {"default_pool_id", h.pool.text()}})),
              IsFault(404, "Pool " + h.pool.text() + " not found."));
  EXPECT_THAT(refused(h.make(Kind::pool, {{"protocol", "TCP"},
                                          {"lb_algorithm", "SOURCE_IP"},
                                          {"loadbalancer_id", other.id.text()},
                                          {"listener_id", h.listener.text()}})),
              IsFault(404, "Listener " + h.listener.text() + " not found."));
}

TEST(DefaultPool, IsOneOnly) {
  House h;
  EXPECT_THAT(refused(h.make(Kind::pool, {{"protocol", "TCP"},
                                          {"lb_algorithm", "SOURCE_IP"},
                                          {"listener_id", h.listener.text()}})),
              IsFault(409, "This listener already has a default pool"));
  EXPECT_THAT(
      refused(create(h.model, Kind::pool, Uuid{},
                     {{"pool", {{"protocol", "TCP"}, {"lb_algorithm", "SOURCE_IP"}}}}, kNow)),
      IsFault(400,
              "Validation failure: Must provide at least one of: loadbalancer_id, listener_id"));
}

TEST(DefaultPool, ServesSeveralListeners) {
  House h;
  auto e = accepted(
      h.make(Kind::listener,
             {{"protocol", "TCP"}, {"protocol_port", 81}, {"default_pool_id", h.pool.text()}}));
  EXPECT_EQ(show_one(e.model, Kind::pool, h.pool)["listeners"].size(), 2u);
}

TEST(DefaultPool, ComesWithAPoolMadeForAListener) {
  House h;
  h.model = settled(accepted(h.take(Kind::pool)).model);
  auto e = accepted(h.make(
      Kind::pool,
      {{"protocol", "TCP"}, {"lb_algorithm", "SOURCE_IP"}, {"listener_id", h.listener.text()}}));
  EXPECT_EQ(e.model.listeners.at(h.listener).default_pool, e.id);
  EXPECT_EQ(e.model.pools.at(e.id).load_balancer, h.lb);
}

TEST(Members, AreUniqueInTheirPool) {
  House h;
  EXPECT_THAT(refused(h.make(Kind::member, {{"address", "192.0.2.11"}, {"protocol_port", 8080}})),
              IsFault(409,
                      "Another member on this pool is already using ip 192.0.2.11 on protocol_port "
                      "8080"));
  accepted(h.make(Kind::member, {{"address", "192.0.2.11"}, {"protocol_port", 8081}}));
}

TEST(Members, BehindAProxyHaveAnyFamily) {
  House h;
  accepted(h.make(Kind::member, {{"address", "2001:db8::9"}, {"protocol_port", 80}}));
}

TEST(Members, OfDatagramsHaveTheFamilyOfAVip) {
  House h;
  auto udp = accepted(h.make(Kind::pool, {{"protocol", "UDP"}, {"lb_algorithm", "SOURCE_IP"}}));
  h.model = settled(udp.model);
  h.pool = udp.id;
  const json v6{{"address", "2001:db8::9"}, {"protocol_port", 80}};
  Fault fault = refused(h.make(Kind::member, v6));
  EXPECT_EQ(fault.status, 501);
  EXPECT_THAT(fault.text, ::testing::HasSubstr("doesn't support mixing IPv4 and IPv6"));
  h.model.load_balancers.at(h.lb).additional_vips.push_back(
      {*base::IpAddress::parse("2001:db8::10"), ""});
  accepted(h.make(Kind::member, v6));
}

TEST(Members, AreWherePacketsCanGo) {
  House h;
  for (const char* address : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255",
                              "169.254.169.254", "::1", "fe80::1", "ff02::1"})
    EXPECT_THAT(refused(h.make(Kind::member, {{"address", address}, {"protocol_port", 80}})),
                IsFault(400, std::string(address) + " is not a valid option for member address"));
  EXPECT_THAT(refused(h.make(Kind::member, {{"address", "203.0.113.10"}, {"protocol_port", 80}})),
              IsFault(400,
                      "Validation failure: Member address 203.0.113.10 is a VIP of its own load "
                      "balancer."));
}

// The packets of a load balancer's own do not come in by an interface of the same machine.
TEST(Members, AreNotWhereAnotherLoadBalancerOfTheMachineIs) {
  House h;
  LoadBalancer other;
  other.id = *Uuid::parse("12121212-1212-4212-8212-121212121212");
  other.vip_address = *base::IpAddress::parse("203.0.113.20");
  other.additional_vips.push_back({*base::IpAddress::parse("2001:db8::20"), ""});
  h.model.load_balancers.emplace(other.id, other);
  for (const char* address : {"203.0.113.20", "2001:db8::20"}) {
    const std::string text = "Validation failure: Member address " + std::string(address) +
                             " is a VIP of load balancer " + other.id.text() +
                             ": no packet of a load balancer reaches another one of its machine.";
    const json member{{"address", address}, {"protocol_port", 80}};
    EXPECT_THAT(refused(h.make(Kind::member, member)), IsFault(400, text));
    const json members = json::array({member});
    EXPECT_THAT(
        refused(replace_members(h.model, h.pool, {{"members", members}}, Additive::yes, kNow)),
        IsFault(400, text));
    const json pool{
        {"name", "p"}, {"protocol", "TCP"}, {"lb_algorithm", "ROUND_ROBIN"}, {"members", members}};
    EXPECT_THAT(refused(h.make(Kind::load_balancer,
                               {{"vip_address", "203.0.113.30"}, {"pools", json::array({pool})}})),
                IsFault(400, text));
  }
}

TEST(Vips, AreNotWhereAMemberIs) {
  House h;
  const std::string why = " 192.0.2.11 is the address of member " + h.member.text() +
                          ": no packet of a load balancer reaches another one of its machine.";
  EXPECT_THAT(refused(h.make(Kind::load_balancer, {{"vip_address", "192.0.2.11"}})),
              IsFault(400, "Validation failure: vip_address" + why));
  EXPECT_THAT(
      refused(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.30"},
                                           {"additional_vips", {{{"ip_address", "192.0.2.11"}}}}})),
      IsFault(400, "Validation failure: additional_vips' ip_address" + why));
}

}  // namespace
}  // namespace model
