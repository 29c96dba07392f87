#include "agent/serve/agent.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <exception>
#include <utility>

#include "agent/datapath/pins.h"
#include "agent/plan/plan.h"
#include "agent/serve/amphora_pair.h"
#include "agent/serve/api.h"
#include "agent/serve/fitness.h"
#include "agent/serve/paths.h"
#include "agent/serve/vrrp_status.h"
#include "base/log.h"
#include "base/service_manager.h"

namespace serve {

namespace asio = boost::asio;
using reconcile::Reconciler;

namespace {

// keepalived looks once a second whether this node is fit, and the other one waits for less than an
// advert's time before it takes what it is left; no client waits longer than half a minute.
Failover::Patience failover_patience(const Config& config) {
  constexpr std::chrono::milliseconds kMost{25'000};
  Failover::Patience patience;
  if (config.pair) patience.taken = std::min(patience.taken + config.pair->advert, kMost);
  return patience;
}

}  // namespace

Agent::Agent(const Config& config, Parts parts, std::chrono::steady_clock::time_point started)
    : config_(config),
      parts_(std::move(parts)),
      machine_(parts_.network, *parts_.datapath, *parts_.certificates, parts_.haproxy,
               metrics_socket(config)),
      findings_(loop_.get_executor(), plan::probe_ports(config.layout)),
      l7_judge_(*parts_.certificates, haproxy_paths(config), metrics_socket(config)),
      changes_(loop_.get_executor(), workers_.storage, *parts_.storage, findings_,
               std::move(parts_.model), config.layout),
      reconciler_(loop_.get_executor(), workers_, changes_, findings_, machine_),
      clock_(loop_.get_executor(), parts_.datapath->flows()),
      flow_logger_(loop_.get_executor(), parts_.datapath->flows(), changes_, config.flow_log),
      sweeper_(loop_.get_executor(), workers_, *parts_.datapath, std::move(parts_.grace),
               parts_.network.space(), changes_, findings_, parts_.statistics, flow_logger_),
      haproxy_keeper_(loop_.get_executor(), workers_, parts_.haproxy, changes_, findings_,
                      parts_.statistics),
      statistics_keeper_(loop_.get_executor(), workers_, parts_.statistics, config.state_dir),
      network_keeper_(loop_.get_executor(), workers_, parts_.network.space()),
      program_watch_(loop_.get_executor(), parts_.network.space(),
                     datapath::version_folder(config.pin_root, LB_ABI_VERSION), reconciler_),
      fragment_keeper_(loop_.get_executor(), parts_.network.space(), *parts_.datapath, reconciler_),
      operator_({config.netns, workers_, *parts_.datapath, parts_.haproxy, changes_, findings_,
                 reconciler_, parts_.statistics, flow_logger_, started}),
      certificates_(*parts_.certificates, workers_,
                    [this] { reconciler_.request_run(Reconciler::Look::known); }),
      vip_ranges_(vip_ranges_of(config)),
      door_(changes_, operator_, certificates_,
            {config.default_project, vip_ranges_,
             [this](std::function<void()> work) { return aside(std::move(work)); }}),
      failover_(loop_.get_executor(),
                {[this] { return failover_facts(); }, [this] { pair_->look_again(); },
                 [this] { replication_->leave(); }, [this] { replication_->tell_answered(); },
                 [this] { replication_->stop_leaving(); }},
                failover_patience(config)) {
  for (auto& watch : parts_.watches)
    link_watches_.emplace_back(loop_.get_executor(), std::move(watch), reconciler_);
  changes_.check_certificates_with(check_certificates_in(*parts_.certificates),
                                   compare_revocations_in(*parts_.certificates));
  changes_.allocate_vips_from(vip_ranges_);
  changes_.judge_with([this](const model::Model& before, const model::Model& after) {
    return l7_judge_.judge(before, after);
  });
  reconciler_.limit_flows(config.flow_rates);
  reconciler_.on_arranged([this](const auto& layout, const auto& observed) {
    network_keeper_.arranged(layout, observed);
    if (pair_) pair_->arranged(layout);
  });
  reconciler_.on_tables([this] { sweeper_.sweep_now(); });
  operator_.move_by(failover_);
}

boost::asio::awaitable<void> Agent::aside(std::function<void()> work) {
  struct Done {
    std::exception_ptr failure;
  };
  auto call = [work = std::move(work)]() -> Done {
    try {
      work();
    } catch (...) {
      return {std::current_exception()};  // out of memory: the request's, not the thread's
    }
    return {};
  };
  const Done done = co_await workers_.certificates.run(std::move(call));
  if (done.failure) std::rethrow_exception(done.failure);
}

base::Status Agent::serve_octavia(AmphoraEntry entry, const netns::Namespace& space) {
  auto amphora = Amphora::open(
      loop_.get_executor(), std::move(entry), config_,
      {space, workers_.storage, changes_, changes_, findings_, parts_.statistics, operator_,
       flow_logger_, [this] { return fitness(); }, [this] { network_keeper_.announce_again(); },
       [this] { return reconciler_.progress().served_by(plan::ServedBy::haproxy); },
       [this] { find_other_amphora(); }});
  if (!amphora) return amphora.error();
  amphora_ = std::move(*amphora);
  operator_.show_pair(amphora_->vrrp());
  // One that cannot share its connections serves all the same.
  if (config_.is_of_two)
    if (auto done = replicate(); !done) spdlog::error("pair: {}", done.error().message());
  find_other_amphora();
  return amphora_->start();
}

// What the controller's text says that runs, or ran when an agent before this one ended.
void Agent::find_other_amphora() {
  if (!replication_) return;
  const auto& instance = amphora_->vrrp().instance();
  if (!instance) return replication_->aim(std::nullopt);
  auto target = target_of(*instance, amphora_->conf().heartbeat_key);
  if (!target) spdlog::error("pair: {}", target.error().message());
  replication_->aim(target ? *target : std::nullopt);
}

base::Status Agent::join_pair(const netns::Namespace& space) {
  auto drop = drop_in(space);
  if (!drop) return drop.error();
  auto pair =
      Pair::open(loop_.get_executor(), config_, std::move(*drop), [this] { return fitness(); });
  if (!pair) return pair.error();
  pair_ = std::move(*pair);
  operator_.show_pair(pair_->keeper());
  if (!config_.pair->key_file.empty()) {
    const PairConfig& own = *config_.pair;
    auto key = key_of(own);
    if (!key) return key.error();
    if (auto done = replicate(); !done) return done.error();
    replication_->aim(pair::Channel::Target{own.source, own.peer, own.port, *key});
  }
  pair_->start();
  return base::Unit{};
}

base::Status Agent::replicate() {
  auto replication =
      Replication::open(loop_.get_executor(),
                        {workers_, *parts_.datapath, reconciler_, [this] { return has_vips(); }});
  if (!replication) return replication.error();
  replication_ = std::move(*replication);
  operator_.show_replication(*replication_);
  sweeper_.judge_by([this](const datapath::FlowLife& flow) { return replication_->look_at(flow); },
                    [this] { return !replication_->is_standby(); });
  replication_->start();
  return base::Unit{};
}

bool Agent::has_vips() const {
  const auto& instance = (pair_ ? pair_->keeper() : amphora_->vrrp()).instance();
  return instance &&
         keepalived::role_of(*instance, seen_of(instance->interface, reconciler_.observed())) ==
             keepalived::Role::master;
}

// An amphora does not wait for flows: when it is master, the controller's text decides.
std::optional<keepalived::Fitness> Agent::fitness() const {
  if (reconciler_.progress().runs == 0) return std::nullopt;
  return fitness_of(
      {changes_.model(), reconciler_.progress(), reconciler_.observed(), reconciler_.attachments(),
       haproxy_keeper_.answers(), !program_watch_.lost().empty(),
       pair_ && replication_ && replication_->is_missing_flows(), failover_.is_leaving()});
}

FailoverFacts Agent::failover_facts() const {
  FailoverFacts facts;
  if (amphora_) facts.node = FailoverFacts::Node::of_octavia;
  if (!pair_) return facts;
  facts.node = FailoverFacts::Node::without_key;
  facts.has_vips = has_vips();
  facts.takes_back = config_.pair->preempt;
  facts.peer = config_.pair->peer;
  if (!replication_) return facts;
  facts.node = FailoverFacts::Node::of_pair;
  facts.report = replication_->report();
  facts.not_movable = replication_->not_movable();
  return facts;
}

base::Status Agent::run(std::optional<http::TcpOptions> api) {
  auto servers = start_servers(loop_.get_executor(), config_, std::move(api), door_);
  if (!servers) return servers.error();
  servers_ = std::move(*servers);

  const auto start = [this](asio::awaitable<void> job) {
    asio::co_spawn(loop_, std::move(job), asio::detached);
  };
  start(reconciler_.run());
  start(clock_.run());
  start(sweeper_.run());
  start(haproxy_keeper_.run());
  start(statistics_keeper_.run());
  start(network_keeper_.run());
  start(program_watch_.run());
  start(fragment_keeper_.run());
  for (auto& watch : link_watches_) start(watch.run());

  asio::signal_set ends(loop_, SIGTERM, SIGINT);
  ends.async_wait([this](const boost::system::error_code&, int) { stop(); });
  base::tell_service_manager("READY=1");
  spdlog::info(
      "amphora-xdp-agent {} in {}, control socket {}{}", AMPHORA_XDP_VERSION,
      config_.netns.empty() ? "the namespace that it was started in" : "namespace " + config_.netns,
      config_.control_socket, config_.api ? ", API on " + config_.api->bind.text() : "");
  loop_.run();
  workers_.finish();
  return statistics::Statistics::store(config_.state_dir, parts_.statistics.text());
}

void Agent::stop() {
  base::tell_service_manager("STOPPING=1");
  for (auto& server : servers_) server->stop();
  if (amphora_) amphora_->stop();
  if (pair_) pair_->finish();
  if (replication_) replication_->stop();
  reconciler_.stop();
  clock_.stop();
  sweeper_.stop();
  flow_logger_.stop();
  haproxy_keeper_.stop();
  statistics_keeper_.stop();
  network_keeper_.stop();
  program_watch_.stop();
  fragment_keeper_.stop();
  for (auto& watch : link_watches_) watch.stop();
  loop_.stop();
}

}  // namespace serve
