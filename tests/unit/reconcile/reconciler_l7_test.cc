// Listeners that come to HAProxy and leave it, and what HAProxy refuses.
#include <arpa/inet.h>

#include "tests/unit/reconcile/reconciling.h"

namespace reconcile {
namespace {

using model::Kind;
using PS = model::ProvisioningStatus;
constexpr int kBad = FakeMachine::kBadPort;
using nlohmann::json;

class ReconcilerL7 : public Reconciling {
 protected:
  // A load balancer with one listener, carried out as far as it goes.
  base::Uuid make_one(const char* name, const char* vip, const char* protocol, int port = 80) {
    const json pool = {{"name", "p"},
                       {"protocol", protocol},
                       {"lb_algorithm", "ROUND_ROBIN"},
                       {"members", {{{"address", "192.0.2.9"}, {"protocol_port", 80}}}}};
    const json listener = {{"protocol", protocol}, {"protocol_port", port}, {"default_pool", pool}};
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
  bool serves(const base::Uuid& listener) const {
    const auto& served = machine_.served();
    return std::any_of(served.begin(), served.end(),
                       [&](const auto& one) { return one.second.frontends.contains(listener); });
  }
  base::Uuid listener_at(int port) const {
    for (const auto& [id, listener] : queue_->model().listeners)
      if (listener.protocol_port == port) return id;
    return {};
  }
  model::ProvisioningStatus status_of_listener(int port) const {
    return queue_->model().listeners.at(listener_at(port)).provisioning_status;
  }
  // Of `load_balancer`, carried out as far as it goes.
  void add_listener(const base::Uuid& load_balancer, const char* protocol, int port) {
    make(Kind::listener, {{"listener",
                           {{"loadbalancer_id", load_balancer.text()},
                            {"protocol", protocol},
                            {"protocol_port", port}}}});
    EXPECT_TRUE(run_until([&] { return !is_pending(load_balancer); })) << port;
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
  EXPECT_TRUE(machine_.served().empty());
  const size_t before = machine_.served_log().size();

  encrypt(true);
  ASSERT_GT(machine_.served_log().size(), before);
  const FakeMachine::Served& first = machine_.served_log()[before];
  EXPECT_TRUE(first.has(only_listener()));
  ASSERT_EQ(first.tables.services.size(), 1u);
  EXPECT_FALSE(to_kernel(first.tables)) << "the datapath still has it";
  EXPECT_TRUE(to_kernel(machine_.tables()));
  EXPECT_TRUE(serves(only_listener()));
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
    EXPECT_EQ(served.has(only_listener()), to_kernel(served.tables)) << i;
  }
  EXPECT_FALSE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().empty());
}

// Known with the first look at an interface, so that XDP never forwards what would be broken.
TEST_F(ReconcilerL7, AMachineWhoseXdpCanForwardNothingHasItsTcpInHaproxy) {
  machine_.say_of_interface("interface eth1 has offloads", "");
  const base::Uuid lb = make_one("lb", "192.0.2.10", "TCP");
  EXPECT_EQ(status(lb), PS::active);
  EXPECT_TRUE(to_kernel(machine_.tables()));
  EXPECT_TRUE(serves(only_listener()));
  EXPECT_EQ(reconciler_->progress().placements.at(only_listener()).reason,
            "interface eth1 has offloads");
  EXPECT_EQ(reconciler_->progress().obstacle, "interface eth1 has offloads");

  machine_.say_of_interface("", "");
  reconciler_->request_run(Reconciler::Look::everything);
  EXPECT_TRUE(run_until([&] { return !to_kernel(machine_.tables()); }));
  EXPECT_TRUE(run_until([&] { return !serves(only_listener()); }));
}

TEST_F(ReconcilerL7, AnObstacleHoldsForChangesThatLookAtNothing) {
  machine_.say_of_interface("interface eth1 has offloads", "");
  const base::Uuid lb = make_one("lb", "192.0.2.10", "TCP");
  add_listener(lb, "TCP", 81);
  EXPECT_TRUE(serves(listener_at(81)));
}

TEST_F(ReconcilerL7, AMachineThatLosesPacketsDegradesWhatXdpServes) {
  const base::Uuid four = make_one("four", "192.0.2.10", "TCP");
  const base::Uuid seven = make_one("seven", "192.0.2.11", "HTTP", 81);
  const auto health = [&](const base::Uuid& lb) { return queue_->sight().statuses().at(lb); };
  EXPECT_EQ(health(four), model::OperatingStatus::online);
  machine_.say_of_interface("", "3 packets were lost lately");
  reconciler_->request_run(Reconciler::Look::everything);
  EXPECT_TRUE(run_until([&] { return health(four) == model::OperatingStatus::degraded; }));
  EXPECT_EQ(health(seven), model::OperatingStatus::online);
  machine_.say_of_interface("", "");
  reconciler_->request_run(Reconciler::Look::everything);
  EXPECT_TRUE(run_until([&] { return health(four) == model::OperatingStatus::online; }));
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
  EXPECT_TRUE(serves(only_listener()));
  EXPECT_TRUE(run_until([&] { return settled(); }));
  ASSERT_GT(machine_.served_log().size(), before);
  EXPECT_FALSE(to_kernel(machine_.tables()));
  EXPECT_TRUE(machine_.served().empty());
}

TEST_F(ReconcilerL7, WhatIsRefusedIsTriedAgainInAWhile) {
  machine_.refuse_l7(true);
  make_one("seven", "192.0.2.10", "HTTP", kBad);
  const uint64_t runs = reconciler_->progress().runs;
  loop_->run_for(std::chrono::milliseconds(400));
  EXPECT_LE(reconciler_->progress().runs, runs + 1) << "it does not spin";
  EXPECT_TRUE(run_until([&] { return reconciler_->progress().runs > runs + 1; }));
}

TEST_F(ReconcilerL7, WhatHaproxyRefusesFailsItsLoadBalancerAlone) {
  machine_.refuse_l7(true);
  const base::Uuid bad = make_one("bad", "192.0.2.10", "HTTP", kBad);
  EXPECT_EQ(status(bad), PS::error);
  EXPECT_EQ(reconciler_->progress().error, "load balancer " + bad.text() + ": HAProxy: bad text");
  EXPECT_EQ(reconciler_->progress().unserved,
            (std::map<base::Uuid, std::string>{{bad, "HAProxy: bad text"}}));
  const uint64_t failures = reconciler_->progress().failures;
  EXPECT_GT(failures, 0u);

  const base::Uuid layer_4 = make_one("four", "192.0.2.11", "TCP");
  const base::Uuid layer_7 = make_one("seven", "192.0.2.12", "HTTP");
  EXPECT_EQ(status(layer_4), PS::active);
  EXPECT_EQ(status(layer_7), PS::active);
  EXPECT_EQ(status(bad), PS::error);
  EXPECT_TRUE(machine_.served().contains(layer_7));
  EXPECT_FALSE(machine_.served().contains(bad));

  machine_.refuse_l7(false);  // it is tried again without being asked
  EXPECT_TRUE(run_until([&] { return settled(); }));
  EXPECT_EQ(reconciler_->progress().error, "");
  EXPECT_TRUE(reconciler_->progress().unserved.empty());
  EXPECT_GT(reconciler_->progress().failures, failures);
  EXPECT_TRUE(machine_.served().contains(bad));
}

TEST_F(ReconcilerL7, ListenersOfXdpGoOnBesideOneThatHaproxyRefuses) {
  machine_.refuse_l7(true);
  const base::Uuid lb = make_one("both", "192.0.2.10", "TCP");
  add_listener(lb, "HTTP", kBad);
  EXPECT_EQ(status(lb), PS::error);
  EXPECT_EQ(status_of_listener(kBad), PS::error);
  EXPECT_EQ(status_of_listener(80), PS::active);

  // They can be changed, and what is at fault stays so.
  alter(Kind::listener, listener_at(80), {{"listener", {{"connection_limit", 7}}}});
  ASSERT_TRUE(run_until([&] { return !is_pending(lb); }));
  EXPECT_EQ(status_of_listener(80), PS::active);
  EXPECT_EQ(status_of_listener(kBad), PS::error);
  EXPECT_EQ(status(lb), PS::error);
  for (const auto& [key, service] : machine_.tables().services)
    EXPECT_EQ(service.connection_limit, ntohs(key.port) == 80 ? 7u : 0u);
}

TEST_F(ReconcilerL7, RemovingThePartAtFaultRepairsTheLoadBalancer) {
  machine_.refuse_l7(true);
  const base::Uuid lb = make_one("both", "192.0.2.10", "HTTP");
  add_listener(lb, "HTTP", kBad);
  ASSERT_EQ(status(lb), PS::error);
  EXPECT_TRUE(serves(listener_at(80))) << "as it was before";
  change([bad = listener_at(kBad)](const model::Model& m, const model::Context& now) {
    return model::remove(m, Kind::listener, {}, bad, model::Cascade::no, now);
  });
  EXPECT_TRUE(run_until([&] { return settled(); }));
  EXPECT_EQ(queue_->model().listeners.size(), 1u);
  EXPECT_EQ(status_of_listener(80), PS::active);
}

}  // namespace
}  // namespace reconcile
