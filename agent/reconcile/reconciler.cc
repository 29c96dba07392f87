#include "agent/reconcile/reconciler.h"

#include <algorithm>
#include <utility>

#include "agent/model/title.h"
#include "agent/plan/neighbours.h"
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

using Placements = std::map<base::Uuid, plan::Placement>;

std::set<base::Uuid> served(const Placements& placements, plan::ServedBy whom) {
  std::set<base::Uuid> listeners;
  for (const auto& [id, placement] : placements)
    if (placement.by == whom) listeners.insert(id);
  return listeners;
}

// Traffic may come in and go out by any of them.
std::string obstacle_of(const std::vector<datapath::Attachment>& attachments) {
  for (const datapath::Attachment& one : attachments)
    if (!one.obstacle.empty()) return one.obstacle;
  return "";
}

base::Error of_load_balancer(const std::pair<const base::Uuid, base::Error>& failure) {
  const auto& [load_balancer, error] = failure;
  return {error.code, "load balancer " + load_balancer.text() + ": " + error.what};
}

// Of what the model says about itself.
template <class Change>
Edit as_edit(Change change) {
  return [change = std::move(change)](const model::Model& m, const model::Context& context) {
    return model::Outcome<model::Edited>(model::Edited{change(m, context), base::Uuid{}});
  };
}

}  // namespace

std::set<base::Uuid> Progress::served_by(plan::ServedBy whom) const {
  return served(placements, whom);
}

Reconciler::Reconciler(asio::any_io_executor loop, Workers& workers, ChangeQueue& queue,
                       Findings& findings, Machine& machine)
    : loop_(loop),
      workers_(workers),
      queue_(queue),
      findings_(findings),
      machine_(machine),
      wake_(loop),
      layout_(*queue.wanted().configured),
      ids_(plan::ids_of(machine.tables())) {
  queue_.on_change([this] { request_run(Look::known); });
  findings_.on_health([this] { request_run(Look::known); });
  findings_.name_by([this](const base::Uuid& id) { return model::titled(queue_.model(), id); });
  findings_.begin_down(plan::down_in(machine.tables()));
}

void Reconciler::request_run(Look look) {
  requested_ = std::max(requested_.value_or(look), look);
  wake_.set();
}

void Reconciler::note(const netns::Changes& heard) {
  if (heard.layout()) return request_run(Look::everything);
  for (const auto& [key, address] : heard.neighbours) heard_.neighbours[key] = address;
  if (!heard_.neighbours.empty()) wake_.set();
}

void Reconciler::stop() {
  stopped_ = true;
  wake_.set();
}

asio::awaitable<void> Reconciler::run() {
  auto patrol = steady_clock::now();
  while (!stopped_) {
    if (requested_) {
      co_await reconcile(*std::exchange(requested_, std::nullopt));
      const bool arrived = progress_.error.empty();
      patrol = steady_clock::now() + (arrived ? steady_clock::duration(kPatrol) : kRetry);
    } else if (steady_clock::now() >= patrol) {
      requested_ = Look::everything;
    } else if (!heard_.neighbours.empty()) {
      co_await follow_neighbours();
    } else {
      co_await wake_.wait_until(patrol);
    }
  }
}

asio::awaitable<void> Reconciler::reconcile(Look look) {
  const auto begun = steady_clock::now();
  if (!progress_.error.empty()) look = Look::everything;
  if (look == Look::everything) heard_ = {};
  const Wanted wanted = queue_.wanted();
  auto result = co_await carry_out(wanted, look);
  const auto carried = result ? model::Carried::out : model::Carried::failed;
  if (result && !l7_errors_.empty()) result = of_load_balancer(*l7_errors_.begin());

  note_unserved();
  progress_.runs++;
  progress_.last = std::chrono::system_clock::now();
  progress_.took =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
  std::string error = result ? "" : result.error().message();
  if (!error.empty()) progress_.failures++;
  if (carried == model::Carried::failed && error != progress_.error)
    spdlog::error("reconcile: {}", error);
  if (error.empty() && !progress_.error.empty()) spdlog::info("reconcile: recovered");
  progress_.error = std::move(error);
  co_await finish_pending(wanted, carried);
  queue_.note_tried(wanted.revision, std::move(result));
}

