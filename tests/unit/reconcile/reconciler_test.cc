// The reconciler against a machine in memory: what is accepted arrives, whatever fails on the way.
#include "agent/datapath/abi.h"
#include "tests/unit/reconcile/reconciling.h"

namespace reconcile {
namespace {

namespace asio = boost::asio;

using ReconcilerTest = Reconciling;

TEST_F(ReconcilerTest, AcceptedIsPendingThenActiveAndInTheTables) {
  auto outcome = create_load_balancer(80);
  ASSERT_TRUE(std::holds_alternative<model::Edited>(outcome))
      << std::get<model::Fault>(outcome).text;
  const auto& edited = std::get<model::Edited>(outcome);
  EXPECT_EQ(edited.model.load_balancers.at(edited.id).provisioning_status,
            model::ProvisioningStatus::pending_create);
  EXPECT_TRUE(run_until([&] { return settled(); }));
  EXPECT_EQ(machine_.tables().services.size(), 1u);
  EXPECT_EQ(machine_.tables().rings.size(), 1u);
  EXPECT_EQ(machine_.layout().vips.size(), 1u);
}

TEST_F(ReconcilerTest, RefusedChangesNothing) {
  auto outcome = change([](const model::Model&, const model::Context&) {
    return model::Outcome<model::Edited>(model::Fault{409, "no"});
  });
  EXPECT_EQ(std::get<model::Fault>(outcome).status, 409);
  EXPECT_TRUE(queue_->model().load_balancers.empty());
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/state.json"));
}

TEST_F(ReconcilerTest, StorageThatFailsRefusesTheChange) {
  std::filesystem::create_directory(directory_ + "/state.json.next");
  auto outcome = create_load_balancer(80);
  ASSERT_TRUE(std::holds_alternative<model::Fault>(outcome));
  EXPECT_EQ(std::get<model::Fault>(outcome).status, 500);
  EXPECT_THAT(std::get<model::Fault>(outcome).text, testing::HasSubstr("state.json.next"));
  EXPECT_TRUE(queue_->model().load_balancers.empty());
}

TEST_F(ReconcilerTest, WhateverCallFailsTheNextRunArrives) {
  ASSERT_TRUE(run_until([&] { return settled(); }));
  create_load_balancer(80);
  ASSERT_TRUE(run_until([&] { return settled(); }));
  for (int n = 0; n < 10; n++) {
    machine_.fail_call(n);
    size_t before = machine_.tables().services.size();
    auto outcome = create_load_balancer(100 + n);
    ASSERT_TRUE(std::holds_alternative<model::Edited>(outcome));
    EXPECT_TRUE(run_until([&] {
      return settled() && machine_.tables().services.size() == before + 1;
    })) << "call "
        << n << ": " << reconciler_->progress().error;
  }
}

TEST_F(ReconcilerTest, RestartGoesOnWithTheSameNumbers) {
  create_load_balancer(80);
  ASSERT_TRUE(run_until([&] { return settled(); }));
  auto before = machine_.tables().services;
  int calls = machine_.calls();
  crash();
  start();
  ASSERT_TRUE(run_until([&] { return settled(); }));
  ASSERT_EQ(machine_.tables().services.size(), 1u);
  EXPECT_EQ(machine_.tables().services.begin()->second.id, before.begin()->second.id);
  EXPECT_LT(machine_.calls() - calls, 10) << "nothing had to be written again";
}

TEST_F(ReconcilerTest, RestartLeavesTheVipsWhereTheyAre) {
  create_load_balancer(80);
  ASSERT_TRUE(run_until([&] { return settled(); }));
  crash();
  start();
  ASSERT_TRUE(run_until([&] { return settled(); }));
  EXPECT_EQ(machine_.layout().vips.size(), 1u);
  EXPECT_FALSE(machine_.vip_went());
}

// The only backend of the machine's tables, as a monitor that found its member down leaves it.
lb_backend mark_down(FakeMachine& machine) {
  auto [id, backend] = *machine.tables().backends.begin();
  backend.flags |= LB_BACKEND_GONE;
  EXPECT_TRUE(machine.apply(std::vector<datapath::Step>{datapath::PutBackend{id, backend}}).ok());
  return backend;
}

TEST_F(ReconcilerTest, WhoWasDownBeforeARestartIsDownAfterIt) {
  create_load_balancer(80);
  ASSERT_TRUE(run_until([&] { return settled(); }));
  crash();
  const base::Uuid member = datapath::from_abi(mark_down(machine_).member);
  start();
  Findings& findings = agent_->findings;
  // A heartbeat may leave before anything is planned.
  const auto told = [&findings] {
    std::set<base::Uuid> down;
    findings.for_each_probed([&down](const base::Uuid& id, const health::Health& health) {
      if (!health.usable) down.insert(id);
    });
    return down;
  };
  EXPECT_THAT(findings.members_down(), testing::ElementsAre(member));
  EXPECT_THAT(told(), testing::ElementsAre(member));
  health::Target target;
  target.member = member;
  findings.probe({target});
  EXPECT_THAT(findings.members_down(), testing::ElementsAre(member));
  EXPECT_THAT(told(), testing::ElementsAre(member));
  findings.probe({});
}

// HAProxy takes a server for up until its checks say otherwise, and so does who is told of ours.
TEST_F(ReconcilerTest, WhoIsNotProbedYetIsUp) {
  create_load_balancer(80);
  ASSERT_TRUE(run_until([&] { return settled(); }));
  model::Model m = queue_->model();
  model::HealthMonitor monitor;
  monitor.id = base::Uuid::random();
  monitor.pool = m.pools.begin()->first;
  monitor.provisioning_status = model::ProvisioningStatus::active;
  m.health_monitors.emplace(monitor.id, monitor);
  health::Target target;
  target.member = m.members.begin()->first;
  Findings findings(loop_->get_executor());  // the loop does not run: nobody is probed
  EXPECT_EQ(model::operating_statuses(m, findings.seen()).at(target.member),
            model::OperatingStatus::offline);
  findings.probe({target});
  EXPECT_EQ(model::operating_statuses(m, findings.seen()).at(target.member),
            model::OperatingStatus::online);
  findings.probe({});
}

TEST_F(ReconcilerTest, WhoWasDownAndIsMonitoredNoMoreIsNotDown) {
  create_load_balancer(80);
  ASSERT_TRUE(run_until([&] { return settled(); }));
  crash();
  mark_down(machine_);
  start();
  EXPECT_TRUE(run_until([&] {
    return (machine_.tables().backends.begin()->second.flags & LB_BACKEND_GONE) == 0 &&
           machine_.tables().rings.size() == 1;
  }));
}

TEST_F(ReconcilerTest, TwoWritersAreBothHeard) {
  std::vector<int> answers;
  auto ask = [&](int status) -> asio::awaitable<void> {
    Edit edit = [status](const model::Model&, const model::Context&) {
      return model::Outcome<model::Edited>(model::Fault{status, ""});
    };
    auto outcome = co_await queue_->change(std::move(edit));
    answers.push_back(std::get<model::Fault>(outcome).status);
  };
  for (int status = 1; status <= 20; status++) asio::co_spawn(*loop_, ask(status), asio::detached);
  run_until([&] { return answers.size() == 20; });
  EXPECT_EQ(answers.size(), 20u);
  EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
}

}  // namespace
}  // namespace reconcile
