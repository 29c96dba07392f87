// PUT /pools/{id}/members
#include "tests/unit/model/house.h"

namespace model {
namespace {

using PS = ProvisioningStatus;

json member(const char* address, json more = json::object()) {
  more["address"] = address;
  more["protocol_port"] = 8080;
  return more;
}

struct Batch : ::testing::Test {
  House h;
  Outcome<Edited> put(const json& members, Additive additive = Additive::no) const {
    return replace_members(h.model, h.pool, {{"members", members}}, additive, kNow);
  }
  static const Member* find(const Model& m, const std::string& address) {
    for (const auto& [id, one] : m.members)
      if (one.address.text() == address) return &one;
    return nullptr;
  }
};

TEST_F(Batch, CreatesUpdatesAndDeletes) {
  h.model = settled(accepted(put({member("192.0.2.11"), member("192.0.2.12")})).model);
  auto e = accepted(put({member("192.0.2.12", {{"weight", 7}}), member("192.0.2.13")}));
  EXPECT_EQ(e.id, h.pool);
  EXPECT_EQ(find(e.model, "192.0.2.11")->provisioning_status, PS::pending_delete);
  EXPECT_EQ(find(e.model, "192.0.2.12")->provisioning_status, PS::pending_update);
  EXPECT_EQ(find(e.model, "192.0.2.12")->weight, 7);
  EXPECT_EQ(find(e.model, "192.0.2.12")->id, find(h.model, "192.0.2.12")->id);
  EXPECT_EQ(find(e.model, "192.0.2.13")->provisioning_status, PS::pending_create);
  EXPECT_EQ(e.model.pools.at(h.pool).provisioning_status, PS::pending_update);
  EXPECT_EQ(e.model.load_balancers.at(h.lb).provisioning_status, PS::pending_update);
  EXPECT_EQ(settled(e.model).members.size(), 2u);
}

TEST_F(Batch, AdditiveKeepsWhatIsNotNamed) {
  auto e = accepted(put(json::array({member("192.0.2.13")}), Additive::yes));
  EXPECT_EQ(find(e.model, "192.0.2.11")->provisioning_status, PS::active);
  EXPECT_EQ(settled(e.model).members.size(), 2u);
}

TEST_F(Batch, WhatIsNotSaidGoesToTheDefaultOfACreation) {
  h.model =
      settled(accepted(h.change(Kind::member,
                                {{"name", "n"}, {"weight", 9}, {"backup", true}, {"tags", {"t"}}}))
                  .model);
  auto e = accepted(put(json::array({member("192.0.2.11")})));
  const Member& m = e.model.members.at(h.member);
  EXPECT_EQ(m.weight, 1);
  EXPECT_FALSE(m.backup);
  EXPECT_EQ(m.name, "n");
  EXPECT_EQ(m.tags, std::vector<std::string>{"t"});
}

TEST_F(Batch, EmptyRemovesAll) {
  EXPECT_TRUE(settled(accepted(put(json::array())).model).members.empty());
}

TEST_F(Batch, NothingToDoLocksNothing) {
  EXPECT_EQ(accepted(put(json::array(), Additive::yes)).model, h.model);
}

TEST_F(Batch, RefusesAMemberNamedTwice) {
  const char* text =
      "Another member on this pool is already using ip 192.0.2.%s on protocol_port 8080";
  auto twice = [&](const char* address) {
    return refused(put({member(address), member("192.0.2.77"), member(address)}));
  };
  std::string known = text, fresh = text;
  known.replace(known.find("%s"), 2, "11");
  fresh.replace(fresh.find("%s"), 2, "12");
  EXPECT_THAT(twice("192.0.2.11"), IsFault(409, known));
  EXPECT_THAT(twice("192.0.2.12"), IsFault(409, fresh));
}

TEST_F(Batch, IsAllOrNothing) {
  Fault fault = refused(put({member("192.0.2.12"), member("192.0.2.13", {{"weight", 257}})}));
  EXPECT_EQ(fault.status, 400);
  EXPECT_EQ(fault.where, "members[1]");
}

TEST_F(Batch, BodyMustBeAListOfMembers) {
  for (const json& bad : {json("x"), json(5), json::object(), json{5}, json{nullptr}})
    EXPECT_EQ(refused(put(bad)).status, 400) << bad;
  EXPECT_EQ(refused(put(nullptr)).status, 400);
  EXPECT_THAT(refused(put(json::array({member("192.0.2.12", {{"bogus", 1}})}))),
              IsFault(400, "Unknown attribute for argument members_.members: bogus"));
}

}  // namespace
}  // namespace model
