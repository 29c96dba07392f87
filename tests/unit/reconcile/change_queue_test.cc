// Changes and when they are carried out, as doors see it.
#include "tests/unit/reconcile/reconciling.h"

namespace reconcile {
namespace {

using Queue = Reconciling;

base::Error error_of(const base::Status& status) {
  return status.ok() ? base::Error{0, "no error"} : status.error();
}

TEST_F(Queue, CarriedOutReturnsWhenTheMachineHasIt) {
  const uint64_t before = queue_->revision();
  create_load_balancer(80);
  EXPECT_GT(queue_->revision(), before);
  ASSERT_TRUE(answer_of(queue_->carried_out(queue_->revision())));
  EXPECT_EQ(machine_.tables().services.size(), 1u);
  EXPECT_TRUE(settled());
}

TEST_F(Queue, WhatIsThereAlreadyIsNotWaitedFor) {
  ASSERT_TRUE(answer_of(queue_->carried_out(queue_->revision())));
  const uint64_t runs = reconciler_->progress().runs;
  ASSERT_TRUE(answer_of(queue_->carried_out(queue_->revision())));
  EXPECT_EQ(reconciler_->progress().runs, runs);
}

TEST_F(Queue, TheErrorIsThatOfTheFirstAttempt) {
  ASSERT_TRUE(answer_of(queue_->carried_out(queue_->revision())));
  machine_.fail_next("apply");
  create_load_balancer(80);
  const auto failed = answer_of(queue_->carried_out(queue_->revision()));
  EXPECT_THAT(error_of(failed).message(), testing::StartsWith("apply"));
  EXPECT_TRUE(run_until([&] { return settled(); })) << "attempts go on";
  EXPECT_TRUE(answer_of(queue_->carried_out(queue_->revision())));
}

TEST_F(Queue, HaproxysWordsAreTheError) {
  machine_.refuse_l7(true);
  const nlohmann::json body = {
      {"loadbalancer",
       {{"vip_address", "192.0.2.10"},
        {"listeners", {{{"protocol", "HTTP"}, {"protocol_port", FakeMachine::kBadPort}}}}}}};
  const auto made = make(model::Kind::load_balancer, body);
  ASSERT_TRUE(std::holds_alternative<model::Edited>(made)) << std::get<model::Fault>(made).text;
  EXPECT_EQ(error_of(answer_of(queue_->carried_out(queue_->revision()))).message(),
            "load balancer " + std::get<model::Edited>(made).id.text() + ": HAProxy: bad text");
}

TEST_F(Queue, WhatTheJudgeRefusesChangesNothing) {
  size_t asked = 0;
  queue_->judge_with(
      [&asked](const model::Model& before, const model::Model& after) -> model::Refusal {
        asked++;
        if (after.listeners.size() != 2) return std::nullopt;
        EXPECT_EQ(before.listeners.size(), 1u);
        return model::Fault{400, "HAProxy's words"};
      });
  ASSERT_TRUE(std::holds_alternative<model::Edited>(create_load_balancer(80)));
  ASSERT_TRUE(run_until([&] { return settled(); }));
  const uint64_t revision = queue_->revision();
  const auto refused = create_load_balancer(81);
  ASSERT_TRUE(std::holds_alternative<model::Fault>(refused));
  EXPECT_EQ(std::get<model::Fault>(refused).text, "HAProxy's words");
  EXPECT_EQ(queue_->model().load_balancers.size(), 1u);
  EXPECT_EQ(queue_->revision(), revision);
  EXPECT_EQ(agent_->store.load()->load_balancers.size(), 1u);
  EXPECT_EQ(asked, 2u) << "what the model says of itself is nobody's to judge";
}

TEST_F(Queue, ARefusedChangeWantsNothing) {
  const uint64_t before = queue_->revision();
  answer_of(queue_->change([](const model::Model&, const model::Context&) {
    return model::Outcome<model::Edited>(model::Fault{409, "no"});
  }));
  EXPECT_EQ(queue_->revision(), before);
}

TEST_F(Queue, WhatTheModelSaysOfItselfIsStoredAndWantsNothing) {
  create_load_balancer(80);
  const uint64_t revision = queue_->revision();
  ASSERT_TRUE(answer_of(queue_->carried_out(revision)));
  ASSERT_TRUE(settled()) << "it is ACTIVE now, which is a change of the model";
  EXPECT_EQ(queue_->revision(), revision);
  EXPECT_EQ(agent_->store.load()->load_balancers.begin()->second.provisioning_status,
            model::ProvisioningStatus::active);
}

TEST_F(Queue, TheLayoutIsConfiguredWhileItRuns) {
  create_load_balancer(80);
  netns::LayoutSpec layout;
  layout.interfaces = {{.name = "eth1", .mtu = 1400}};
  ASSERT_TRUE(answer_of(queue_->configure(layout)));
  ASSERT_EQ(machine_.layout().interfaces.size(), 1u);
  EXPECT_EQ(machine_.layout().interfaces[0], layout.interfaces[0]);
  EXPECT_EQ(machine_.layout().vips.size(), 1u) << "the model's part stays";
}

TEST_F(Queue, AnAmphoraStoresNothing) {
  NoStorage storage;
  ChangeQueue queue(loop_->get_executor(), agent_->workers.storage, storage, agent_->findings, {},
                    {});
  const auto outcome = answer_of(queue.change(
      [](const model::Model& m, const model::Context&) -> model::Outcome<model::Edited> {
        model::Model next = m;
        next.amphora.emplace();
        return model::Edited{next, base::Uuid{}};
      }));
  EXPECT_TRUE(std::holds_alternative<model::Edited>(outcome));
  EXPECT_TRUE(queue.model().amphora.has_value());
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/state.json"));
}

}  // namespace
}  // namespace reconcile