asio::awaitable<base::Status> Reconciler::carry_out(Wanted wanted, Look look) {
  l7_errors_.clear();
  auto put = [this, wanted, look, down = findings_.members_down()] {
    return arrange(wanted, look, down);
  };
  auto planned = co_await workers_.machine.run(std::move(put));
  if (!planned) co_return planned.error();
  note_planned(*planned);
  const plan::Plan& plan = planned->plan;
  if (planned->looked && on_arranged_) on_arranged_(plan.layout, *planned->observed);

  // A listener that comes to HAProxy is served there before the tables send it there; one that
  // leaves is served there until the tables have it.
  const haproxy::Specs both = haproxy::with_leaving(machine_.served(), plan.haproxy,
                                                    served(plan.placements, plan::ServedBy::xdp));
  const bool leaves = !(both == plan.haproxy);
  co_await serve_l7(both, look);

  auto write = [this, &planned = *planned] {
    return write_tables(planned.plan, planned.observed, planned.looked);
  };
  auto written = co_await workers_.machine.run(std::move(write));
  ids_ = std::move(written.ids);
  if (written.ends_flows && on_tables_) on_tables_();
  if (leaves && written.result) {
    co_await Event(loop_).wait_for(kAcceptLeft);
    co_await serve_l7(plan.haproxy, look);
  }
  if (!written.result) co_return written.result;
  if (!attach_error_.empty()) co_return base::Error{0, attach_error_};
  if (!planned->arrange_error.empty()) co_return base::Error{0, planned->arrange_error};
  co_return base::Unit{};
}

// Until the namespace is as planned, and the plan is made from the namespace as it is.
base::Result<Reconciler::Planned> Reconciler::arrange(const Wanted& wanted, Look look,
                                                      const std::set<base::Uuid>& down) {
  const auto resting = machine_.resting();
  const auto& configured = *wanted.configured;
  // What an agent before us arranged, the VIPs above all, must not go and come again.
  if (std::exchange(inherits_, false) && !machine_.tables().services.empty()) {
    auto seen = machine_.observe(layout_);
    if (!seen) return seen.error();
    layout_ = plan::make_plan(*wanted.model, {*seen, {}, {}}, ids_, resting, configured).layout;
  }
  const auto certificates = machine_.certificates(*wanted.model);
  Planned planned;
  planned.observed = observed_;
  planned.obstacle = obstacle_of(attachments_);
  planned.looked = look == Look::everything;
  for (int round = 1;; round++) {
    if (planned.looked) {
      auto arranged = machine_.arrange(layout_);
      if (!arranged) return arranged.error();
      planned.observed = std::make_shared<netns::Observed>(std::move(arranged->observed));
      planned.missing = std::move(arranged->missing);
      planned.arrange_error = arranged->errors.empty() ? "" : arranged->errors.front();
      // Before the plan: it depends on what XDP can do by these links.
      planned.attached = machine_.attach(*planned.observed);
      planned.obstacle = obstacle_of(planned.attached.attachments);
    }
    planned.plan = plan::make_plan(
        *wanted.model, {*planned.observed, down, certificates, planned.obstacle, rates_}, ids_,
        resting, configured, memory_);
    memory_ = planned.plan.memory;
    if (planned.plan.layout == layout_ || round == kArrangeRounds) return planned;
    layout_ = planned.plan.layout;
    planned.looked = true;
  }
}

void Reconciler::note_planned(const Planned& planned) {
  observed_ = planned.observed;
  findings_.probe(planned.plan.targets);
  progress_.placements = planned.plan.placements;
  for (const auto& [id, problem] : planned.plan.problems)
    if (!progress_.problems.contains(id))
      spdlog::warn("{}: {}", model::titled(queue_.model(), id), problem);
  progress_.problems = planned.plan.problems;
  if (planned.obstacle != progress_.obstacle && !planned.obstacle.empty())
    spdlog::warn("TCP listeners are HAProxy's: {}", planned.obstacle);
  progress_.obstacle = planned.obstacle;
  if (!planned.looked) return;
  attachments_ = planned.attached.attachments;
  attach_error_ = planned.attached.error;
  const bool loses = std::any_of(attachments_.begin(), attachments_.end(),
                                 [](const auto& one) { return !one.losing.empty(); });
  findings_.note_lossy(loses ? progress_.served_by(plan::ServedBy::xdp) : std::set<base::Uuid>{});
  if (planned.missing == progress_.missing) return;
  for (const auto& name : planned.missing) spdlog::warn("interface {} is not there (yet)", name);
  progress_.missing = planned.missing;
}

