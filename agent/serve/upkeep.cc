#include "agent/serve/upkeep.h"

#include <fcntl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using datapath::FlowTable;
using std::chrono::steady_clock;

namespace {

// A pass reads the whole table; this often, idle flows end within a few per cent of their timeout
// and an idle agent stays idle.
constexpr auto kPassEvery = std::chrono::seconds(2);
// The datapath's counters are pinned and HAProxy's go on: what an agent that is killed had not
// stored is read again, but for workers that end meanwhile.
constexpr auto kStoreEvery = std::chrono::seconds(10);
// HAProxy that died is back within a second.
constexpr auto kReviveEvery = std::chrono::milliseconds(200);
constexpr int kRevivesToAsk = 5;
constexpr auto kTick = std::chrono::milliseconds(LB_TICK_MS);
// Routes and links change in bursts; one observation is enough for a burst.
constexpr auto kBurst = std::chrono::milliseconds(20);

asio::awaitable<void> wait(asio::steady_timer& timer, steady_clock::duration time) {
  boost::system::error_code ignored;
  timer.expires_after(time);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// What the flows of a service carried that have ended.
struct Ended {
  uint32_t service;
  base::Uuid listener;
  datapath::ServiceStats stats;
};

std::vector<Ended> read_ended(datapath::Datapath& datapath) {
  std::vector<Ended> all;
  for (const auto& [key, service] : datapath.tables().services)
    if (auto stats = datapath.service_stats(service.id))
      all.push_back({service.id, datapath::from_abi(service.listener), *stats});
  return all;
}

// With what those that live carried. `ended` was read before the pass of `census` began: a flow
// that ended meanwhile is in one of the two or, until the next pass, in neither; never in both.
std::vector<statistics::Statistics::Reading> readings(const std::vector<Ended>& ended,
                                                      const datapath::FlowCensus& census,
                                                      uint64_t maps) {
  std::vector<statistics::Statistics::Reading> all;
  for (const Ended& one : ended) {
    const lb_service_sum& live = census.service_traffic[one.service];
    statistics::Traffic sum;
    sum.connections = one.stats.flows;
    sum.packets_in = one.stats.packets_in + live.packets_in;
    sum.bytes_in = one.stats.bytes_in + live.bytes_in;
    sum.packets_out = one.stats.packets_out + live.packets_out;
    sum.bytes_out = one.stats.bytes_out + live.bytes_out;
    all.push_back({one.listener, fmt::format("datapath/{:x}/{}", maps, one.service), sum});
  }
  return all;
}

std::set<base::Uuid> full_listeners(const std::vector<Ended>& services,
                                    const datapath::FlowCensus& census, const model::Model& model) {
  std::map<base::Uuid, uint64_t> flows;
  for (const Ended& one : services) flows[one.listener] += census.service_flows[one.service];
  std::set<base::Uuid> full;
  for (const auto& [id, count] : flows) {
    const auto listener = model.listeners.find(id);
    if (listener == model.listeners.end()) continue;
    const int limit = listener->second.connection_limit;
    if (limit >= 0 && count >= static_cast<uint64_t>(limit)) full.insert(id);
  }
  return full;
}

std::vector<statistics::Statistics::Reading> readings(
    const std::vector<haproxy::WorkerStats>& workers) {
  std::vector<statistics::Statistics::Reading> all;
  for (const haproxy::WorkerStats& worker : workers)
    for (const auto& [listener, frontend] : worker.frontends) {
      statistics::Traffic sum;
      sum.connections = frontend.traffic.total;
      sum.bytes_in = frontend.traffic.bytes_in;
      sum.bytes_out = frontend.traffic.bytes_out;
      sum.request_errors = frontend.traffic.errors;
      all.push_back(
          {listener, fmt::format("haproxy/{}/{}", worker.worker.pid, worker.worker.start), sum});
    }
  return all;
}

// Statuses as the worker that accepts has them; connections of all.
reconcile::L7View view_of(const std::vector<haproxy::WorkerStats>& workers) {
  reconcile::L7View view;
  for (const haproxy::WorkerStats& worker : workers) {
    for (const auto& [listener, frontend] : worker.frontends) {
      auto& seen = view.listeners[listener];
      if (worker.current) seen.status = frontend.status;
      seen.traffic.current += frontend.traffic.current;
    }
    for (const auto& [id, backend] : worker.backends)
      for (const auto& [member, server] : backend.servers) {
        auto& seen = view.members[member];
        if (worker.current) seen.status = server.status;
        if (worker.current) seen.reason = server.reason;
        seen.traffic.current += server.traffic.current;
      }
  }
  return view;
}

}  // namespace

Upkeep::Upkeep(asio::any_io_executor loop, std::string state_dir, datapath::Datapath& datapath,
               datapath::Grace grace, haproxy::Process& haproxy,
               reconcile::LiveReconciler& reconciler, statistics::Statistics& statistics)
    : loop_(loop),
      state_dir_(std::move(state_dir)),
      datapath_(datapath),
      grace_(std::move(grace)),
      haproxy_(haproxy),
      reconciler_(reconciler),
      statistics_(statistics),
      tick_(loop),
      pause_(loop),
      store_(loop),
      revive_(loop) {}

void Upkeep::sweep_now() {
  sweep_requested_ = true;
  pause_.cancel();
}

void Upkeep::stop() {
  stopped_ = true;
  tick_.cancel();
  pause_.cancel();
  store_.cancel();
  revive_.cancel();
}

asio::awaitable<void> Upkeep::keep_time() {
  auto last = steady_clock::now();
  while (!stopped_) {
    co_await wait(tick_, kTick);
    auto now = steady_clock::now();
    auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last);
    datapath_.flows().advance_clock(elapsed);
    last += elapsed;
  }
}

