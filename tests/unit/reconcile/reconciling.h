// A reconciler on a machine in memory, and its disk.
#pragma once

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/reconcile/reconciler.h"
#include "agent/reconcile/store.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/reconcile/fake_machine.h"

namespace reconcile {

class Reconciling : public testing::Test {
 protected:
  Reconciling() {
    directory_ = test::temporary_folder("reconciler");
    start();
  }
  ~Reconciling() override {
    crash();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    auto store = Store::open(directory_);
    ASSERT_TRUE(store.ok());
    auto model = store->load();
    ASSERT_TRUE(model.ok()) << model.error().message();
    loop_ = std::make_unique<boost::asio::io_context>();
    agent_ = std::make_unique<Agent>(*loop_, std::move(*store), std::move(*model), machine_);
    queue_ = &agent_->queue;
    reconciler_ = &agent_->reconciler;
    boost::asio::co_spawn(*loop_, reconciler_->run(), boost::asio::detached);
  }

  // Ends the agent without a word to its parts; the machine and the disk stay. What a worker is in
  // the midst of comes back to the loop, which then has nothing to do.
  void crash() {
    if (!agent_) return;
    reconciler_->stop();
    loop_->restart();
    loop_->run_for(std::chrono::seconds(20));
    agent_.reset();
    loop_.reset();
  }

  template <class Done>
  bool run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done() && std::chrono::steady_clock::now() < end) {
      loop_->restart();
      loop_->run_one_for(std::chrono::milliseconds(10));
    }
    return done();
  }

  model::Outcome<model::Edited> change(Edit edit) {
    return answer_of(queue_->change(std::move(edit)));
  }

  model::Outcome<model::Edited> create_load_balancer(int port) {
    nlohmann::json body = {
        {"loadbalancer",
         {{"name", "lb"},
          {"vip_address", "192.0.2." + std::to_string(port % 200 + 10)},
          {"listeners",
           {{{"protocol", "TCP"},
             {"protocol_port", port},
             {"default_pool",
              {{"name", "p"},
               {"protocol", "TCP"},
               {"lb_algorithm", "ROUND_ROBIN"},
               {"members", {{{"address", "192.0.2.9"}, {"protocol_port", 80}}}}}}}}}}}};
    return make(model::Kind::load_balancer, body);
  }

  model::Outcome<model::Edited> make(model::Kind kind, nlohmann::json body) {
    return change([kind, body = std::move(body)](const model::Model& m, const model::Context& now) {
      return model::create(m, kind, {}, body, now);
    });
  }
  model::Outcome<model::Edited> alter(model::Kind kind, const base::Uuid& id, nlohmann::json body) {
    return change([=](const model::Model& m, const model::Context& now) {
      return model::update(m, kind, {}, id, body, now);
    });
  }

  bool settled() {
    for (const auto& [id, lb] : queue_->model().load_balancers)
      if (lb.provisioning_status != model::ProvisioningStatus::active) return false;
    return reconciler_->progress().runs > 0;
  }

  // Runs the loop until there is an answer, and gives it.
  template <class T>
  T answer_of(boost::asio::awaitable<T> asked) {
    std::optional<T> answer;
    auto ask = [&]() -> boost::asio::awaitable<void> { answer = co_await std::move(asked); };
    boost::asio::co_spawn(*loop_, ask(), boost::asio::detached);
    EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
    return std::move(*answer);
  }

  struct Agent {
    Agent(boost::asio::io_context& loop, Store opened, model::Model model, FakeMachine& machine)
        : store(std::move(opened)),
          findings(loop.get_executor()),
          queue(loop.get_executor(), workers.storage, store, findings, std::move(model), {}),
          reconciler(loop.get_executor(), workers, queue, findings, machine) {}

    Store store;
    Workers workers;
    Findings findings;
    ChangeQueue queue;
    Reconciler reconciler;
  };

  std::string directory_;
  FakeMachine machine_;
  std::unique_ptr<boost::asio::io_context> loop_;
  std::unique_ptr<Agent> agent_;
  ChangeQueue* queue_ = nullptr;      // the agent's
  Reconciler* reconciler_ = nullptr;  // the same
};

}  // namespace reconcile
