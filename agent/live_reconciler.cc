#include "agent/live_reconciler.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "base/log.h"

namespace agent {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr auto kRetry = std::chrono::seconds(1);
// Puts right what changed unnoticed: a next hop that a flow brought just after its neighbour was
// told.
constexpr auto kPatrol = std::chrono::seconds(5);
// The layout depends on what is there only by where a VIP's subnet is: a second plan is the last.
// More would mean that somebody else undoes what we do.
constexpr int kArrangeRounds = 4;

model::Context context_now() {
  return {
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now())};
}

asio::awaitable<void> sleep_until_cancelled(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

struct LiveReconciler::Waiting {
  Waiting(const asio::any_io_executor& loop, Edit wanted)
      : edit(std::move(wanted)), done(loop, steady_clock::time_point::max()) {}

  Edit edit;
  std::optional<model::Outcome<model::Edited>> outcome;
  asio::steady_timer done;  // cancelled when there is an outcome
};

LiveReconciler::LiveReconciler(asio::any_io_executor loop, Store store, model::Model model,
                               netns::LayoutSpec configured, Machine& machine)
    : loop_(loop),
      store_(std::move(store)),
      model_(std::move(model)),
      configured_(std::move(configured)),
      machine_(machine),
      wake_(loop),
      layout_(configured_),
      prober_(loop,
              [this](const base::Uuid& member, const health::Verdict& verdict) {
                spdlog::info("member {} is {}: {}", member.text(), health::to_text(verdict.state),
                             verdict.reason);
                poke();
              }),
      ids_(plan::ids_of(machine.tables())) {}

asio::awaitable<model::Outcome<model::Edited>> LiveReconciler::change(Edit edit) {
  auto mine = std::make_shared<Waiting>(loop_, std::move(edit));
  waiting_.push_back(mine);
  if (!writing_) {
    writing_ = true;
    asio::co_spawn(loop_, write_changes(), asio::detached);
  }
  while (!mine->outcome) co_await sleep_until_cancelled(mine->done);
  co_return std::move(*mine->outcome);
}

// All changes that wait become one write; each is made on what the one before it left.
asio::awaitable<void> LiveReconciler::write_changes() {
  while (!waiting_.empty()) {
    auto batch = std::exchange(waiting_, {});
    auto next = std::make_shared<model::Model>(model_);
    bool changed = false;
    for (auto& one : batch) {
      one->outcome = one->edit(*next, context_now());
      if (auto* edited = std::get_if<model::Edited>(&*one->outcome)) {
        *next = edited->model;
        changed = true;
      }
    }
    base::Result<base::Unit> saved = base::Unit{};
    if (changed) {
      auto save = [this, next] { return store_.save(*next); };
      saved = co_await storage_worker_.run(save);
    }
    if (saved && changed) {
      model_ = std::move(*next);
      poke();
    }
    if (!saved) spdlog::error("change refused: {}", saved.error().message());
    for (auto& one : batch) {
      if (!saved && std::holds_alternative<model::Edited>(*one->outcome))
        one->outcome = model::Fault{500, "The change was not stored: " + saved.error().message()};
      one->done.cancel();
    }
  }
  writing_ = false;
}

void LiveReconciler::poke() {
  poked_ = true;
  wake_.cancel();
}

void LiveReconciler::stop() {
  stopped_ = true;
  wake_.cancel();
}

asio::awaitable<void> LiveReconciler::run() {
  while (!stopped_) {
    if (!poked_) {
      wake_.expires_after(progress_.error.empty() ? steady_clock::duration(kPatrol) : kRetry);
      co_await sleep_until_cancelled(wake_);
    }
    if (!stopped_) co_await reconcile();
  }
}

asio::awaitable<void> LiveReconciler::reconcile() {
  poked_ = false;
  auto begun = steady_clock::now();
  const model::Model wanted = model_;
  auto result = co_await carry_out(wanted);

  progress_.runs++;
  progress_.last = std::chrono::system_clock::now();
  progress_.took =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
  std::string error = result ? "" : result.error().message();
  if (!result) progress_.failures++;
  if (!result && error != progress_.error) spdlog::error("reconcile: {}", error);
  if (result && !progress_.error.empty()) spdlog::info("reconcile: recovered");
  progress_.error = std::move(error);
  co_await settle(wanted, result ? model::Carried::out : model::Carried::failed);
}

asio::awaitable<base::Result<base::Unit>> LiveReconciler::carry_out(const model::Model& wanted) {
  auto planned = co_await arrange(wanted);
  if (!planned) co_return planned.error();
  note_problems(planned->problems);
  prober_.set_targets(planned->targets);

  auto attach = [this] { return machine_.attach(observed_); };
  auto attached = co_await machine_worker_.run(attach);
  attachments_ = std::move(attached.attachments);

  auto write = [this, &planned] { return write_tables(*planned); };
  auto written = co_await machine_worker_.run(write);
  ids_ = std::move(written.ids);
  if (written.steps > 0 && on_tables_) on_tables_();
  if (!written.result) co_return written.result;
  if (!attached.error.empty()) co_return base::Error{0, attached.error};
  if (!arrange_error_.empty()) co_return base::Error{0, arrange_error_};
  co_return base::Unit{};
}

// On the worker.
LiveReconciler::Written LiveReconciler::write_tables(const plan::Plan& planned) {
  auto steps = datapath::diff(machine_.tables(), planned.tables);
  for (const auto& step : steps) spdlog::debug("{}", datapath::describe(step));
  auto applied = machine_.apply(steps);
  // Numbers of steps that were not carried out were never given: those in the tables count.
  if (!applied) return {applied, plan::ids_of(machine_.tables()), steps.size()};
  return {machine_.resolve(observed_), planned.ids, steps.size()};
}

// Until the namespace is as planned, and the plan is made from the namespace as it is.
asio::awaitable<base::Result<plan::Plan>> LiveReconciler::arrange(const model::Model& wanted) {
  for (int round = 1;; round++) {
    plan::Resting resting;
    const bool inherits = round == 1 && progress_.runs == 0;
    auto put = [this, &resting, &wanted, inherits]() -> base::Result<Machine::Arranged> {
      resting = machine_.resting();
      // What an agent before us arranged, the VIPs above all, must not go and come again.
      if (inherits && !machine_.tables().services.empty()) {
        auto seen = machine_.observe(layout_);
        if (!seen) return seen.error();
        layout_ = plan::make_plan(wanted, {*seen, {}}, ids_, resting, configured_).layout;
      }
      return machine_.arrange(layout_);
    };
    auto arranged = co_await machine_worker_.run(put);
    if (!arranged) co_return arranged.error();
    observed_ = std::move(arranged->observed);
    note_missing(arranged->missing);
    arrange_error_ = arranged->errors.empty() ? "" : arranged->errors.front();
    auto planned = plan::make_plan(wanted, {observed_, members_down()}, ids_, resting, configured_);
    if (planned.layout == layout_ || round == kArrangeRounds) co_return planned;
    layout_ = planned.layout;
  }
}

std::set<base::Uuid> LiveReconciler::members_down() const {
  std::set<base::Uuid> down;
  for (const auto& [member, verdict] : prober_.snapshot())
    if (!verdict.usable) down.insert(member);
  return down;
}

model::Statuses LiveReconciler::statuses() const {
  model::Findings findings;
  for (const auto& [member, verdict] : prober_.snapshot()) {
    if (verdict.probes == 0 || verdict.state == health::State::unknown) continue;
    findings.members[member] =
        verdict.state == health::State::up ? model::CheckedState::up : model::CheckedState::down;
  }
  return model::operating_statuses(model_, findings);
}

void LiveReconciler::note_problems(const std::map<base::Uuid, std::string>& problems) {
  for (const auto& [id, problem] : problems)
    if (!progress_.problems.contains(id)) spdlog::warn("{}: {}", id.text(), problem);
  progress_.problems = problems;
}

void LiveReconciler::note_missing(const std::vector<std::string>& missing) {
  if (missing == progress_.missing) return;
  for (const auto& name : missing) spdlog::warn("interface {} is not there (yet)", name);
  progress_.missing = missing;
}

// Load balancers are locked while they are pending, so what is pending in `wanted` is unchanged
// now.
asio::awaitable<void> LiveReconciler::settle(const model::Model& wanted, model::Carried carried) {
  std::set<base::Uuid> pending;
  for (const auto& [id, lb] : wanted.load_balancers)
    if (lb.provisioning_status != model::ProvisioningStatus::active) pending.insert(id);
  if (pending.empty()) co_return;
  Edit edit = [carried, pending](const model::Model& m, const model::Context& context) {
    return model::Outcome<model::Edited>(
        model::Edited{model::settle(m, carried, pending, context), base::Uuid{}});
  };
  co_await change(std::move(edit));
}

}  // namespace agent
