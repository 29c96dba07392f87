#include "agent/serve/replication.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "agent/serve/pair_life.h"
#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using base::Result;

namespace {

constexpr auto kRoleEvery = std::chrono::milliseconds(20);

pair::Hello hello_of(const datapath::Datapath& datapath) {
  pair::Hello hello;
  hello.maps = pair::name_of_maps(datapath.about().info.seed);
  hello.lines4 = datapath.about().lines4;
  hello.lines6 = datapath.about().lines6;
  return hello;
}

}  // namespace

Result<std::unique_ptr<Replication>> Replication::open(asio::any_io_executor loop, Around around) {
  auto replica = around.datapath.replica();
  if (!replica) return replica.error();
  auto changes = around.datapath.changes();
  if (!changes) return changes.error();
  return std::unique_ptr<Replication>(
      new Replication(std::move(loop), around, std::move(*replica), std::move(*changes)));
}

Replication::Replication(asio::any_io_executor loop, Around around, datapath::FlowReplica replica,
                         datapath::ChangeRing changes)
    : loop_(loop),
      around_(std::move(around)),
      table_(around_.datapath.flows(), std::move(replica), std::move(changes)),
      session_(table_, table_, hello_of(around_.datapath)),
      channel_(loop, session_),
      wake_(loop),
      ages_from_(tick()) {}

void Replication::start() { asio::co_spawn(loop_, follow(), asio::detached); }

void Replication::aim(std::optional<pair::Channel::Target> target) {
  peer_ = target ? std::optional(target->peer) : std::nullopt;
  channel_.aim(std::move(target));
}

void Replication::stop() {
  stopped_ = true;
  channel_.stop();
  wake_.set();
}

uint32_t Replication::tick() const {
  return datapath::shared(around_.datapath.flows().memory().clock().tick).load();
}

asio::awaitable<void> Replication::follow() {
  while (!stopped_) {
    look_at_role();
    if (is_standby() && session_.follows()) ages_from_ = tick();
    if (around_.reconciler.progress().runs != known_runs_) co_await learn_names();
    co_await wake_.wait_for(kRoleEvery);
  }
}

void Replication::look_at_role() {
  const auto now = around_.has_vips() ? pair::Role::active : pair::Role::standby;
  if (now == role_) return;
  const size_t flows = session_.report(std::chrono::steady_clock::now()).flows;
  if (now == pair::Role::active)
    spdlog::info("pair: the VIPs are here now, and {} flows of the other node", flows);
  else
    spdlog::info("pair: the VIPs are not here any more");
  role_ = now;
  active_from_ = tick();
  session_.set_role(now);
}

// Without names nothing that the other node tells would have a place here.
asio::awaitable<void> Replication::learn_names() {
  const bool first = known_runs_ == 0;
  known_runs_ = around_.reconciler.progress().runs;
  auto read = [this] { return around_.datapath.flow_names(); };
  table_.learn(co_await around_.workers.machine.run(std::move(read)));
  session_.ask_again();
  if (first && !stopped_) asio::co_spawn(loop_, channel_.run(), asio::detached);
}

bool Replication::is_missing_flows() const {
  const pair::Report report = this->report();
  return is_standby() && report.connected && report.peer == pair::Role::active && !report.follows;
}

datapath::FlowLife Replication::look_at(const datapath::FlowLife& flow) const {
  const PairView view{is_standby(), session_.follows(), tick(), active_from_, ages_from_};
  if (has_come(flow, view)) table_.own(flow.family, flow.line);
  return life_in_pair(flow, view, session_.has(flow.family, flow.line),
                      [&] { return table_.moves(flow.family, flow.line); });
}

pair::Report Replication::report() const {
  return session_.report(std::chrono::steady_clock::now());
}

}  // namespace serve
