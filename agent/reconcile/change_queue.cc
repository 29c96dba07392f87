#include "agent/reconcile/change_queue.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <new>
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

model::Refusal ChangeQueue::refused(const Waiting& change, const model::Model& before,
                                    const model::Model& after) const {
  if (!judge_ || change.effect == Effect::recorded) return std::nullopt;
  return judge_(before, after);
}

// On the worker: each edit on what the one before it left, then all in one write. Where there is no
// memory for one, it is refused, and nothing else.
ChangeQueue::Written ChangeQueue::carry_out(const std::vector<std::shared_ptr<Waiting>>& batch,
                                            std::shared_ptr<const model::Model> before,
                                            const model::Context& context) {
  Written written;
  std::shared_ptr<const model::Model> now = std::move(before);
  for (const auto& one : batch) {
    try {
      one->outcome = one->edit(*now, context);
      auto* edited = std::get_if<model::Edited>(&*one->outcome);
      if (edited == nullptr) continue;
      if (auto refusal = refused(*one, *now, edited->model)) {
        one->outcome = std::move(*refusal);
        continue;
      }
      now = written.model = std::make_shared<const model::Model>(edited->model);
      written.wants = written.wants || one->effect == Effect::wanted;
    } catch (const std::bad_alloc&) {
      one->outcome = model::Fault{503, "There is not enough memory for this change."};
    }
  }
  try {
    if (written.model) written.saved = storage_.save(*written.model);
  } catch (const std::bad_alloc&) {
    written.saved = base::Error{ENOMEM, "write the change"};
  }
  return written;
}

// All changes that wait become one write; each is made on what the one before it left.
asio::awaitable<void> ChangeQueue::write() {
  while (!waiting_.empty()) {
    auto batch = std::exchange(waiting_, {});
    auto work = [this, batch, before = wanted_.model, context = context_now()] {
      return carry_out(batch, before, context);
    };
    Written written = co_await worker_.run(std::move(work));
    const base::Status& saved = written.saved;
    if (saved && written.model) wanted_.model = std::move(written.model);
    if (saved && written.wants) want();
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
          vip_ranges_, are_revocations_of_};
}

}  // namespace reconcile
