// Reconciler: brings the machine to what is wanted. First start, restart, change, link event and
// member transition are the same run; they differ in what is looked at again. Lives on the loop's
// thread; what blocks, and planning, is done by workers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/reconcile/change_queue.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/findings.h"
#include "agent/reconcile/machine.h"
#include "agent/reconcile/workers.h"
#include "netns/watch.h"

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
  std::map<base::Uuid, std::string> unserved;        // load balancers that HAProxy does not serve
  std::map<base::Uuid, plan::Placement> placements;  // of listeners, as planned last
  std::string obstacle;                              // of the same plan: plan::Observed::obstacle

  std::set<base::Uuid> served_by(plan::ServedBy whom) const;  // listeners
};

class Reconciler {
 public:
  // All of them outlive it. It is told of changes and of health by itself. What `machine` has
  // applied already is adopted.
  Reconciler(boost::asio::any_io_executor loop, Workers& workers, ChangeQueue& queue,
             Findings& findings, Machine& machine);

  // Before run().
  void limit_flows(plan::FlowRates rates) { rates_ = std::move(rates); }
  // Brings the machine there whenever something may have changed, until stop().
  boost::asio::awaitable<void> run();
  void stop();

  // What a run looks at besides what is wanted, who is up, and the certificates' files.
  enum class Look : uint8_t {
    known,      // plans on the namespace as it was observed last
    everything  // observes and arranges the namespace, attaches to its links, tells HAProxy again
  };
  // Soon. Cheap, may be called often: one run answers all requests that came before it.
  void request_run(Look look);
  // What a watch of the namespace has heard. Neighbours alone change next hops, without a run.
  void note(const netns::Changes& heard);

  const Progress& progress() const { return progress_; }
  const netns::Observed& observed() const { return *observed_; }
  const std::vector<datapath::Attachment>& attachments() const { return attachments_; }
  // Called on the loop after a change of the tables that may end flows.
  void on_tables(std::function<void()> call) { on_tables_ = std::move(call); }
  // Called on the loop when the namespace has been brought to a layout, as far as it could: the
  // layout, and what was observed.
  void on_arranged(std::function<void(const netns::LayoutSpec&, const netns::Observed&)> call) {
    on_arranged_ = std::move(call);
  }

 private:
  using Observed = std::shared_ptr<const netns::Observed>;
  // A plan, and the namespace that it was made from.
  struct Planned {
    plan::Plan plan;
    Observed observed;
    bool looked = false;               // it was observed for this plan
    std::vector<std::string> missing;  // if it was: as in Machine::Arranged
    std::string arrange_error;         // the same; of several, the first
    Machine::Attached attached;        // the same
    std::string obstacle;              // with it or not
  };
  struct Written {
    base::Status result;
    plan::Ids ids;
    bool ends_flows = false;
  };
  struct Followed {
    base::Status result;
    Observed observed;
    bool takes_a_run = false;
  };

  boost::asio::awaitable<void> reconcile(Look look);
  boost::asio::awaitable<base::Status> carry_out(Wanted wanted, Look look);
  boost::asio::awaitable<void> serve_l7(haproxy::Specs specs, Look look);
  boost::asio::awaitable<void> follow_neighbours();
  boost::asio::awaitable<void> finish_pending(Wanted wanted, model::Carried carried);
  std::set<base::Uuid> unserved_listeners(const model::Model& model) const;
  void note_planned(const Planned& planned);
  void note_unserved();

  // On the machine's worker.
  base::Result<Planned> arrange(const Wanted& wanted, Look look, const std::set<base::Uuid>& down);
  Written write_tables(const plan::Plan& planned, const Observed& observed, bool looked);
  Followed follow(const netns::Changes& heard) const;

  boost::asio::any_io_executor loop_;
  Workers& workers_;
  ChangeQueue& queue_;
  Findings& findings_;
  Machine& machine_;

  Event wake_;
  std::optional<Look> requested_ = Look::everything;
  netns::Changes heard_;  // of neighbours, not followed yet
  bool stopped_ = false;
  plan::FlowRates rates_;

  netns::LayoutSpec layout_;  // as it was arranged last
  plan::Ids ids_;
  plan::Memory memory_;  // of the last plan; the machine's worker has it
  Observed observed_ = std::make_shared<netns::Observed>();
  std::vector<datapath::Attachment> attachments_;
  bool inherits_ = true;      // nothing was planned yet by this agent
  bool serves_l7_ = false;    // HAProxy was told all since this agent runs, and took it
  std::string attach_error_;  // the last time; empty: none
  // The same, of HAProxy: load balancers that are not served as planned.
  std::map<base::Uuid, base::Error> l7_errors_;
  std::function<void()> on_tables_;
  std::function<void(const netns::LayoutSpec&, const netns::Observed&)> on_arranged_;
  Progress progress_;
};

}  // namespace reconcile
