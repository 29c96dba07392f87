#include "agent/reconcile/live_reconciler.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "base/log.h"

namespace reconcile {

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
// For HAProxy to accept what has come while a listener was still its own.
constexpr auto kAcceptLeft = std::chrono::milliseconds(200);

asio::awaitable<void> pause(const asio::any_io_executor& loop, steady_clock::duration time) {
  asio::steady_timer timer(loop, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> sleep_until_cancelled(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// HAProxy's words for a server that is checked: "UP 1/3", "DOWN", "DRAIN", ... A server that drains
// passes its checks.
model::CheckedState checked_state(const std::string& status) {
  if (status.starts_with("UP") || status.starts_with("DRAIN")) return model::CheckedState::up;
  if (status.starts_with("DOWN")) return model::CheckedState::down;
  return model::CheckedState::unknown;
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
                request_run();
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
      request_run();
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

model::Context LiveReconciler::context_now() const {
  const auto now = std::chrono::system_clock::now();
  return {std::chrono::time_point_cast<std::chrono::microseconds>(now), check_certificate_};
}

void LiveReconciler::request_run() {
  run_requested_ = true;
  wake_.cancel();
}

void LiveReconciler::stop() {
  stopped_ = true;
  wake_.cancel();
}

asio::awaitable<void> LiveReconciler::run() {
  while (!stopped_) {
    if (!run_requested_) {
      wake_.expires_after(progress_.error.empty() ? steady_clock::duration(kPatrol) : kRetry);
      co_await sleep_until_cancelled(wake_);
    }
    if (!stopped_) co_await reconcile();
  }
}

asio::awaitable<void> LiveReconciler::reconcile() {
  run_requested_ = false;
  auto begun = steady_clock::now();
  const model::Model wanted = model_;
  auto result = co_await carry_out(wanted);

  progress_.runs++;
  progress_.last = std::chrono::system_clock::now();
  progress_.took =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
  std::string error = result ? l7_error_ : result.error().message();
  if (!error.empty()) progress_.failures++;
  if (!error.empty() && error != progress_.error) spdlog::error("reconcile: {}", error);
  if (error.empty() && !progress_.error.empty()) spdlog::info("reconcile: recovered");
  progress_.error = std::move(error);
  co_await finish_pending(wanted, result ? model::Carried::out : model::Carried::failed);
}

asio::awaitable<base::Result<base::Unit>> LiveReconciler::carry_out(const model::Model& wanted) {
  auto planned = co_await arrange(wanted);
  if (!planned) co_return planned.error();
  note_problems(planned->problems);
  prober_.set_targets(planned->targets);

  progress_.placements = planned->placements;
  // A listener that comes to HAProxy is served there before the tables send it there; one that
  // leaves is served there until the tables have it.
  l7_error_.clear();
  const bool leaves =
      !(haproxy::with_leaving(machine_.served(), planned->haproxy) == planned->haproxy);
  co_await serve_l7(haproxy::with_leaving(machine_.served(), planned->haproxy));

  auto attach = [this] { return machine_.attach(observed_); };
  auto attached = co_await machine_worker_.run(attach);
  attachments_ = std::move(attached.attachments);

  auto write = [this, &planned] { return write_tables(*planned); };
  auto written = co_await machine_worker_.run(write);
  ids_ = std::move(written.ids);
  if (written.ends_flows && on_tables_) on_tables_();
  if (leaves && written.result) {
    co_await pause(loop_, kAcceptLeft);
    co_await serve_l7(planned->haproxy);
  }
  if (!written.result) co_return written.result;
  if (!attached.error.empty()) co_return base::Error{0, attached.error};
  if (!arrange_error_.empty()) co_return base::Error{0, arrange_error_};
  co_return base::Unit{};
}

asio::awaitable<void> LiveReconciler::serve_l7(haproxy::Spec spec) {
  auto serve = [this, spec = std::move(spec)] { return machine_.serve(spec); };
  auto served = co_await l7_worker_.run(std::move(serve));
  if (!served) l7_error_ = served.error().message();
}

// On the worker.
LiveReconciler::Written LiveReconciler::write_tables(const plan::Plan& planned) {
  auto steps = datapath::diff(machine_.tables(), planned.tables);
  for (const auto& step : steps) spdlog::debug("{}", datapath::describe(step));
  auto applied = machine_.apply(steps);
  if (applied && !steps.empty()) spdlog::debug("applied {} steps", steps.size());
  // Numbers of steps that were not carried out were never given: those in the tables count.
  const bool ends_flows = std::any_of(steps.begin(), steps.end(), datapath::may_end_flows);
  if (!applied) return {applied, plan::ids_of(machine_.tables()), ends_flows};
  return {machine_.resolve(observed_), planned.ids, ends_flows};
}

// Until the namespace is as planned, and the plan is made from the namespace as it is.
asio::awaitable<base::Result<plan::Plan>> LiveReconciler::arrange(const model::Model& wanted) {
  for (int round = 1;; round++) {
    plan::Resting resting;
    std::map<std::string, haproxy::PemFile> certificates;
    const bool inherits = round == 1 && progress_.runs == 0;
    auto put = [this, &resting, &certificates, &wanted,
                inherits]() -> base::Result<Machine::Arranged> {
      resting = machine_.resting();
      certificates = machine_.certificates(wanted);
      // What an agent before us arranged, the VIPs above all, must not go and come again.
      if (inherits && !machine_.tables().services.empty()) {
        auto seen = machine_.observe(layout_);
        if (!seen) return seen.error();
        layout_ = plan::make_plan(wanted, {*seen, {}, {}}, ids_, resting, configured_).layout;
      }
      return machine_.arrange(layout_);
    };
    auto arranged = co_await machine_worker_.run(put);
    if (!arranged) co_return arranged.error();
    observed_ = std::move(arranged->observed);
    note_missing(arranged->missing);
    arrange_error_ = arranged->errors.empty() ? "" : arranged->errors.front();
    auto planned = plan::make_plan(wanted, {observed_, members_down(), std::move(certificates)},
                                   ids_, resting, configured_);
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
  for (const auto& [member, server] : l7_view_.members) {
    const auto state = checked_state(server.status);
    if (state != model::CheckedState::unknown) findings.members[member] = state;
  }
  for (const auto& [member, verdict] : prober_.snapshot()) {
    if (verdict.probes == 0 || verdict.state == health::State::unknown) continue;
    findings.members[member] =
        verdict.state == health::State::up ? model::CheckedState::up : model::CheckedState::down;
  }
  findings.full_listeners = full_;
  for (const auto& [listener, frontend] : l7_view_.listeners)
    if (frontend.status == "FULL") findings.full_listeners.insert(listener);
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
// now. What HAProxy refuses fails those who have something there, nobody else.
asio::awaitable<void> LiveReconciler::finish_pending(const model::Model& wanted,
                                                     model::Carried carried) {
  std::set<base::Uuid> arrived, failed;
  for (const auto& [id, lb] : wanted.load_balancers)
    if (lb.provisioning_status != model::ProvisioningStatus::active)
      (carried == model::Carried::out ? arrived : failed).insert(id);
  if (!l7_error_.empty())
    for (const auto& [id, listener] : wanted.listeners) {
      const auto placement = progress_.placements.find(id);
      if (placement == progress_.placements.end() ||
          placement->second.where != plan::Place::haproxy)
        continue;
      if (arrived.erase(listener.load_balancer) > 0) failed.insert(listener.load_balancer);
    }
  // Who is in ERROR already stays there: telling it again would be a change, and another run at
  // once.
  std::erase_if(failed, [&wanted](const base::Uuid& id) {
    return wanted.load_balancers.at(id).provisioning_status == model::ProvisioningStatus::error;
  });
  co_await finish_pending(std::move(arrived), model::Carried::out);
  co_await finish_pending(std::move(failed), model::Carried::failed);
}

asio::awaitable<void> LiveReconciler::finish_pending(std::set<base::Uuid> load_balancers,
                                                     model::Carried carried) {
  if (load_balancers.empty()) co_return;
  Edit edit = [carried, load_balancers = std::move(load_balancers)](const model::Model& m,
                                                                    const model::Context& context) {
    return model::Outcome<model::Edited>(
        model::Edited{model::finish_pending(m, carried, load_balancers, context), base::Uuid{}});
  };
  co_await change(std::move(edit));
}

}  // namespace reconcile
