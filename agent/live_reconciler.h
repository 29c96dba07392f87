// The agent's Reconciler: keeps the model, and brings the machine to it. Lives on the loop's
// thread; what blocks is done by two workers, one for the storage and one for the machine.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/machine.h"
#include "agent/reconciler.h"
#include "agent/store.h"
#include "agent/worker.h"
#include "health/prober.h"

namespace agent {

// How reconciling goes; for status pages.
struct Progress {
  uint64_t runs = 0;
  uint64_t failures = 0;
  std::string error;  // of the last run; empty: the machine is as planned
  std::chrono::system_clock::time_point last{};  // end of the last run
  std::chrono::microseconds took{0};
  std::vector<std::string> missing;            // configured interfaces that are nowhere
  std::map<base::Uuid, std::string> problems;  // Plan::problems
};

class LiveReconciler final : public Reconciler {
 public:
  // `machine` must outlive it. What `machine` has applied already is adopted.
  LiveReconciler(boost::asio::any_io_executor loop, Store store, model::Model model,
                 netns::LayoutSpec configured, Machine& machine);

  const model::Model& model() const override { return model_; }
  model::Statuses statuses() const override;
  boost::asio::awaitable<model::Outcome<model::Edited>> change(Edit edit) override;

  // Brings the machine there whenever something may have changed, until stop().
  boost::asio::awaitable<void> run();
  // Something may have changed (a link, a route): reconcile soon. Cheap, may be called often.
  void poke();
  void stop();

  const Progress& progress() const { return progress_; }
  const netns::Observed& observed() const { return observed_; }
  const health::Prober& prober() const { return prober_; }
  const std::vector<datapath::Attachment>& attachments() const { return attachments_; }
  // Called on the loop after the tables have changed.
  void on_tables(std::function<void()> call) { on_tables_ = std::move(call); }
  // For other blocking calls to the machine: they take turns with those of reconciling.
  Worker& machine_worker() { return machine_worker_; }

 private:
  struct Waiting;
  struct Written {
    base::Result<base::Unit> result;
    plan::Ids ids;
    size_t steps = 0;
  };

  boost::asio::awaitable<void> write_changes();
  boost::asio::awaitable<void> reconcile();
  boost::asio::awaitable<base::Result<plan::Plan>> arrange(const model::Model& wanted);
  boost::asio::awaitable<base::Result<base::Unit>> carry_out(const model::Model& wanted);
  Written write_tables(const plan::Plan& planned);
  std::set<base::Uuid> members_down() const;
  void note_problems(const std::map<base::Uuid, std::string>& problems);
  void note_missing(const std::vector<std::string>& missing);
  boost::asio::awaitable<void> settle(const model::Model& wanted, model::Carried carried);

  boost::asio::any_io_executor loop_;
  Worker storage_worker_, machine_worker_;
  Store store_;
  model::Model model_;
  netns::LayoutSpec configured_;
  Machine& machine_;

  std::vector<std::shared_ptr<Waiting>> waiting_;  // changes to write, in their order
  bool writing_ = false;
  bool poked_ = true;
  bool stopped_ = false;
  boost::asio::steady_timer wake_;

  netns::LayoutSpec layout_;   // as it was arranged last
  std::string arrange_error_;  // of that, empty: none
  std::function<void()> on_tables_;
  health::Prober prober_;
  plan::Ids ids_;
  netns::Observed observed_;
  std::vector<datapath::Attachment> attachments_;
  Progress progress_;
};

}  // namespace agent
