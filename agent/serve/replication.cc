#include "agent/serve/replication.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <limits>
#include <utility>

#include "base/log.h"
#include "bpf/flow_layout.h"

namespace serve {

namespace asio = boost::asio;
using base::Result;

namespace {

// What moves with the VIPs and has had no packet here for so long would be at the other node, if it
// still were.
constexpr uint32_t kOrphanTicks = 2000 / LB_TICK_MS;
constexpr uint32_t kForEver = std::numeric_limits<uint32_t>::max();

constexpr auto kRoleEvery = std::chrono::milliseconds(20);

pair::Hello hello_of(const datapath::Datapath& datapath) {
  pair::Hello hello;
  hello.maps = datapath.about().info.seed;
  hello.lines4 = datapath.about().lines4;
  hello.lines6 = datapath.about().lines6;
  return hello;
}

}  // namespace

Result<std::unique_ptr<Replication>> Replication::open(asio::any_io_executor loop,
                                                       const PairConfig& pair, Around around) {
  auto key = pair::read_key(pair.key_file);
  if (!key) return key.error();
  auto replica = around.datapath.replica();
  if (!replica) return replica.error();
  auto changes = around.datapath.changes();
  if (!changes) return changes.error();
  return std::unique_ptr<Replication>(new Replication(std::move(loop), pair, *key, around,
                                                      std::move(*replica), std::move(*changes)));
}

Replication::Replication(asio::any_io_executor loop, const PairConfig& pair, const pair::Key& key,
                         Around around, datapath::FlowReplica replica, datapath::ChangeRing changes)
    : loop_(loop),
      around_(std::move(around)),
      table_(around_.datapath.flows(), std::move(replica), std::move(changes)),
      session_(table_, table_, hello_of(around_.datapath)),
      channel_(loop, {pair.source, pair.peer, pair.port}, key, session_),
      wake_(loop),
      ages_from_(tick()) {}

void Replication::start() { asio::co_spawn(loop_, follow(), asio::detached); }

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
    if (is_standby() && session_.is_in_sync()) ages_from_ = tick();
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
  return is_standby() && report.connected && report.peer == pair::Role::active && !report.in_sync;
}

// What is half-open, closed or reset is this node's own, and ages as ever.
uint32_t Replication::idle(const datapath::FlowLife& flow) const {
  if ((lb_state_uses(flow.state) & LB_USE_FLOWS) == 0) return flow.idle;
  if (!is_standby() || !session_.is_in_sync()) return std::min(flow.idle, tick() - ages_from_);
  if (session_.has(flow.family, flow.line)) return 0;
  return flow.idle > kOrphanTicks && table_.moves(flow.family, flow.line) ? kForEver : flow.idle;
}

pair::Report Replication::report() const {
  return session_.report(std::chrono::steady_clock::now());
}

}  // namespace serve
