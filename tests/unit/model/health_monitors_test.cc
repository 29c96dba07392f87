// Rules of health monitors; their fields are in field_rows.
#include "tests/unit/model/house.h"

namespace model {
namespace {

using PS = ProvisioningStatus;

json monitor(const std::string& type, json more = json::object()) {
  more.update({{"type", type}, {"delay", 5}, {"timeout", 3}, {"max_retries", 2}});
  return more;
}

House with_protocol(PoolProtocol protocol) {
  House house;
  house.model.pools.at(house.pool).protocol = protocol;
  return house;
}

TEST(HealthMonitor, TypesFitThePool) {
  for (PoolProtocol protocol :
       {PoolProtocol::tcp, PoolProtocol::https, PoolProtocol::udp, PoolProtocol::sctp}) {
    const House house = with_protocol(protocol);
    bool datagrams = protocol == PoolProtocol::udp || protocol == PoolProtocol::sctp;
    const std::map<std::string, bool> fits{{"HTTP", true},
                                           {"TCP", true},
                                           {"HTTPS", !datagrams},
                                           {"PING", !datagrams},
                                           {"TLS-HELLO", !datagrams},
                                           {"UDP-CONNECT", datagrams},
                                           {"SCTP", datagrams}};
    for (const auto& [type, fit] : fits) {
      SCOPED_TRACE(text(protocol) + " " + type);
      Fault fault = refused(house.make(Kind::health_monitor, monitor(type)));
      EXPECT_EQ(fault.status, fit ? 0 : 400) << fault.text;
    }
  }
}

TEST(HealthMonitor, HttpHasDefaultsAndOthersHaveNothingOfIt) {
  House house;
  auto e = accepted(house.make(Kind::health_monitor, monitor("HTTPS")));
  json shown = show_one(e.model, Kind::health_monitor, e.id);
  EXPECT_EQ(shown["http_method"], "GET");
  EXPECT_EQ(shown["url_path"], "/");
  EXPECT_EQ(shown["expected_codes"], "200");
  EXPECT_EQ(shown["http_version"], nullptr);
  const std::map<std::string, json> of_http{{"http_method", "GET"},
                                            {"url_path", "/"},
                                            {"expected_codes", "200"},
                                            {"http_version", 1.1},
                                            {"domain_name", "a.example"}};
  for (const auto& [name, value] : of_http)
    EXPECT_THAT(refused(house.make(Kind::health_monitor, monitor("TCP", {{name, value}}))),
                IsFault(400, name + " is not a valid option for health monitors of type TCP"));
}

TEST(HealthMonitor, DomainNameNeedsHttp11) {
  House house;
  const json domain{{"domain_name", "www.example.com"}};
  json with_1_0 = domain, with_1_1 = domain;
  with_1_0["http_version"] = 1.0;
  with_1_1["http_version"] = 1.1;
  EXPECT_EQ(refused(house.make(Kind::health_monitor, monitor("HTTP", domain))).status, 400);
  EXPECT_EQ(refused(house.make(Kind::health_monitor, monitor("HTTP", with_1_0))).status, 400);
  auto e = accepted(house.make(Kind::health_monitor, monitor("HTTP", with_1_1)));
  EXPECT_EQ(show_one(e.model, Kind::health_monitor, e.id)["domain_name"], "www.example.com");
  for (const char* bad : {"", "a b", "-a.example", "a..b", "a\r\nX: y"}) {
    with_1_1["domain_name"] = bad;
    EXPECT_EQ(refused(house.make(Kind::health_monitor, monitor("HTTP", with_1_1))).status, 400);
  }
}

TEST(HealthMonitor, UdpConnectIsNotTooFrequent) {
  const House house = with_protocol(PoolProtocol::udp);
  json body = monitor("UDP-CONNECT");
  body["delay"] = 2;
  EXPECT_THAT(refused(house.make(Kind::health_monitor, body)),
              IsFault(400,
                      "Validation failure: The request delay value 2 should be larger than 3 "
                      "for UDP-CONNECT health monitor type."));
  body["delay"] = 3;
  accepted(house.make(Kind::health_monitor, body));
}

TEST(HealthMonitor, LocksAllAboveItAndGoesWithItsPool) {
  const House house = House().watched();
  for (const auto& outcome :
       {house.change(Kind::health_monitor, {{"delay", 9}}), house.take(Kind::health_monitor)}) {
    Model m = accepted(outcome).model;
    EXPECT_EQ(m.load_balancers.at(house.lb).provisioning_status, PS::pending_update);
    EXPECT_EQ(m.listeners.at(house.listener).provisioning_status, PS::pending_update);
    EXPECT_EQ(m.pools.at(house.pool).provisioning_status, PS::pending_update);
    House locked = house;
    locked.model = m;
    EXPECT_THAT(refused(locked.change(Kind::health_monitor, {{"delay", 8}})),
                IsFault(409, "Pool " + house.pool.text() + " is immutable and cannot be updated."));
  }
  EXPECT_TRUE(settled(accepted(house.take(Kind::health_monitor)).model).health_monitors.empty());
  EXPECT_TRUE(settled(accepted(house.take(Kind::pool)).model).health_monitors.empty());
  Model gone = settled(accepted(house.take(Kind::load_balancer, Cascade::yes)).model);
  EXPECT_EQ(gone, Model{});
}

TEST(HealthMonitor, OfNoPoolIsNotFound) {
  House house;
  const std::string other = Uuid::random().text();
  EXPECT_THAT(refused(house.make(Kind::health_monitor, monitor("TCP", {{"pool_id", other}}))),
              IsFault(404, "Pool " + other + " not found."));
}

}  // namespace
}  // namespace model
