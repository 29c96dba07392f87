// How many source ports there are towards a member, and when they run out.
#include "agent/datapath/port_use.h"

#include <gtest/gtest.h>

#include "agent/datapath/abi.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

lb_info range(uint16_t low, uint16_t high) {
  lb_info info{};
  info.snat_port_min = low;
  info.snat_port_max = high;
  return info;
}

TEST(PortUse, PortsAreThoseThatTheKernelHasNot) {
  EXPECT_EQ(snat_ports(range(1024, 65535), {61000, 65535}), 59976u);
  EXPECT_EQ(snat_ports(range(1, 65535), {61000, 65535}), 59976u);
  EXPECT_EQ(snat_ports(range(20000, 20009), {61000, 65535}), 10u);
  EXPECT_EQ(snat_ports(range(20000, 20009), {20005, 65535}), 5u);
  EXPECT_EQ(snat_ports(range(20000, 20009), {1024, 65535}), 0u);
  EXPECT_EQ(snat_ports(range(20000, 20009), {0, 0}), 10u);
}

TEST(PortUse, EachVipAsASourceHasAllOfThem) {
  Tables tables;
  tables.backends = {{1, backend_at(1)}, {2, backend_at(2)}};
  tables.backends[2].flags |= LB_BACKEND_SNAT_VIP;
  const base::Uuid pool = base::Uuid::random();
  lb_service service = service_of(1, 0);
  for (auto& [id, backend] : tables.backends) backend.pool = to_abi(pool);
  service.pool = to_abi(pool);
  lb_service_key key = service_key(80);
  tables.services[key] = service;
  key.vip = to_abi(*base::IpAddress::parse("192.0.2.7"));
  tables.services[key] = service;
  const auto limits = port_limits(tables, range(1024, 65535));
  EXPECT_EQ(limits.at(1).ports, 64512u);
  EXPECT_EQ(limits.at(2).ports, 129024u);
}

TEST(PortUse, FourOfFiveAreScarce) {
  FlowCensus census;
  census.backend_use.resize(3);
  census.backend_use[1].flows = 79;
  census.backend_use[2].flows = 70;
  census.backend_use[2].opening = 10;
  const auto uses = port_use({{1, {{}, 0, 100}}, {2, {{}, 0, 100}}, {3, {{}, 0, 100}}}, census);
  ASSERT_EQ(uses.size(), 3u);
  EXPECT_FALSE(uses[0].is_scarce());
  EXPECT_TRUE(uses[1].is_scarce());
  EXPECT_FALSE(uses[2].is_scarce());
  EXPECT_EQ(scarce_ports(uses[1]).substr(0, 33), "80 of 100 source ports towards th");
}

}  // namespace
}  // namespace datapath
