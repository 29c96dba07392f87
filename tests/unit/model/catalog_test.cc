// Flavors, availability zones and quotas: what may be said of them, and what they decide.
#include "agent/model/edit/catalog.h"

#include "agent/model/edit/quotas.h"
#include "agent/model/limits.h"
#include "tests/unit/model/house.h"

namespace model {
namespace {

struct Offers : ::testing::Test {
  Model m;

  std::string add(CatalogKind kind, const json& attributes) {
    json body;
    body[std::string(names_of(kind).singular)] = attributes;
    auto made = create(m, kind, body);
    if (auto* fault = std::get_if<Fault>(&made)) {
      ADD_FAILURE() << fault->text;
      return "";
    }
    m = std::get<CatalogEdited>(made).model;
    return std::get<CatalogEdited>(made).id;
  }
  Fault refused_create(CatalogKind kind, const json& attributes) {
    json body;
    body[std::string(names_of(kind).singular)] = attributes;
    auto made = create(m, kind, body);
    const auto* fault = std::get_if<Fault>(&made);
    return fault ? *fault : Fault{0, "accepted"};
  }
  std::string profile(const std::string& data = R"({"loadbalancer_topology": "SINGLE"})") {
    return add(CatalogKind::flavor_profile,
               {{"name", "p"}, {"provider_name", "amphora"}, {"flavor_data", data}});
  }
  Outcome<Edited> load_balancer(const json& more) {
    json attributes{{"vip_address", "203.0.113.77"}};
    attributes.update(more);
    return create(m, Kind::load_balancer, Uuid{}, {{"loadbalancer", attributes}}, kNow);
  }
};

TEST_F(Offers, AreKeptAndShown) {
  const std::string p = profile();
  const std::string id = add(CatalogKind::flavor, {{"name", "small"}, {"flavor_profile_id", p}});
  EXPECT_EQ(*show(m, CatalogKind::flavor, id), (json{{"id", id},
                                                     {"name", "small"},
                                                     {"description", ""},
                                                     {"enabled", true},
                                                     {"flavor_profile_id", p}}));
  const Model again = *load(save(m));
  EXPECT_EQ(again, m);
  EXPECT_EQ(show_all(again, CatalogKind::flavor_profile).size(), 1u);
}

TEST_F(Offers, ProfilesSayWhatIsKnown) {
  const auto with = [&](const std::string& data, const std::string& provider = "amphora-xdp") {
    return refused_create(CatalogKind::flavor_profile,
                          {{"name", "p"}, {"provider_name", provider}, {"flavor_data", data}});
  };
  EXPECT_THAT(with("{"), IsFault(400, "{ is not a valid option for flavor_data"));
  EXPECT_THAT(with("{}", "ovn"), IsFault(400, "Provider 'ovn' is not enabled."));
  const std::string option = "Provider 'amphora-xdp' does not support a requested option: ";
  EXPECT_THAT(with(R"({"x": 1})"),
              IsFault(501, option + "Additional properties are not allowed ('x' was unexpected)"));
  EXPECT_EQ(with(R"({"loadbalancer_topology": "TWO"})").status, 501);
  EXPECT_EQ(with(R"({"compute_flavor": 5})").status, 501);
  EXPECT_EQ(with(R"([])").status, 501);
  EXPECT_EQ(refused_create(CatalogKind::flavor_profile, {{"name", "p"}}).text,
            "Invalid input for field/attribute provider_name. Value: 'None'. Mandatory field "
            "missing.");
  EXPECT_EQ(capabilities(CatalogKind::flavor_profile).size(), 3u);
}

TEST_F(Offers, AreNotTakenFromWhoUsesThem) {
  const std::string p = profile();
  const std::string flavor = add(CatalogKind::flavor, {{"name", "a"}, {"flavor_profile_id", p}});
  EXPECT_THAT(refused_create(CatalogKind::flavor, {{"name", "a"}, {"flavor_profile_id", p}}),
              IsFault(409, "A flavor of a already exists."));
  const auto text_of = [](const Outcome<CatalogEdited>& outcome) {
    return std::get<Fault>(outcome).text;
  };
  EXPECT_EQ(text_of(remove(m, CatalogKind::flavor_profile, p)),
            "Flavor profile " + p + " is in use and cannot be modified.");
  EXPECT_EQ(text_of(update(m, CatalogKind::flavor_profile, p,
                           {{"flavorprofile", {{"flavor_data", "{}"}}}})),
            "Flavor profile " + p + " is in use and cannot be modified.");
  m = accepted(load_balancer({{"flavor_id", flavor}})).model;
  EXPECT_EQ(text_of(remove(m, CatalogKind::flavor, flavor)),
            "Flavor " + flavor + " is in use and cannot be modified.");
  EXPECT_EQ(text_of(remove(m, CatalogKind::flavor, "x")), "Flavor x not found.");
}

TEST_F(Offers, DecideForALoadBalancer) {
  const std::string p = profile();
  const std::string flavor = add(CatalogKind::flavor, {{"name", "a"}, {"flavor_profile_id", p}});
  EXPECT_EQ(accepted(load_balancer({{"flavor_id", flavor}}))
                .model.load_balancers.begin()
                ->second.provider,
            "amphora");
  EXPECT_THAT(refused(load_balancer({{"flavor_id", flavor}, {"provider", "octavia"}})),
              IsFault(400, "Flavor '" + flavor + "' is not compatible with provider 'octavia'"));
  EXPECT_THAT(refused(load_balancer({{"flavor_id", p}})),
              IsFault(400, "Validation failure: Invalid flavor_id."));
  const auto off = update(m, CatalogKind::flavor, flavor, {{"flavor", {{"enabled", false}}}});
  m = std::get<CatalogEdited>(off).model;
  EXPECT_THAT(refused(load_balancer({{"flavor_id", flavor}})),
              IsFault(400, "The selected flavor is not allowed in this deployment: " + flavor));
}

TEST_F(Offers, ZonesAllowNetworks) {
  const std::string network = "11111111-1111-4111-8111-111111111111";
  const std::string p =
      add(CatalogKind::availability_zone_profile,
          {{"name", "p"},
           {"provider_name", "amphora"},
           {"availability_zone_data", json{{"valid_vip_networks", {network}}}.dump()}});
  EXPECT_EQ(
      add(CatalogKind::availability_zone, {{"name", "west"}, {"availability_zone_profile_id", p}}),
      "west");
  EXPECT_THAT(refused(load_balancer({{"availability_zone", "west"}})),
              IsFault(400,
                      "Validation failure: Supplied VIP network_id is not allowed by the "
                      "configuration of this deployment."));
  const Edited made =
      accepted(load_balancer({{"availability_zone", "west"}, {"vip_network_id", network}}));
  EXPECT_EQ(show_one(made.model, Kind::load_balancer, made.id)["availability_zone"], "west");
  EXPECT_THAT(refused(load_balancer({{"availability_zone", "east"}})),
              IsFault(400, "Validation failure: Invalid availability zone."));
}

Model with_quota(const House& h, const json& quota) {
  return std::get<Model>(set_quota(h.model, "", {{"quota", quota}}));
}

// A house of no project: of "".
House unowned(House h) {
  h.model.load_balancers.at(h.lb).project_id.clear();
  return h;
}

TEST(Quotas, AreHeld) {
  const House h = unowned(House().watched().with_policy());
  const std::vector<std::tuple<Kind, std::string, std::string, json>> kinds{
      {Kind::load_balancer, "loadbalancer", "Load Balancer", {{"vip_address", "203.0.113.99"}}},
      {Kind::listener, "listener", "Listener", {{"protocol", "TCP"}, {"protocol_port", 99}}},
      {Kind::pool, "pool", "Pool", {{"protocol", "TCP"}, {"lb_algorithm", "ROUND_ROBIN"}}},
      {Kind::member, "member", "Member", {{"address", "192.0.2.99"}, {"protocol_port", 1}}},
      {Kind::l7policy, "l7policy", "L7 Policy", {{"action", "REJECT"}}},
  };
  for (const auto& [kind, key, title, attributes] : kinds) {
    const size_t present =
        with_all(h.model, kind, [](const auto& all) { return size_t{all.size()}; });
    House full = h, roomy = h;
    full.model = with_quota(h, {{key, present}});
    roomy.model = with_quota(h, {{key, present + 1}});
    EXPECT_THAT(refused(full.make(kind, attributes)),
                IsFault(403, "Quota has been met for resources: " + title));
    accepted(roomy.make(kind, attributes));
  }
}

TEST(Quotas, ComeBeforeWhatIsLocked) {
  House h = unowned({});
  h.model.load_balancers.at(h.lb).provisioning_status = ProvisioningStatus::pending_update;
  h.model = with_quota(h, {{"listener", 1}});
  EXPECT_EQ(refused(h.make(Kind::listener, {{"protocol", "TCP"}, {"protocol_port", 99}})).status,
            403);
}

TEST(Quotas, CountWhatABatchAndATreeBring) {
  House h = unowned({});
  h.model = with_quota(h, {{"member", 2}});
  json members = json::array();
  for (int i = 1; i <= 2; i++)
    members.push_back({{"address", "192.0.2." + std::to_string(50 + i)}, {"protocol_port", 1}});
  const json body{{"members", members}};
  EXPECT_THAT(refused(replace_members(h.model, h.pool, body, Additive::yes, kNow)),
              IsFault(403, "Quota has been met for resources: Member"));
  accepted(replace_members(h.model, h.pool, body, Additive::no, kNow));
  json tree{{"vip_address", "203.0.113.98"},
            {"pools",
             {{{"name", "a"},
               {"protocol", "TCP"},
               {"lb_algorithm", "ROUND_ROBIN"},
               {"members", members}}}}};
  EXPECT_EQ(refused(h.make(Kind::load_balancer, tree)).status, 403);
}

TEST(Quotas, AreSetAndReset) {
  Model m =
      std::get<Model>(set_quota(Model{}, "p", {{"quota", {{"pool", 3}, {"load_balancer", 4}}}}));
  EXPECT_EQ(quota_of(m, "p")["pool"], 3);
  EXPECT_EQ(quota_of(m, "p")["loadbalancer"], 4);
  EXPECT_EQ(quota_of(m, "p")["listener"], kMostServices);
  EXPECT_EQ(quota_of(m, "other"), default_quota());
  EXPECT_EQ(show_quotas(m).at(0)["listener"], nullptr);
  EXPECT_EQ(*load(save(m)), m);
  m = std::get<Model>(set_quota(m, "p", {{"quota", {{"pool", nullptr}}}}));
  EXPECT_EQ(quota_of(m, "p")["pool"], -1);
  EXPECT_EQ(quota_of(m, "p")["load_balancer"], 4);
  EXPECT_EQ(std::get<Fault>(set_quota(m, "p", {{"quota", {{"pool", -2}}}})).status, 400);
  EXPECT_EQ(std::get<Fault>(set_quota(m, "p", {{"quota", {{"x", 1}}}})).text,
            "Unknown attribute for argument quotas.quota: x");
  m = std::get<Model>(reset_quota(m, "p"));
  EXPECT_TRUE(m.catalog.quotas.empty());
  EXPECT_EQ(std::get<Fault>(reset_quota(m, "p")).text, "Quotas p not found.");
}

}  // namespace
}  // namespace model
