// VIPs that nobody says: allocated from the configuration's ranges.
#include "tests/unit/model/house.h"

namespace model {
namespace {

const std::string kNetwork = "11111111-1111-4111-8111-111111111111";
const std::string kOtherNetwork = "22222222-2222-4222-8222-222222222222";
const std::string kSubnet4 = "44444444-4444-4444-8444-444444444444";
const std::string kSubnet6 = "66666666-6666-4666-8666-666666666666";
const std::string kOtherSubnet = "55555555-5555-4555-8555-555555555555";

VipRange range(const std::string& network, const std::string& subnet, const char* prefix,
               const char* first, const char* last) {
  return {network, subnet, *base::IpPrefix::parse(prefix), *base::IpAddress::parse(first),
          *base::IpAddress::parse(last)};
}

Context with_ranges() {
  Context context = kNow;
  context.vip_ranges = std::make_shared<const VipRanges>(
      VipRanges{range(kNetwork, kSubnet6, "2001:db8:1::/64", "2001:db8:1::fffe", "2001:db8:1::1:1"),
                range(kNetwork, kSubnet4, "198.51.100.0/24", "198.51.100.254", "198.51.100.254"),
                range(kOtherNetwork, kOtherSubnet, "192.0.2.0/24", "192.0.2.255", "192.0.3.0")});
  return context;
}

struct Allocated : ::testing::Test {
  Model m;
  Context context = with_ranges();

  Outcome<Edited> make(const json& attributes) {
    return create(m, Kind::load_balancer, Uuid{}, {{"loadbalancer", attributes}}, context);
  }
  LoadBalancer keep(const json& attributes) {
    const Edited made = accepted(make(attributes));
    m = settled(made.model);
    return m.load_balancers.at(made.id);
  }
};

TEST_F(Allocated, BySubnet) {
  const LoadBalancer lb = keep({{"vip_subnet_id", kSubnet6}});
  EXPECT_EQ(lb.vip_address.text(), "2001:db8:1::fffe");
  EXPECT_EQ(lb.vip_network_id, kNetwork);
  EXPECT_TRUE(Uuid::parse(lb.vip_port_id).has_value());
  EXPECT_EQ(keep({{"vip_subnet_id", kSubnet6}}).vip_address.text(), "2001:db8:1::ffff");
  EXPECT_EQ(keep({{"vip_subnet_id", kSubnet6}}).vip_address.text(), "2001:db8:1::1:0");
}

TEST_F(Allocated, ByNetworkIpv4First) {
  EXPECT_EQ(keep({{"vip_network_id", kNetwork}}).vip_address.text(), "198.51.100.254");
  const LoadBalancer next = keep({{"vip_network_id", kNetwork}});
  EXPECT_EQ(next.vip_address.text(), "2001:db8:1::fffe");
  EXPECT_EQ(next.vip_subnet_id, kSubnet6);
}

TEST_F(Allocated, NothingTwiceAndAgainAfterADelete) {
  const LoadBalancer lb = keep({{"vip_subnet_id", kSubnet4}});
  EXPECT_THAT(refused(make({{"vip_subnet_id", kSubnet4}})),
              IsFault(409, "No more IP addresses available on network " + kNetwork + "."));
  m = accepted(remove(m, Kind::load_balancer, Uuid{}, lb.id, Cascade::no, context)).model;
  EXPECT_EQ(refused(make({{"vip_subnet_id", kSubnet4}})).status, 409);  // the machine has it yet
  m = settled(m);
  EXPECT_EQ(keep({{"vip_subnet_id", kSubnet4}}).vip_address, lb.vip_address);
}

TEST_F(Allocated, NotWhatSomebodySaid) {
  keep({{"vip_address", "198.51.100.254"}});
  EXPECT_EQ(refused(make({{"vip_subnet_id", kSubnet4}})).status, 409);
}

TEST_F(Allocated, NotWhereAMemberIs) {
  Member member;
  member.id = Uuid::random();
  member.address = *base::IpAddress::parse("198.51.100.254");
  m.members.emplace(member.id, member);
  EXPECT_EQ(refused(make({{"vip_subnet_id", kSubnet4}})).status, 409);
}

TEST_F(Allocated, AdditionalOnesToo) {
  const LoadBalancer lb =
      keep({{"vip_subnet_id", kSubnet4}, {"additional_vips", {{{"subnet_id", kSubnet6}}}}});
  EXPECT_EQ(lb.additional_vips.at(0).ip_address.text(), "2001:db8:1::fffe");
  EXPECT_THAT(refused(make({{"vip_subnet_id", kSubnet6},
                            {"additional_vips", {{{"subnet_id", kOtherSubnet}}}}})),
              IsFault(400, "Validation failure: All VIP subnets must belong to the same network."));
}

TEST_F(Allocated, NowhereWithoutARange) {
  const std::string id = "d52c5bac-c0b1-4e78-bfdd-9bd34f40e545";
  EXPECT_THAT(refused(make({{"name", "x"}})),
              IsFault(400,
                      "Validation failure: VIP must contain one of: vip_port_id, vip_network_id, "
                      "vip_subnet_id."));
  for (const char* name : {"vip_subnet_id", "vip_network_id", "vip_port_id"})
    EXPECT_THAT(refused(make({{name, id}})),
                IsFault(400,
                        "Validation failure: vip_address is missing, and vip_ranges in the "
                        "agent's configuration has no range of " +
                            std::string(name) + " " + id + " to allocate one from."));
  EXPECT_THAT(refused(make({{"vip_subnet_id", kSubnet4}, {"vip_network_id", kOtherNetwork}})),
              IsFault(400, "Subnet " + kSubnet4 + " not found."));
  context.vip_ranges = nullptr;
  EXPECT_EQ(refused(make({{"vip_subnet_id", kSubnet4}})).status, 400);
}

TEST_F(Allocated, SurviveARestart) {
  const LoadBalancer lb = keep({{"vip_subnet_id", kSubnet4}});
  m = *load(save(m));
  EXPECT_EQ(m.load_balancers.at(lb.id), lb);
  EXPECT_EQ(refused(make({{"vip_subnet_id", kSubnet4}})).status, 409);
}

TEST(Renewal, TriesEverythingAgain) {
  House h = House().watched().with_policy();
  h.model.listeners.at(h.listener).provisioning_status = ProvisioningStatus::error;
  h.model.load_balancers.at(h.lb).provisioning_status = ProvisioningStatus::error;
  const Edited done = accepted(renew(h.model, h.lb, kNow));
  const auto pending = [](const auto& all) {
    for (const auto& [id, one] : all)
      if (one.provisioning_status != ProvisioningStatus::pending_update) return false;
    return !all.empty();
  };
  EXPECT_TRUE(pending(done.model.load_balancers));
  EXPECT_TRUE(pending(done.model.listeners));
  EXPECT_TRUE(pending(done.model.pools));
  EXPECT_TRUE(pending(done.model.members));
  EXPECT_TRUE(pending(done.model.health_monitors));
  EXPECT_TRUE(pending(done.model.l7policies));
  EXPECT_TRUE(pending(done.model.l7rules));
  EXPECT_EQ(done.model.load_balancers.at(h.lb).renewals, 1);
  EXPECT_EQ(settled(done.model).listeners.at(h.listener).provisioning_status,
            ProvisioningStatus::active);
  EXPECT_THAT(refused(renew(done.model, h.lb, kNow)),
              IsFault(409, "Invalid state PENDING_UPDATE of loadbalancer resource " + h.lb.text()));
  EXPECT_EQ(refused(renew(h.model, h.pool, kNow)).status, 404);
}

}  // namespace
}  // namespace model
