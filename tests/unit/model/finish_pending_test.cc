// After the machine tried.
#include "tests/unit/model/house.h"

namespace model {
namespace {

using PS = ProvisioningStatus;
const Context kLater{kNow.now + std::chrono::seconds(5)};

TEST(Settle, CarriedOutMakesActive) {
  for (PS status : {PS::active, PS::pending_create, PS::pending_update, PS::error}) {
    House h;
    h.model.listeners.at(h.listener).provisioning_status = status;
    h.model.members.at(h.member).provisioning_status = status;
    Model m = finish_pending(h.model, Carried::out, {h.lb}, kLater);
    EXPECT_EQ(m.listeners.at(h.listener).provisioning_status, PS::active);
    EXPECT_EQ(m.members.at(h.member).provisioning_status, PS::active);
    if (status != PS::active) {
      EXPECT_EQ(m.members.at(h.member).updated_at, kLater.now);
    }
  }
}

TEST(Settle, CarriedOutTakesAwayWhatGoes) {
  House h;
  h.model.members.at(h.member).provisioning_status = PS::pending_delete;
  EXPECT_TRUE(finish_pending(h.model, Carried::out, {h.lb}, kLater).members.empty());
}

TEST(Settle, FailureMakesWhatWasPendingAnError) {
  for (PS status : {PS::pending_create, PS::pending_update, PS::pending_delete}) {
    House h;
    h.model.members.at(h.member).provisioning_status = status;
    Model m = finish_pending(h.model, Carried::failed, {h.lb}, kLater);
    EXPECT_EQ(m.members.at(h.member).provisioning_status, PS::error);
    EXPECT_EQ(m.listeners.at(h.listener).provisioning_status, PS::active);
  }
}

TEST(Settle, ConcernsOnlyTheNamed) {
  House h;
  h.model.load_balancers.at(h.lb).provisioning_status = PS::pending_update;
  h.model.members.at(h.member).provisioning_status = PS::pending_delete;
  EXPECT_EQ(finish_pending(h.model, Carried::out, {Uuid::random()}, kLater), h.model);
  EXPECT_EQ(finish_pending(h.model, Carried::failed, {}, kLater), h.model);
}

TEST(Settle, AnErrorHealsWhenItIsCarriedOut) {
  House h;
  Model failed = finish_pending(accepted(h.change(Kind::listener, {{"connection_limit", 5}})).model,
                                Carried::failed, {h.lb}, kLater);
  EXPECT_EQ(failed.load_balancers.at(h.lb).provisioning_status, PS::error);
  Model healed = finish_pending(failed, Carried::out, {h.lb}, kLater);
  EXPECT_EQ(healed.load_balancers.at(h.lb).provisioning_status, PS::active);
  EXPECT_EQ(healed.listeners.at(h.listener).connection_limit, 5);
}

TEST(Settle, WhatIsNotServedFailsAloneWithWhatItUses) {
  House h;
  Listener other = h.model.listeners.at(h.listener);
  other.id = Uuid::random();
  other.protocol_port = 81;
  other.default_pool.reset();
  h.model.listeners[other.id] = other;
  h.model.load_balancers.at(h.lb).provisioning_status = PS::pending_update;
  h.model.members.at(h.member).provisioning_status = PS::pending_update;
  h.model.listeners.at(h.listener).provisioning_status = PS::pending_update;
  h.model.listeners.at(other.id).provisioning_status = PS::pending_update;
  Model m = finish_without(h.model, {h.listener}, {h.lb}, kLater);
  EXPECT_EQ(m.load_balancers.at(h.lb).provisioning_status, PS::error);
  EXPECT_EQ(m.listeners.at(h.listener).provisioning_status, PS::error);
  EXPECT_EQ(m.members.at(h.member).provisioning_status, PS::error);
  EXPECT_EQ(m.pools.at(h.pool).provisioning_status, PS::active) << "it was not to change";
  EXPECT_EQ(m.listeners.at(other.id).provisioning_status, PS::active);
  EXPECT_EQ(finish_without(h.model, {h.listener}, {}, kLater), h.model);
}

TEST(Settle, WhatGoesIsNotKeptByWhatIsNotServed) {
  House h;
  h.model.members.at(h.member).provisioning_status = PS::pending_delete;
  EXPECT_TRUE(finish_without(h.model, {h.listener}, {h.lb}, kLater).members.empty());
}

}  // namespace
}  // namespace model
