#include "agent/serve/haproxy_keeper.h"

#include <chrono>
#include <utility>

#include "agent/serve/listeners.h"
#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using Readings = std::vector<statistics::Statistics::Reading>;

namespace {

// HAProxy that died is back within a second.
constexpr auto kReviveEvery = std::chrono::milliseconds(200);
// One that hangs is found out, and no longer vouched for, within two seconds: asked within 0.6 s,
// waited for, and the next word of the agent is 0.5 s away.
constexpr int kRevivesToAsk = 3;
constexpr auto kSilence = std::chrono::milliseconds(800);

Readings readings(const std::vector<haproxy::WorkerStats>& workers) {
  Readings all;
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
reconcile::HaproxyView view_of(const std::vector<haproxy::WorkerStats>& workers) {
  reconcile::HaproxyView view;
  for (const haproxy::WorkerStats& worker : workers) {
    if (worker.current) view.answers = true;
    if (worker.current) view.backends = worker.backends;
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

HaproxyKeeper::HaproxyKeeper(const asio::any_io_executor& loop, reconcile::Workers& workers,
                             haproxy::Process& haproxy, const reconcile::Changes& changes,
                             reconcile::Findings& findings, statistics::Statistics& statistics)
    : workers_(workers),
      haproxy_(haproxy),
      changes_(changes),
      findings_(findings),
      statistics_(statistics),
      wake_(loop) {}

void HaproxyKeeper::stop() {
  stopped_ = true;
  wake_.set();
}

asio::awaitable<void> HaproxyKeeper::run() {
  for (int turn = 0; !stopped_; turn++) {
    const bool asks = turn % kRevivesToAsk == 0;
    auto look = [this, asks] {
      Found found;
      found.revived = haproxy_.revive();
      if (!asks) return found;
      asked_ = std::chrono::steady_clock::now();
      found.workers = haproxy_.stats();
      asked_ = std::chrono::steady_clock::time_point{};
      return found;
    };
    const Found found = co_await workers_.haproxy.run(std::move(look));
    if (!found.revived) spdlog::error("{}", found.revived.error().message());
    if (found.revived && *found.revived) spdlog::error("HAProxy had died: it was started again");
    if (asks && found.workers) note(*found.workers);
    if (asks && !found.workers) spdlog::warn("{}", found.workers.error().message());
    co_await wake_.wait_for(kReviveEvery);
  }
}

bool HaproxyKeeper::answers() const {
  const auto asked = asked_.load();
  const bool waits = asked != std::chrono::steady_clock::time_point{} &&
                     std::chrono::steady_clock::now() - asked > kSilence;
  return !waits && findings_.haproxy().answers;
}

void HaproxyKeeper::note(const std::vector<haproxy::WorkerStats>& workers) {
  statistics_.read("haproxy", readings(workers), listeners_of(changes_.model()));
  findings_.note_haproxy(view_of(workers));
}

}  // namespace serve