asio::awaitable<void> Upkeep::sweep() {
  while (!stopped_) {
    co_await pass();
    if (!sweep_requested_ && !stopped_) co_await wait(pause_, kPassEvery);
  }
}

asio::awaitable<void> Upkeep::pass() {
  sweep_requested_ = false;
  auto read = [this] {
    return std::pair(datapath::FlowPolicy::of(datapath_.tables()), read_ended(datapath_));
  };
  const auto [policy, ended] = co_await reconciler_.machine_worker().run(read);
  auto judge = [&policy = policy](const datapath::FlowLife& flow) { return policy.expiry(flow); };
  FlowTable& flows = datapath_.flows();
  for (auto progress = FlowTable::Progress::more; progress != FlowTable::Progress::pass_done;) {
    progress = flows.sweep(judge, datapath::kSweepSlice);
    if (progress == FlowTable::Progress::release_first) co_await release_ended();
    co_await asio::post(loop_, asio::use_awaitable);  // let others run
    if (stopped_) co_return;
  }
  const uint64_t maps = datapath_.about().info.seed;  // random for each set of maps
  statistics_.read("datapath", readings(ended, flows.census(), maps), listeners());
  reconciler_.note_full(full_listeners(ended, flows.census(), reconciler_.model()));
  co_await release_ended();
  auto release = [this] { return datapath_.release_unused(datapath_.flows().census().used); };
  auto released = co_await reconciler_.machine_worker().run(release);
  if (!released) spdlog::error("{}", released.error().message());
}

asio::awaitable<void> Upkeep::release_ended() {
  FlowTable& flows = datapath_.flows();
  if (flows.begin_grace() == 0) co_return;
  auto wait_for_programs = [this] { return grace_.wait(); };
  auto waited = co_await grace_worker_.run(wait_for_programs);
  // Without it counters may miss a packet; nothing else depends on it.
  if (!waited) spdlog::error("{}", waited.error().message());
  while (flows.release(datapath::kReleaseSlice) > 0)
    co_await asio::post(loop_, asio::use_awaitable);
}

std::set<base::Uuid> Upkeep::listeners() const {
  std::set<base::Uuid> ids;
  for (const auto& [id, listener] : reconciler_.model().listeners) ids.insert(id);
  return ids;
}

asio::awaitable<void> Upkeep::keep_haproxy() {
  for (int turn = 0; !stopped_; turn++) {
    const bool asks = turn % kRevivesToAsk == 0;
    struct Found {
      base::Result<bool> revived = false;
      base::Result<std::vector<haproxy::WorkerStats>> workers = std::vector<haproxy::WorkerStats>{};
    };
    auto look = [this, asks] {
      Found found;
      found.revived = haproxy_.revive();
      if (asks) found.workers = haproxy_.stats();
      return found;
    };
    const Found found = co_await reconciler_.l7_worker().run(look);
    if (!found.revived) spdlog::error("{}", found.revived.error().message());
    if (found.revived && *found.revived) spdlog::error("HAProxy had died: it was started again");
    if (asks && found.workers) note(*found.workers);
    if (asks && !found.workers) spdlog::warn("{}", found.workers.error().message());
    co_await wait(revive_, kReviveEvery);
  }
}

void Upkeep::note(const std::vector<haproxy::WorkerStats>& workers) {
  statistics_.read("haproxy", readings(workers), listeners());
  reconciler_.note_l7(view_of(workers));
}

asio::awaitable<void> Upkeep::keep_statistics() {
  std::string stored;
  while (!stopped_) {
    co_await wait(store_, kStoreEvery);
    std::string text = statistics_.text();
    if (text == stored) continue;
    auto store = [this, text] { return statistics::Statistics::store(state_dir_, text); };
    auto result = co_await storage_worker_.run(store);
    if (result) stored = std::move(text);
    if (!result) spdlog::error("{}", result.error().message());
  }
}

asio::awaitable<void> Upkeep::follow(netns::Watch watch) {
  // Its own descriptor: both close theirs.
  asio::posix::stream_descriptor descriptor(loop_, ::fcntl(watch.fd(), F_DUPFD_CLOEXEC, 0));
  asio::steady_timer burst(loop_);
  boost::system::error_code failed;
  while (!stopped_) {
    co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                   asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
    auto changes = watch.read_events();
    if (!changes) {
      spdlog::error("{}", changes.error().message());
      break;
    }
    if (!changes->any()) continue;
    reconciler_.request_run();
    co_await wait(burst, kBurst);
  }
}

}  // namespace serve
