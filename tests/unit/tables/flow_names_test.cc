// What another node's flows are called here: by addresses, whatever the ids.
#include "agent/datapath/flow_names.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <functional>
#include <optional>
#include <vector>

#include "agent/datapath/abi.h"
#include "tests/support/addresses.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

base::Uuid id(uint8_t number) {
  base::Uuid out;
  out.bytes[15] = number;
  return out;
}

class Names : public testing::Test {
 protected:
  // Two listeners with a pool each, and members of the same address in both.
  Names() {
    for (const int number : {1, 2}) {
      const auto pool = static_cast<uint8_t>(number);
      lb_service service = service_of(10 + pool, pool);
      service.pool = to_abi(id(pool));
      tables_.services[service_key(80 + pool)] = service;
      lb_backend backend = backend_at(7);
      backend.pool = to_abi(id(pool));
      backend.flags |= LB_BACKEND_SNAT_VIP;
      tables_.backends[static_cast<uint16_t>(20 + pool)] = backend;
    }
  }
  std::optional<FlowNames::Ids> find(FlowNames::Ends flow) const {
    return FlowNames::of(tables_, [](const base::IpAddress&) { return uint16_t{3}; }).find(flow);
  }
  const base::IpAddress vip_ = test::ip("203.0.113.99");
  FlowNames::Ends flow_{IPPROTO_TCP, {vip_, 81}, {member(7), 8080}, vip_};
  Tables tables_;
};

TEST_F(Names, AreOfTheListenersOwnPool) {
  auto ids = find(flow_);
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->service, 11);
  EXPECT_EQ(ids->backend, 21);
  EXPECT_EQ(ids->nexthop, 3);
  EXPECT_TRUE(ids->moves);
  flow_.vip.port = 82;
  ids = find(flow_);
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->service, 12);
  EXPECT_EQ(ids->backend, 22);
}

TEST_F(Names, AreNoneOfWhatIsNotHere) {
  for (const auto& change : std::vector<std::function<void(FlowNames::Ends&)>>{
           [](auto& flow) { flow.protocol = IPPROTO_UDP; }, [](auto& flow) { flow.vip.port = 83; },
           [](auto& flow) { flow.member.port = 8081; },
           [](auto& flow) { flow.member.address = member(8); }}) {
    FlowNames::Ends other = flow_;
    change(other);
    EXPECT_FALSE(find(other));
  }
  tables_.services[service_key(81)].pool = to_abi(id(3));
  EXPECT_FALSE(find(flow_));
}

TEST_F(Names, MoveWithTheVipAlone) {
  flow_.snat = member(1);
  EXPECT_FALSE(find(flow_)->moves);
  flow_.snat = vip_;
  tables_.backends[21].flags &= static_cast<uint8_t>(~LB_BACKEND_SNAT_VIP);
  EXPECT_FALSE(find(flow_)->moves);
}

}  // namespace
}  // namespace datapath