void Reconciler::note_unserved() {
  std::map<base::Uuid, std::string> unserved;
  for (const auto& failure : l7_errors_) {
    std::string why = failure.second.message();
    const auto known = progress_.unserved.find(failure.first);
    if (known == progress_.unserved.end() || known->second != why)
      spdlog::error("{}: {}", model::titled(queue_.model(), failure.first), why);
    unserved.emplace(failure.first, std::move(why));
  }
  progress_.unserved = std::move(unserved);
}

asio::awaitable<void> Reconciler::serve_l7(haproxy::Specs specs, Look look) {
  if (look == Look::known && serves_l7_ && specs == machine_.served()) co_return;
  auto serve = [this, specs = std::move(specs)] { return machine_.serve(specs); };
  l7_errors_ = co_await workers_.haproxy.run(std::move(serve));
  serves_l7_ = l7_errors_.empty();
}

Reconciler::Written Reconciler::write_tables(const plan::Plan& planned, const Observed& observed,
                                             bool looked) {
  auto steps = datapath::diff(machine_.tables(), planned.tables);
  for (const auto& step : steps) spdlog::debug("{}", datapath::describe(step));
  auto applied = machine_.apply(steps);
  if (applied && !steps.empty()) spdlog::debug("applied {} steps", steps.size());
  // Numbers of steps that were not carried out were never given: those in the tables count.
  const bool ends_flows = std::any_of(steps.begin(), steps.end(), datapath::may_end_flows);
  if (!applied) return {applied, plan::ids_of(machine_.tables()), ends_flows};
  return {looked ? machine_.resolve(*observed) : base::Unit{}, planned.ids, ends_flows};
}

asio::awaitable<void> Reconciler::follow_neighbours() {
  auto update = [this, heard = std::exchange(heard_, {})] { return follow(heard); };
  auto followed = co_await workers_.machine.run(std::move(update));
  observed_ = std::move(followed.observed);
  if (!followed.result) spdlog::error("neighbours: {}", followed.result.error().message());
  if (!followed.result || followed.takes_a_run) request_run(Look::everything);
}

Reconciler::Followed Reconciler::follow(const netns::Changes& heard) const {
  auto now = std::make_shared<netns::Observed>(*observed_);
  if (!netns::merge(*now, heard)) return {base::Unit{}, observed_, false};
  const auto steps = plan::next_hops(machine_.tables(), *observed_, *now);
  if (!steps) return {base::Unit{}, observed_, true};
  if (auto applied = machine_.apply(*steps); !applied) return {applied, observed_, false};
  return {machine_.resolve(*now), now, false};
}

// Load balancers are locked while they are pending, so what is pending in `wanted` is unchanged
// now. What HAProxy does not serve fails its load balancer's listeners there, nobody else.
asio::awaitable<void> Reconciler::finish_pending(Wanted wanted, model::Carried carried) {
  const auto& m = *wanted.model;
  const bool arrives = carried == model::Carried::out;
  const std::set<base::Uuid> unserved = arrives ? unserved_listeners(m) : std::set<base::Uuid>{};
  std::set<base::Uuid> in_part, entirely;
  for (const base::Uuid& id : unserved) in_part.insert(m.listeners.at(id).load_balancer);
  for (const auto& [id, lb] : m.load_balancers)
    if (lb.provisioning_status != model::ProvisioningStatus::active && !in_part.contains(id))
      entirely.insert(id);
  // Who is in ERROR already stays there: telling it again would be a change of its times.
  const auto is_told = [&m](const base::Uuid& id) {
    return !model::is_pending(m.load_balancers.at(id).provisioning_status);
  };
  std::erase_if(in_part, is_told);
  if (!arrives) std::erase_if(entirely, is_told);
  Edit finish = as_edit([carried, entirely](const auto& now, const auto& context) {
    return model::finish_pending(now, carried, entirely, context);
  });
  if (!entirely.empty()) co_await queue_.record(std::move(finish));
  finish = as_edit([unserved, in_part](const auto& now, const auto& context) {
    return model::finish_without(now, unserved, in_part, context);
  });
  if (!in_part.empty()) co_await queue_.record(std::move(finish));
}

// Those that HAProxy should serve, of load balancers whose HAProxy does not serve as planned.
std::set<base::Uuid> Reconciler::unserved_listeners(const model::Model& model) const {
  std::set<base::Uuid> unserved;
  for (const auto& [id, placement] : progress_.placements) {
    const auto listener = model.listeners.find(id);
    if (placement.by == plan::ServedBy::haproxy && listener != model.listeners.end() &&
        l7_errors_.contains(listener->second.load_balancer))
      unserved.insert(id);
  }
  return unserved;
}

}  // namespace reconcile
