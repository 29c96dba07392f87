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

}  // namespace
}  // namespace model
