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

#include "agent/reconcile/live_reconciler.h"
#include "tests/unit/reconcile/fake_machine.h"

namespace reconcile {

class Reconciling : public testing::Test {
 protected:
  Reconciling() {
    char name[] = "/tmp/amphora-xdp-reconciler-XXXXXX";
    directory_ = mkdtemp(name);
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
    reconciler_ = std::make_unique<LiveReconciler>(loop_->get_executor(), *store, *model,
                                                   netns::LayoutSpec{}, machine_);
    boost::asio::co_spawn(*loop_, reconciler_->run(), boost::asio::detached);
  }

  // Ends the agent without a word to its parts; the machine and the disk stay.
  void crash() {
    if (!reconciler_) return;
    reconciler_->stop();
    loop_->run_for(std::chrono::milliseconds(100));
    loop_.reset();
    reconciler_.reset();
  }

  template <class Done>
  bool run_until(Done done) {
    for (int i = 0; i < 1000 && !done(); i++) {
      loop_->run_one_for(std::chrono::milliseconds(10));
      loop_->restart();
    }
    return done();
  }

  model::Outcome<model::Edited> change(Edit edit) {
    std::optional<model::Outcome<model::Edited>> outcome;
    auto ask = [&]() -> boost::asio::awaitable<void> {
      outcome = co_await reconciler_->change(std::move(edit));
    };
    boost::asio::co_spawn(*loop_, ask(), boost::asio::detached);
    run_until([&] { return outcome.has_value(); });
    return std::move(*outcome);
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
    for (const auto& [id, lb] : reconciler_->model().load_balancers)
      if (lb.provisioning_status != model::ProvisioningStatus::active) return false;
    return reconciler_->progress().runs > 0;
  }

  std::string directory_;
  FakeMachine machine_;
  std::unique_ptr<boost::asio::io_context> loop_;
  std::unique_ptr<LiveReconciler> reconciler_;
};

}  // namespace reconcile
