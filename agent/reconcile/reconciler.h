// The reconciler: keeps the model, and brings the machine to it. Lives on the loop's
// thread; what blocks is done by workers: one for the storage, one for the machine, one for
// HAProxy.
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

#include "agent/reconcile/changes.h"
#include "agent/reconcile/machine.h"
#include "agent/reconcile/store.h"
#include "agent/reconcile/worker.h"
#include "haproxy/stats.h"
#include "health/prober.h"

namespace reconcile {

// How reconciling goes; for status pages.
struct Progress {
  uint64_t runs = 0;
  uint64_t failures = 0;
  std::string error;  // of the last run; empty: the machine is as planned
  std::chrono::system_clock::time_point last{};  // end of the last run
  std::chrono::microseconds took{0};
  std::vector<std::string> missing;                  // configured interfaces that are nowhere
  std::map<base::Uuid, std::string> problems;        // Plan::problems
  std::map<base::Uuid, plan::Placement> placements;  // of listeners, as planned last
};

// What is known of members and listeners that HAProxy serves.
struct L7View {
  std::map<base::Uuid, haproxy::ServerStats> members;
  std::map<base::Uuid, haproxy::FrontendStats> listeners;
};

class LiveReconciler final : public Changes {
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
  void request_run();
  void stop();

  const Progress& progress() const { return progress_; }
  const netns::Observed& observed() const { return observed_; }
  const health::Prober& prober() const { return prober_; }
  const std::vector<datapath::Attachment>& attachments() const { return attachments_; }
  // Called on the loop after a change of the tables that may end flows.
  void on_tables(std::function<void()> call) { on_tables_ = std::move(call); }
  // For every edit from now on; model::Context says what it does.
  void check_certificates_with(decltype(model::Context::check_certificate) check) {
    check_certificate_ = std::move(check);
  }
  // What HAProxy says now, and which listeners of the datapath are at their connection limit.
  void note_l7(L7View view) { l7_view_ = std::move(view); }
  void note_full(std::set<base::Uuid> listeners) { full_ = std::move(listeners); }
  const L7View& l7_view() const { return l7_view_; }

  // For other blocking calls to the machine, and to HAProxy: they take turns with those of
  // reconciling.
  Worker& machine_worker() { return machine_worker_; }
  Worker& l7_worker() { return l7_worker_; }

 private:
  struct Waiting;
  struct Written {
    base::Result<base::Unit> result;
    plan::Ids ids;
    bool ends_flows = false;
  };

  model::Context context_now() const;
  boost::asio::awaitable<void> write_changes();
  boost::asio::awaitable<void> reconcile();
  boost::asio::awaitable<base::Result<plan::Plan>> arrange(const model::Model& wanted);
  boost::asio::awaitable<base::Result<base::Unit>> carry_out(const model::Model& wanted);
  boost::asio::awaitable<void> serve_l7(haproxy::Spec spec);
  Written write_tables(const plan::Plan& planned);
  std::set<base::Uuid> members_down() const;
  void note_problems(const std::map<base::Uuid, std::string>& problems);
  void note_missing(const std::vector<std::string>& missing);
  boost::asio::awaitable<void> finish_pending(const model::Model& wanted, model::Carried carried);
  boost::asio::awaitable<void> finish_pending(std::set<base::Uuid> load_balancers,
                                              model::Carried carried);

  boost::asio::any_io_executor loop_;
  Worker storage_worker_, machine_worker_, l7_worker_;
  Store store_;
  model::Model model_;
  netns::LayoutSpec configured_;
  Machine& machine_;

  std::vector<std::shared_ptr<Waiting>> waiting_;  // changes to write, in their order
  bool writing_ = false;
  bool run_requested_ = true;
  bool stopped_ = false;
  boost::asio::steady_timer wake_;

  netns::LayoutSpec layout_;   // as it was arranged last
  std::string arrange_error_;  // of that, empty: none
  std::string l7_error_;       // of HAProxy, the last time; empty: none
  L7View l7_view_;
  std::set<base::Uuid> full_;
  std::function<void()> on_tables_;
  decltype(model::Context::check_certificate) check_certificate_;
  health::Prober prober_;
  plan::Ids ids_;
  netns::Observed observed_;
  std::vector<datapath::Attachment> attachments_;
  Progress progress_;
};

}  // namespace reconcile
