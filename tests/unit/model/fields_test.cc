// Tries every attribute of the resources (field_rows.h) in every way.
#include "tests/unit/model/field_rows.h"
#include "tests/unit/model/house.h"

namespace model {
namespace {

// The least that creates a resource of the kind.
json least(Kind kind) {
  switch (kind) {
    case Kind::load_balancer:
      return {{"vip_address", "203.0.113.99"}};
    case Kind::listener:
      return {{"protocol", "TCP"}, {"protocol_port", 9000}};
    case Kind::pool:
      return {{"protocol", "TCP"}, {"lb_algorithm", "ROUND_ROBIN"}};
    case Kind::member:
      return {{"address", "192.0.2.50"}, {"protocol_port", 9000}};
    case Kind::health_monitor:
      return {{"type", "HTTP"}, {"delay", 5}, {"timeout", 3}, {"max_retries", 2}};
    case Kind::l7policy:
      return {{"action", "REJECT"}};
    case Kind::l7rule:
      return {{"type", "PATH"}, {"compare_type", "EQUAL_TO"}, {"value", "/a"}};
  }
  return nullptr;
}

std::string argument(Kind kind) {
  static const char* const kNames[] = {
      "load_balancer.loadbalancer",    "listener_.listener", "pool_.pool", "member_.member",
      "health_monitor_.healthmonitor", "l7policy_.l7policy", "rule_.rule"};
  return kNames[static_cast<size_t>(kind)];
}

json least_of(const Row& row) {
  json body = least(row.kind);
  body.update(row.beside);
  return body;
}

// Where what is changed is a resource that can have the attribute.
House house_for(const Row& row) {
  House house;
  if (row.beside.empty()) return house;
  Edited made = accepted(house.make(row.kind, least_of(row)));
  house.model = settled(made.model);
  (row.kind == Kind::listener ? house.listener : house.pool) = made.id;
  // Leaves the port to the one that a test makes.
  if (row.kind == Kind::listener) house.model.listeners.at(made.id).protocol_port = 9001;
  return house;
}

// What null is answered where something is needed.
std::string of_null(const Row& row) {
  if (row.kind == Kind::l7policy) return "Invalid L7 Policy action specified: None";
  const std::map<std::string, std::string> of_rules{
      {"type", "invalid rule type"},
      {"compare_type", "invalid comparison type for rule type"},
      {"value", "L7 rule type requires a value"}};
  if (row.kind == Kind::l7rule)
    return "Error parsing L7Rule: Invalid L7 Rule: " + of_rules.at(row.field);
  return "None is not a valid option for " + row.field;
}

class Fields : public ::testing::TestWithParam<Row> {
 protected:
  const Row& row = GetParam();
  const House house = house_for(row);
  json with(const json& value) const {
    json body = least_of(row);
    body[row.field] = value;
    return body;
  }
  json shown(const Edited& edited) const {
    return show_one(edited.model, row.kind, edited.id)[row.field];
  }
};

TEST_P(Fields, HasItsDefault) {
  if (row.presence == mandatory_) {
    json body = least(row.kind);
    body.erase(row.field);
    EXPECT_THAT(refused(house.make(row.kind, body)),
                IsFault(400, "Invalid input for field/attribute " + row.field +
                                 ". Value: 'None'. Mandatory field missing."));
    EXPECT_THAT(refused(house.make(row.kind, with(nullptr))), IsFault(400, of_null(row)));
    return;
  }
  if (row.field == "vip_port_id") return;  // every VIP has one
  EXPECT_EQ(shown(accepted(house.make(row.kind, least_of(row)))), row.by_default);
  if (row.field == "vip_address") return;  // something must say where it is
  json of_null = row.field == "admin_state_up" ? json(false) : row.by_default;
  EXPECT_EQ(shown(accepted(house.make(row.kind, with(nullptr)))), of_null);
}

TEST_P(Fields, TakesWhatItMayBe) {
  for (const auto& [given, expected] : row.good) {
    SCOPED_TRACE(given.dump());
    EXPECT_EQ(shown(accepted(house.make(row.kind, with(given)))), expected);
  }
}

TEST_P(Fields, RefusesWhatItMayNotBe) {
  for (const auto& [given, why] : row.bad) {
    SCOPED_TRACE(given.dump());
    for (bool create : {true, false}) {
      if (!create && row.access == immutable_) continue;
      Fault fault = refused(create ? house.make(row.kind, with(given))
                                   : house.change(row.kind, {{row.field, given}}));
      EXPECT_EQ(fault.status, 400);
      if (why.starts_with(kWhole)) {
        EXPECT_EQ(fault.text, why.substr(kWhole.size()));
        continue;
      }
      EXPECT_THAT(fault.text, ::testing::StartsWith("Invalid input for field/attribute "));
      EXPECT_THAT(fault.text, ::testing::EndsWith(". " + why));
      if (!given.is_structured()) {
        EXPECT_THAT(fault.text, ::testing::HasSubstr("attribute " + row.field + ". Value: '"));
      }
    }
  }
}

TEST_P(Fields, IsRefusedWhileNothingCarriesItOut) {
  for (const json& given : row.not_yet) {
    Fault expected{501, "Provider 'amphora-xdp' does not support a requested option: " + row.field};
    EXPECT_THAT(refused(house.make(row.kind, with(given))),
                IsFault(expected.status, expected.text));
    if (row.access == mutable_) {
      EXPECT_THAT(refused(house.change(row.kind, {{row.field, given}})),
                  IsFault(expected.status, expected.text));
    }
  }
}

TEST_P(Fields, ChangesOnlyIfMutable) {
  const auto& [given, expected] = row.good.back();
  auto outcome = house.change(row.kind, {{row.field, given}});
  if (row.access == immutable_) {
    EXPECT_THAT(refused(outcome), IsFault(400, "Unknown attribute for argument " +
                                                   argument(row.kind) + ": " + row.field));
    return;
  }
  EXPECT_EQ(shown(accepted(outcome)), expected);
}

TEST_P(Fields, NullResetsIt) {
  if (row.access == immutable_) return;
  auto outcome = house.change(row.kind, {{row.field, nullptr}});
  if (row.presence == mandatory_) {
    EXPECT_EQ(refused(outcome).status, 400);
    return;
  }
  json of_null = row.field == "admin_state_up" ? json(false) : row.by_default;
  EXPECT_EQ(shown(accepted(outcome)), of_null);
}

TEST_P(Fields, NullUndoesWhatWasSet) {
  if (row.access == immutable_ || row.presence == mandatory_) return;
  House other = house;
  other.model =
      settled(accepted(other.change(row.kind, {{row.field, row.good.front().first}})).model);
  json of_null = row.field == "admin_state_up" ? json(false) : row.by_default;
  EXPECT_EQ(shown(accepted(other.change(row.kind, {{row.field, nullptr}}))), of_null);
}

std::string row_name(const ::testing::TestParamInfo<Row>& info) {
  static const char* const kNames[] = {"loadbalancer_",  "listener_", "pool_",  "member_",
                                       "healthmonitor_", "l7policy_", "l7rule_"};
  return kNames[static_cast<size_t>(info.param.kind)] + info.param.field;
}

INSTANTIATE_TEST_SUITE_P(All, Fields, ::testing::ValuesIn(all_rows()), row_name);

// The rows are all there is: every attribute that is shown is a row, or can only be read.
TEST(FieldTable, LeavesNothingOut) {
  const std::set<std::string> read_only{
      "id",         "provisioning_status", "operating_status", "created_at",      "updated_at",
      "tenant_id",  "project_id",          "listeners",        "pools",           "loadbalancers",
      "members",    "healthmonitor_id",    "l7policies",       "default_pool_id", "rules",
      "listener_id"};
  const House house = House().watched().with_policy();
  for (Kind kind : {Kind::load_balancer, Kind::listener, Kind::pool, Kind::member,
                    Kind::health_monitor, Kind::l7policy, Kind::l7rule}) {
    std::set<std::string> known = read_only;
    // What depends on other attributes: among the rules of monitors, policies and rules.
    known.insert({"domain_name", "redirect_pool_id", "redirect_url", "redirect_prefix",
                  "redirect_http_code", "position", "key"});
    known.insert({"flavor_id", "availability_zone"});  // among those of the catalog
    for (const Row& row : all_rows())
      if (row.kind == kind) known.insert(row.field);
    const json shown = show_one(house.model, kind, house.id(kind));
    for (const auto& [key, value] : shown.items()) EXPECT_TRUE(known.contains(key)) << key;
  }
}

TEST(ReadOnly, CannotBeGiven) {
  House house;
  for (Kind kind : {Kind::load_balancer, Kind::listener, Kind::pool, Kind::member,
                    Kind::health_monitor, Kind::l7policy, Kind::l7rule})
    for (const char* field : {"id", "provisioning_status", "operating_status", "created_at",
                              "updated_at", "request_sriov", "healthmonitor_id"}) {
      json body = least(kind);
      body[field] = kUuid;
      EXPECT_THAT(refused(house.make(kind, body)),
                  IsFault(400, "Unknown attribute for argument " + argument(kind) + ": " + field));
      EXPECT_THAT(refused(house.change(kind, {{field, kUuid}})),
                  IsFault(400, "Unknown attribute for argument " + argument(kind) + ": " + field));
    }
}

TEST(Numbers, NegativeZeroIsZero) {
  House house;
  auto edited = accepted(house.change(Kind::member, json::parse(R"({"weight": -0.0})")));
  EXPECT_EQ(edited.model.members.at(house.member).weight, 0);
}

TEST(Numbers, TooBigForJsonIsNoJson) {
  json body = json::parse(R"({"member": {"weight": 1e400}})", nullptr, false);
  EXPECT_TRUE(body.is_discarded());
  House house;
  EXPECT_EQ(refused(update(house.model, Kind::member, house.pool, house.member, body, kNow)).status,
            400);
}

TEST(Errors, RepeatOnlyTheStartOfAHugeValue) {
  House house;
  Fault fault = refused(house.change(Kind::pool, {{"name", longer(1 << 20)}}));
  EXPECT_EQ(fault.status, 400);
  EXPECT_LT(fault.text.size(), 600u);
}

}  // namespace
}  // namespace model
