#include "agent/reconcile/change_queue.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>
#include <variant>

#include "base/log.h"

namespace reconcile {

namespace asio = boost::asio;

// Both have constructors for std::make_shared: clang 14 has no parenthesised aggregates.
struct ChangeQueue::Waiting {
  Waiting(Edit wanted, Effect kind, const asio::any_io_executor& loop)
      : edit(std::move(wanted)), effect(kind), done(loop) {}

  Edit edit;
  Effect effect;
  Event done;  // there is an outcome
  std::optional<model::Outcome<model::Edited>> outcome = {};
};

struct ChangeQueue::Awaiting {
  Awaiting(uint64_t wanted, const asio::any_io_executor& loop) : revision(wanted), done(loop) {}

  uint64_t revision;
  Event done;  // there is a result
  base::Status result = base::Unit{};
};

ChangeQueue::ChangeQueue(asio::any_io_executor loop, Worker& worker, Storage& storage,
                         const Findings& findings, model::Model model, netns::LayoutSpec configured)
    : loop_(std::move(loop)),
      worker_(worker),
      storage_(storage),
      findings_(findings),
      wanted_{std::make_shared<model::Model>(std::move(model)),
              std::make_shared<netns::LayoutSpec>(std::move(configured)), 1} {}

asio::awaitable<model::Outcome<model::Edited>> ChangeQueue::change(Edit edit) {
  return wait_for(std::make_shared<Waiting>(std::move(edit), Effect::wanted, loop_));
}

asio::awaitable<void> ChangeQueue::record(Edit edit) {
  co_await wait_for(std::make_shared<Waiting>(std::move(edit), Effect::recorded, loop_));
}

asio::awaitable<model::Outcome<model::Edited>> ChangeQueue::wait_for(
    std::shared_ptr<Waiting> mine) {
  waiting_.push_back(mine);
  if (!writing_) {
    writing_ = true;
    asio::co_spawn(loop_, write(), asio::detached);
  }
  co_await mine->done.wait();
  co_return std::move(*mine->outcome);
}

// All changes that wait become one write; each is made on what the one before it left.
asio::awaitable<void> ChangeQueue::write() {
  while (!waiting_.empty()) {
    auto batch = std::exchange(waiting_, {});
    auto next = std::make_shared<model::Model>(*wanted_.model);
    bool changed = false, wants = false;
    for (auto& one : batch) {
      one->outcome = one->edit(*next, context_now());
      if (auto* edited = std::get_if<model::Edited>(&*one->outcome)) {
        *next = edited->model;
        changed = true;
        wants |= one->effect == Effect::wanted;
      }
    }
    base::Status saved = base::Unit{};
    if (changed) {
      auto save = [this, next] { return storage_.save(*next); };
      saved = co_await worker_.run(std::move(save));
    }
    if (saved && changed) wanted_.model = std::move(next);
    if (saved && wants) want();
    if (!saved) spdlog::error("change refused: {}", saved.error().message());
    for (auto& one : batch) {
      if (!saved && std::holds_alternative<model::Edited>(*one->outcome))
        one->outcome = model::Fault{500, "The change was not stored: " + saved.error().message()};
      one->done.set();
    }
  }
  writing_ = false;
}

void ChangeQueue::want() {
  wanted_.revision++;
  if (on_change_) on_change_();
}

asio::awaitable<base::Status> ChangeQueue::carried_out(uint64_t revision) {
  if (tried_ >= revision) co_return tried_result_;
  auto mine = std::make_shared<Awaiting>(revision, loop_);
  awaiting_.push_back(mine);
  co_await mine->done.wait();
  co_return mine->result;
}

asio::awaitable<base::Status> ChangeQueue::configure(netns::LayoutSpec layout) {
  wanted_.configured = std::make_shared<netns::LayoutSpec>(std::move(layout));
  want();
  co_return co_await carried_out(wanted_.revision);
}

void ChangeQueue::note_tried(uint64_t revision, base::Status result) {
  tried_ = revision;
  tried_result_ = std::move(result);
  std::erase_if(awaiting_, [this](const std::shared_ptr<Awaiting>& one) {
    if (one->revision > tried_) return false;
    one->result = tried_result_;
    one->done.set();
    return true;
  });
}

model::Context ChangeQueue::context_now() const {
  const auto now = std::chrono::system_clock::now();
  return {std::chrono::time_point_cast<std::chrono::microseconds>(now), check_certificate_,
          vip_ranges_};
}

}  // namespace reconcile
