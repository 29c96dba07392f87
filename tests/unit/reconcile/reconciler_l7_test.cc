// Listeners that come to HAProxy and leave it, and what HAProxy refuses.
#include "tests/unit/reconcile/reconciling.h"

namespace reconcile {
namespace {

using model::Kind;
using nlohmann::json;

class ReconcilerL7 : public Reconciling {
 protected:
  // A load balancer with one listener, carried out as far as it goes.
  base::Uuid make_one(const char* name, const char* vip, const char* protocol) {
    const json pool = {{"name", "p"},
                       {"protocol", protocol},
                       {"lb_algorithm", "ROUND_ROBIN"},
                       {"members", {{{"address", "192.0.2.9"}, {"protocol_port", 80}}}}};
    const json listener = {{"protocol", protocol}, {"protocol_port", 80}, {"default_pool", pool}};
    auto outcome =
        make(Kind::load_balancer,
             {{"loadbalancer",
               {{"name", name}, {"vip_address", vip}, {"listeners", json::array({listener})}}}});
    if (const auto* fault = std::get_if<model::Fault>(&outcome)) ADD_FAILURE() << fault->text;
    const base::Uuid id = std::get<model::Edited>(outcome).id;
    EXPECT_TRUE(run_until([&] { return !is_pending(id); })) << name;
    return id;
  }
  // What HAProxy carries of the only pool is its TLS to the members.
  void encrypt(bool wanted) {
    alter(Kind::pool, only_pool(), {{"pool", {{"tls_enabled", wanted}}}});
    EXPECT_TRUE(run_until([&] { return settled(); }));
  }

  model::ProvisioningStatus status(const base::Uuid& load_balancer) const {
    return queue_->model().load_balancers.at(load_balancer).provisioning_status;
  }
  bool is_pending(const base::Uuid& load_balancer) const {
    return status(load_balancer) == model::ProvisioningStatus::pending_create ||
           status(load_balancer) == model::ProvisioningStatus::pending_update;
  }
  base::Uuid only_pool() const { return queue_->model().pools.begin()->first; }
  base::Uuid only_listener() const { return queue_->model().listeners.begin()->first; }

  // The only service's flows are made by the kernel, for HAProxy.
  static bool to_kernel(const datapath::Tables& tables) {
    return tables.services.size() == 1 &&
           (tables.services.begin()->second.flags & LB_SERVICE_TO_KERNEL) != 0;
  }
};

TEST_F(ReconcilerL7, AListenerIsServedBeforeTheTablesSendItThere) {
  const base::Uuid lb = make_one("lb", "192.0.2.10", "TCP");
  ASSERT_EQ(status(lb), model::ProvisioningStatus::active);
  EXPECT_FALSE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().frontends.empty());
  const size_t before = machine_.served_log().size();

  encrypt(true);
  ASSERT_GT(machine_.served_log().size(), before);
  const FakeMachine::Served& first = machine_.served_log()[before];
  EXPECT_TRUE(first.spec.frontends.contains(only_listener()));
  ASSERT_EQ(first.tables.services.size(), 1u);
  EXPECT_FALSE(to_kernel(first.tables)) << "the datapath still has it";
  EXPECT_TRUE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().frontends.contains(only_listener()));
}

TEST_F(ReconcilerL7, AListenerThatLeavesIsServedUntilTheTablesHaveIt) {
  make_one("lb", "192.0.2.10", "TCP");
  encrypt(true);
  ASSERT_TRUE(to_kernel(machine_.tables()));
  const size_t before = machine_.served_log().size();

  encrypt(false);
  ASSERT_GT(machine_.served_log().size(), before);
  for (size_t i = before; i < machine_.served_log().size(); ++i) {
    const FakeMachine::Served& served = machine_.served_log()[i];
    EXPECT_EQ(served.spec.frontends.contains(only_listener()), to_kernel(served.tables)) << i;
  }
  EXPECT_FALSE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().frontends.empty());
}

TEST_F(ReconcilerL7, AListenerStaysInHaproxyWhenTheTablesCannotBeWritten) {
  make_one("lb", "192.0.2.10", "TCP");
  encrypt(true);
  const size_t before = machine_.served_log().size();
  const uint64_t failures = reconciler_->progress().failures;
  machine_.fail_next("apply");
  alter(Kind::pool, only_pool(), {{"pool", {{"tls_enabled", false}}}});
  ASSERT_TRUE(run_until([&] { return reconciler_->progress().failures > failures; }));
  ASSERT_THAT(reconciler_->progress().error, testing::StartsWith("apply"));
  EXPECT_TRUE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().frontends.contains(only_listener()));
  EXPECT_TRUE(run_until([&] { return settled(); }));
  ASSERT_GT(machine_.served_log().size(), before);
  EXPECT_FALSE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().frontends.empty());
}

TEST_F(ReconcilerL7, WhatIsRefusedIsTriedAgainInAWhile) {
  machine_.refuse_l7(true);
  make_one("seven", "192.0.2.10", "HTTP");
  const uint64_t runs = reconciler_->progress().runs;
  loop_->run_for(std::chrono::milliseconds(400));
  EXPECT_LE(reconciler_->progress().runs, runs + 1) << "it does not spin";
  EXPECT_TRUE(run_until([&] { return reconciler_->progress().runs > runs + 1; }));
}

TEST_F(ReconcilerL7, WhatHaproxyRefusesFailsThoseWhoHaveSomethingThere) {
  machine_.refuse_l7(true);
  const base::Uuid layer_7 = make_one("seven", "192.0.2.10", "HTTP");
  EXPECT_EQ(status(layer_7), model::ProvisioningStatus::error);
  EXPECT_EQ(reconciler_->progress().error, "HAProxy: bad text");
  const uint64_t failures = reconciler_->progress().failures;
  EXPECT_GT(failures, 0u);

  const base::Uuid layer_4 = make_one("four", "192.0.2.11", "TCP");
  EXPECT_EQ(status(layer_4), model::ProvisioningStatus::active);
  EXPECT_EQ(status(layer_7), model::ProvisioningStatus::error);
  EXPECT_EQ(reconciler_->progress().error, "HAProxy: bad text");
  EXPECT_TRUE(machine_.served().frontends.empty());

  machine_.refuse_l7(false);  // it is tried again without being asked
  EXPECT_TRUE(run_until([&] { return settled(); }));
  EXPECT_EQ(reconciler_->progress().error, "");
  EXPECT_GT(reconciler_->progress().failures, failures);
  EXPECT_EQ(machine_.served().frontends.size(), 1u);
}

}  // namespace
}  // namespace reconcile
