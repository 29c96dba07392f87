// Envelopes, locks and what may be changed when.
#include "tests/unit/model/house.h"

namespace model {
namespace {

using PS = ProvisioningStatus;

const Kind kKinds[] = {Kind::load_balancer, Kind::listener, Kind::pool, Kind::member};

TEST(Envelope, NotAnObjectIsAServerErrorAsInOctavia) {
  House h;
  auto text = [&](const json& body) {
    return refused(create(h.model, Kind::listener, Uuid{}, body, kNow)).text;
  };
  EXPECT_EQ(refused(create(h.model, Kind::listener, Uuid{}, json::array(), kNow)).status, 500);
  EXPECT_EQ(text(json::array()), "'list' object has no attribute 'keys'");
  EXPECT_EQ(text("x"), "'str' object has no attribute 'keys'");
  EXPECT_EQ(text(5), "'int' object has no attribute 'keys'");
  EXPECT_EQ(text(nullptr), "'NoneType' object has no attribute 'keys'");
}

TEST(Envelope, MustHoldItsResource) {
  House h;
  const std::string missing =
      "Invalid input for field/attribute listener. Value: 'None'. Mandatory field missing.";
  EXPECT_THAT(refused(create(h.model, Kind::listener, Uuid{}, json::object(), kNow)),
              IsFault(400, missing));
  EXPECT_THAT(refused(create(h.model, Kind::listener, Uuid{}, {{"listener", nullptr}}, kNow)),
              IsFault(400, missing));
  EXPECT_THAT(refused(create(h.model, Kind::listener, Uuid{}, {{"pool", 1}, {"x", 2}}, kNow)),
              IsFault(400, "Unknown attributes for argument listener_: pool, x"));
  EXPECT_EQ(refused(create(h.model, Kind::listener, Uuid{}, {{"listener", 5}}, kNow)).status, 400);
}

TEST(Limits, MoreThanTheMachineCarriesOutIsRefused) {
  House h;
  json listeners = json::array();
  for (int port = 1; port <= 1000; port++)
    listeners.push_back({{"protocol", "TCP"}, {"protocol_port", port}});
  json lb = {{"vip_address", "203.0.113.99"}, {"listeners", listeners}};
  EXPECT_THAT(refused(create(h.model, Kind::load_balancer, Uuid{}, {{"loadbalancer", lb}}, kNow)),
              IsFault(403, "Quota has been met for resources: Listener"));
  lb["listeners"].erase(0);
  accepted(create(h.model, Kind::load_balancer, Uuid{}, {{"loadbalancer", lb}}, kNow));
}

TEST(UnknownAttributes, AreAllNamed) {
  House h;
  EXPECT_THAT(refused(h.make(Kind::member, {{"b", 1}, {"a", 1}})),
              IsFault(400, "Unknown attributes for argument member_.member: a, b"));
}

TEST(UnknownIds, AreNotFound) {
  House h;
  const Uuid none = *Uuid::parse("1b93773c-c0b6-4302-9910-188b950ed216");
  const char* const names[] = {"Load Balancer", "Listener", "Pool", "Member"};
  const char* const envelopes[] = {"loadbalancer", "listener", "pool", "member"};
  for (Kind kind : kKinds) {
    auto i = static_cast<size_t>(kind);
    std::string text = std::string(names[i]) + " " + none.text() + " not found.";
    json body{{envelopes[i], json::object()}};
    EXPECT_THAT(refused(update(h.model, kind, h.pool, none, body, kNow)), IsFault(404, text));
    EXPECT_THAT(refused(remove(h.model, kind, h.pool, none, Cascade::no, kNow)),
                IsFault(404, text));
  }
  EXPECT_THAT(refused(h.make(
                  Kind::listener,
                  {{"protocol", "TCP"}, {"protocol_port", 1}, {"loadbalancer_id", none.text()}})),
              IsFault(404, "Load Balancer " + none.text() + " not found."));
  json member{{"member", {{"address", "192.0.2.1"}, {"protocol_port", 1}}}};
  EXPECT_THAT(refused(create(h.model, Kind::member, none, member, kNow)),
              IsFault(404, "Pool " + none.text() + " not found."));
  EXPECT_THAT(refused(remove(h.model, Kind::member, none, h.member, Cascade::no, kNow)),
              IsFault(404, "Member " + h.member.text() + " not found."));
}

TEST(Locking, CreatingAMemberLocksEverythingAboveIt) {
  House h;
  auto e = accepted(h.make(Kind::member, {{"address", "192.0.2.12"}, {"protocol_port", 80}}));
  EXPECT_EQ(e.model.members.at(e.id).provisioning_status, PS::pending_create);
  EXPECT_EQ(e.model.members.at(h.member).provisioning_status, PS::active);
  EXPECT_EQ(e.model.pools.at(h.pool).provisioning_status, PS::pending_update);
  EXPECT_EQ(e.model.listeners.at(h.listener).provisioning_status, PS::pending_update);
  EXPECT_EQ(e.model.load_balancers.at(h.lb).provisioning_status, PS::pending_update);
}

TEST(Locking, ChangingAResourceLocksItAndItsLoadBalancer) {
  for (Kind kind : kKinds) {
    House h;
    auto e = accepted(h.change(kind, {{"name", "new"}}));
    json shown = show_one(e.model, kind, h.id(kind));
    EXPECT_EQ(shown["provisioning_status"], "PENDING_UPDATE");
    EXPECT_EQ(shown["name"], "new");
    EXPECT_FALSE(shown["updated_at"].is_null());
    EXPECT_EQ(e.model.load_balancers.at(h.lb).provisioning_status, PS::pending_update);
  }
}

TEST(Locking, RemovingAResourceLeavesItUntilItIsGone) {
  for (Kind kind : {Kind::listener, Kind::pool, Kind::member}) {
    House h;
    auto e = accepted(h.take(kind));
    EXPECT_EQ(show_one(e.model, kind, h.id(kind))["provisioning_status"], "PENDING_DELETE");
    EXPECT_EQ(e.model.load_balancers.at(h.lb).provisioning_status, PS::pending_update);
  }
}

TEST(Locking, NothingUnderALockedLoadBalancerChanges) {
  for (PS status : {PS::pending_create, PS::pending_update, PS::pending_delete}) {
    House h;
    h.model.load_balancers.at(h.lb).provisioning_status = status;
    std::string lb = "Load Balancer " + h.lb.text() + " is immutable and cannot be updated.";
    std::string state =
        "Invalid state " + text(status) + " of loadbalancer resource " + h.lb.text();
    EXPECT_THAT(refused(h.change(Kind::load_balancer, {{"name", "x"}})), IsFault(409, state));
    for (Kind kind : {Kind::listener, Kind::pool, Kind::member}) {
      EXPECT_THAT(refused(h.change(kind, {{"name", "x"}})), IsFault(409, lb));
      EXPECT_THAT(refused(h.take(kind)), IsFault(409, lb));
    }
    EXPECT_THAT(refused(h.make(Kind::listener, {{"protocol", "TCP"}, {"protocol_port", 81}})),
                IsFault(409, lb));
    EXPECT_THAT(refused(h.make(Kind::pool, {{"protocol", "TCP"}, {"lb_algorithm", "SOURCE_IP"}})),
                IsFault(409, lb));
    EXPECT_THAT(refused(h.make(Kind::member, {{"address", "192.0.2.9"}, {"protocol_port", 1}})),
                IsFault(409, lb));
    EXPECT_THAT(refused(h.take(Kind::load_balancer, Cascade::yes)), IsFault(409, state));
  }
}

TEST(Locking, WhatIsInErrorCanBeRepaired) {
  House h;
  h.model.load_balancers.at(h.lb).provisioning_status = PS::error;
  h.model.pools.at(h.pool).provisioning_status = PS::error;
  for (Kind kind : {Kind::load_balancer, Kind::listener, Kind::pool, Kind::member}) {
    EXPECT_EQ(
        accepted(h.change(kind, {{"name", "x"}})).model.load_balancers.at(h.lb).provisioning_status,
        PS::pending_update);
    accepted(h.take(kind, Cascade::yes));
  }
  accepted(h.make(Kind::listener, {{"protocol", "TCP"}, {"protocol_port", 81}}));
  accepted(h.make(Kind::member, {{"address", "192.0.2.9"}, {"protocol_port", 1}}));
}

TEST(Locking, ALockedPoolAnswersForItsMembers) {
  House h;
  h.model.pools.at(h.pool).provisioning_status = PS::pending_update;
  std::string pool = "Pool " + h.pool.text() + " is immutable and cannot be updated.";
  EXPECT_THAT(refused(h.make(Kind::member, {{"address", "192.0.2.9"}, {"protocol_port", 1}})),
              IsFault(409, pool));
  EXPECT_THAT(refused(h.change(Kind::member, {{"weight", 3}})), IsFault(409, pool));
  EXPECT_THAT(refused(h.take(Kind::member)), IsFault(409, pool));
  EXPECT_THAT(
      refused(replace_members(h.model, h.pool, {{"members", json::array()}}, Additive::no, kNow)),
      IsFault(409, pool));
}

TEST(Removing, ALoadBalancerWithChildrenNeedsCascade) {
  House h;
  EXPECT_THAT(refused(h.take(Kind::load_balancer)),
              IsFault(400, "Validation failure: Cannot delete Load Balancer " + h.lb.text() +
                               " - it has children"));
  Model m = accepted(h.take(Kind::load_balancer, Cascade::yes)).model;
  for (Kind kind : kKinds)
    EXPECT_EQ(show_one(m, kind, h.id(kind))["provisioning_status"], "PENDING_DELETE");
  EXPECT_EQ(settled(m), Model{});
}

TEST(Removing, CascadeLeavesOtherLoadBalancersAlone) {
  House h;
  auto other =
      accepted(h.make(Kind::load_balancer,
                      {{"vip_address", "203.0.113.11"},
                       {"pools",
                        {{{"name", "p"},
                          {"protocol", "TCP"},
                          {"lb_algorithm", "SOURCE_IP"},
                          {"members", {{{"address", "192.0.2.11"}, {"protocol_port", 8080}}}}}}}}));
  h.model = settled(other.model);
  Model m = settled(accepted(h.take(Kind::load_balancer, Cascade::yes)).model);
  EXPECT_EQ(m.load_balancers.size(), 1u);
  EXPECT_EQ(m.pools.size(), 1u);
  EXPECT_EQ(m.members.size(), 1u);
  EXPECT_TRUE(m.load_balancers.contains(other.id));
}

TEST(Removing, APoolLeavesItsListenersWithoutOne) {
  House h;
  Model m = accepted(h.take(Kind::pool)).model;
  EXPECT_EQ(m.listeners.at(h.listener).default_pool, std::nullopt);
  EXPECT_EQ(m.listeners.at(h.listener).provisioning_status, PS::pending_update);
  EXPECT_EQ(m.members.at(h.member).provisioning_status, PS::pending_delete);
  m = settled(m);
  EXPECT_TRUE(m.pools.empty());
  EXPECT_TRUE(m.members.empty());
  EXPECT_EQ(m.listeners.size(), 1u);
}

TEST(Removing, AListenerLeavesItsPool) {
  House h;
  Model m = settled(accepted(h.take(Kind::listener)).model);
  EXPECT_TRUE(m.listeners.empty());
  EXPECT_EQ(m.pools.size(), 1u);
}

TEST(Refusing, ChangesNothing) {
  House h;
  const Model before = h.model;
  refused(h.change(Kind::member, {{"name", "x"}, {"weight", 300}}));
  refused(h.make(Kind::listener, {{"protocol", "TCP"}, {"protocol_port", 80}}));
  EXPECT_EQ(h.model, before);
}

TEST(Updating, AnEmptyBodyStillLocks) {
  House h;
  auto e = accepted(h.change(Kind::listener, json::object()));
  EXPECT_EQ(e.model.listeners.at(h.listener).provisioning_status, PS::pending_update);
}

TEST(Children, ShowTheirLoadBalancersProject) {
  House h;
  const char* project = "92b249e2-5855-4eca-a02e-cb937be41af9";
  for (Kind kind : kKinds) {
    EXPECT_EQ(show_one(h.model, kind, h.id(kind))["project_id"], project);
    EXPECT_EQ(show_one(h.model, kind, h.id(kind))["tenant_id"], project);
  }
  auto e = accepted(h.make(
      Kind::pool, {{"protocol", "TCP"}, {"lb_algorithm", "SOURCE_IP"}, {"project_id", "other"}}));
  EXPECT_EQ(show_one(e.model, Kind::pool, e.id)["project_id"], project);
}

TEST(Tenant, IsASynonymOfProject) {
  House h;
  auto e =
      accepted(h.make(Kind::load_balancer, {{"vip_address", "203.0.113.12"}, {"tenant_id", "t"}}));
  EXPECT_EQ(show_one(e.model, Kind::load_balancer, e.id)["project_id"], "t");
}

}  // namespace
}  // namespace model
