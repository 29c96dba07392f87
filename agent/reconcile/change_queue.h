// ChangeQueue: what is wanted, and the one place where it changes: one edit after the other, stored
// before anybody is answered. Lives on the loop's thread; edits run and are stored on a worker, so
// that a large one delays nothing else.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/reconcile/changes.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/findings.h"
#include "agent/reconcile/storage.h"
#include "agent/reconcile/worker.h"

namespace reconcile {

// All that decides what the machine should be, at one moment.
struct Wanted {
  std::shared_ptr<const model::Model> model;
  std::shared_ptr<const netns::LayoutSpec> configured;  // no VIPs, no next hops
  uint64_t revision = 0;
};

class ChangeQueue final : public Changes, public Delivery {
 public:
  // What they refer to outlives it. `model` is what `storage` has.
  ChangeQueue(boost::asio::any_io_executor loop, Worker& worker, Storage& storage,
              const Findings& findings, model::Model model, netns::LayoutSpec configured);

  const model::Model& model() const override { return *wanted_.model; }
  Sight sight() const override { return {wanted_.model, findings_.seen()}; }
  boost::asio::awaitable<model::Outcome<model::Edited>> change(Edit edit) override;

  uint64_t revision() const override { return wanted_.revision; }
  boost::asio::awaitable<base::Status> carried_out(uint64_t revision) override;
  boost::asio::awaitable<base::Status> configure(netns::LayoutSpec layout) override;

  // For every edit from now on; model::Context says what they do.
  void check_certificates_with(decltype(model::Context::check_certificate) check,
                               decltype(model::Context::are_revocations_of) are_of) {
    check_certificate_ = std::move(check);
    are_revocations_of_ = std::move(are_of);
  }

  // The same of its VIP ranges.
  void allocate_vips_from(std::shared_ptr<const model::VipRanges> ranges) {
    vip_ranges_ = std::move(ranges);
  }

  // Asked about every change before it is stored, on the storage worker, as edits are: why the
  // machine would not take the second model, which the change makes of the first. What is refused
  // changes nothing.
  using Judge = std::function<model::Refusal(const model::Model&, const model::Model&)>;
  void judge_with(Judge judge) { judge_ = std::move(judge); }

  // For the reconciler, the only one to use what follows.
  // Called whenever something else is wanted.
  void on_change(std::function<void()> call) { on_change_ = std::move(call); }
  const Wanted& wanted() const { return wanted_; }
  // A change like others, of what the model says about itself: nothing else is wanted by it.
  boost::asio::awaitable<void> record(Edit edit);
  // What was wanted at `revision` has been tried, with this result.
  void note_tried(uint64_t revision, base::Status result);

 private:
  enum class Effect { wanted, recorded };
  struct Waiting;
  struct Awaiting;

  // What a batch of edits came to.
  struct Written {
    std::shared_ptr<const model::Model> model;  // null: nothing was changed
    bool wants = false;                         // something else of the machine
    base::Status saved = base::Unit{};
  };

  model::Refusal refused(const Waiting& change, const model::Model& before,
                         const model::Model& after) const;
  Written carry_out(const std::vector<std::shared_ptr<Waiting>>& batch,
                    std::shared_ptr<const model::Model> before, const model::Context& context);
  boost::asio::awaitable<model::Outcome<model::Edited>> wait_for(std::shared_ptr<Waiting> mine);
  boost::asio::awaitable<void> write();
  model::Context context_now() const;
  void want();

  boost::asio::any_io_executor loop_;
  Worker& worker_;
  Storage& storage_;
  const Findings& findings_;
  Wanted wanted_;
  uint64_t tried_ = 0;  // the revision that was tried last
  base::Status tried_result_ = base::Unit{};
  std::vector<std::shared_ptr<Waiting>> waiting_;    // changes to write, in their order
  std::vector<std::shared_ptr<Awaiting>> awaiting_;  // for revisions to be carried out
  bool writing_ = false;
  std::function<void()> on_change_;
  decltype(model::Context::check_certificate) check_certificate_;
  decltype(model::Context::are_revocations_of) are_revocations_of_;
  std::shared_ptr<const model::VipRanges> vip_ranges_;
  Judge judge_;  // empty: all is taken
};

}  // namespace reconcile
