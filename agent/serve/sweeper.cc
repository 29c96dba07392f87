#include "agent/serve/sweeper.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/datapath/abi.h"
#include "agent/model/title.h"
#include "agent/serve/flow_resets.h"
#include "agent/serve/listeners.h"
#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using datapath::FlowTable;
using Readings = std::vector<statistics::Statistics::Reading>;

namespace {

// A pass reads the whole table; this often, idle flows end within a few per cent of their timeout
// and an idle agent stays idle.
constexpr auto kPassEvery = std::chrono::seconds(2);

// So many RSTs at once, and then a pause: no queue on the way holds many more, and a CPU has other
// things to do. 50,000 a second.
constexpr size_t kTellAtOnce = 250;
constexpr auto kTellPause = std::chrono::milliseconds(5);

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
Readings readings(const std::vector<Ended>& ended, const datapath::FlowCensus& census,
                  uint64_t maps) {
  Readings all;
  for (const Ended& one : ended) {
    const lb_service_sum& live = census.service_traffic[one.service];
    statistics::Traffic sum;
    sum.connections = one.stats.flows;
    sum.bytes_in = one.stats.bytes_in + live.bytes_in;
    sum.bytes_out = one.stats.bytes_out + live.bytes_out;
    all.push_back({one.listener, fmt::format("datapath/{:x}/{}", maps, one.service), sum});
  }
  return all;
}

std::set<base::Uuid> full_listeners(const std::vector<Ended>& services,
                                    const datapath::FlowCensus& census, const model::Model& model) {
  std::map<base::Uuid, uint64_t> flows;
  for (const Ended& one : services) flows[one.listener] += census.service_use[one.service].flows;
  std::set<base::Uuid> full;
  for (const auto& [id, count] : flows) {
    const auto listener = model.listeners.find(id);
    if (listener == model.listeners.end()) continue;
    const int limit = listener->second.connection_limit;
    if (limit > 0 && count >= static_cast<uint64_t>(limit)) full.insert(id);
  }
  return full;
}

}  // namespace

Sweeper::Sweeper(asio::any_io_executor loop, reconcile::Workers& workers,
                 datapath::Datapath& datapath, datapath::Grace grace, const netns::Namespace& space,
                 const reconcile::Changes& changes, reconcile::Findings& findings,
                 statistics::Statistics& statistics, FlowLogger& log)
    : loop_(loop),
      workers_(workers),
      datapath_(datapath),
      grace_(std::move(grace)),
      space_(space),
      changes_(changes),
      findings_(findings),
      statistics_(statistics),
      log_(log),
      wake_(loop) {}

void Sweeper::sweep_now() { wake_.set(); }

void Sweeper::stop() {
  stopped_ = true;
  wake_.set();
}

asio::awaitable<void> Sweeper::run() {
  while (!stopped_) {
    co_await pass();
    if (!stopped_) co_await wake_.wait_for(kPassEvery);
  }
}

asio::awaitable<void> Sweeper::pass() {
  auto read = [this, logs = log_.is_at_work()] {
    const datapath::Tables& tables = datapath_.tables();
    return std::tuple(datapath::FlowPolicy::of(tables), read_ended(datapath_),
                      logs ? FlowLogger::Names::of(tables) : FlowLogger::Names{},
                      datapath_.port_limits());
  };
  const auto [policy, ended, names, limits] = co_await workers_.machine.run(std::move(read));
  log_.learn(names);
  auto judge = [this, &policy = policy](const datapath::FlowLife& flow) {
    return policy.expiry(look_at_ ? look_at_(flow) : flow);
  };
  FlowTable& flows = datapath_.flows();
  for (auto progress = FlowTable::Progress::more; progress != FlowTable::Progress::pass_done;) {
    progress = flows.sweep(judge, datapath::kSweepSlice);
    if (progress == FlowTable::Progress::release_first) co_await release_ended();
    co_await asio::post(loop_, asio::use_awaitable);  // let others run
    if (stopped_) co_return;
  }
  const uint64_t maps = datapath_.about().info.seed;  // random for each set of maps
  statistics_.read("datapath", readings(ended, flows.census(), maps),
                   listeners_of(changes_.model()));
  findings_.note_full(full_listeners(ended, flows.census(), changes_.model()));
  warn_of_ports(datapath::port_use(limits, flows.census()));
  co_await release_ended();
  auto release = [this] { return datapath_.release_unused(datapath_.flows().census().used); };
  auto released = co_await workers_.machine.run(std::move(release));
  if (!released) spdlog::error("{}", released.error().message());
}

// Once, when it begins.
void Sweeper::warn_of_ports(const std::vector<datapath::PortUse>& uses) {
  std::set<base::Uuid> scarce;
  for (const datapath::PortUse& use : uses) {
    if (!use.is_scarce()) continue;
    if (!scarce_.contains(use.member))
      spdlog::warn("{}: {}", model::titled(changes_.model(), use.member),
                   datapath::scarce_ports(use));
    scarce.insert(use.member);
  }
  scarce_ = std::move(scarce);
}

asio::awaitable<void> Sweeper::release_ended() {
  FlowTable& flows = datapath_.flows();
  if (flows.begin_grace() == 0) co_return;
  auto wait_for_programs = [this] { return grace_.wait(); };
  auto waited = co_await workers_.grace.run(std::move(wait_for_programs));
  // Without it counters may miss a packet; nothing else depends on it.
  if (!waited) spdlog::error("{}", waited.error().message());
  for (size_t left = 1; left > 0;) {
    // Told first: an agent that is killed in between has the next one tell them again.
    if (!tells_ || tells_()) co_await tell_ends(resets_of(flows.ending(datapath::kReleaseSlice)));
    left = flows.release(datapath::kReleaseSlice);
    co_await asio::post(loop_, asio::use_awaitable);
  }
}

asio::awaitable<void> Sweeper::tell_ends(std::vector<netns::Reset> resets) {
  asio::steady_timer pause(loop_);
  for (size_t at = 0; at < resets.size() && !stopped_; at += kTellAtOnce) {
    if (at > 0) {
      pause.expires_after(kTellPause);
      co_await pause.async_wait(asio::use_awaitable);
    }
    const std::span some(resets.data() + at, std::min(kTellAtOnce, resets.size() - at));
    auto send = [space = space_.fd(), some] { return netns::send_resets(space, some); };
    auto sent = co_await workers_.grace.run(std::move(send));
    if (!sent) {
      spdlog::error("{}: {} ends of connections are not told", sent.error().message(),
                    resets.size() - at);
      co_return;
    }
  }
}

}  // namespace serve
