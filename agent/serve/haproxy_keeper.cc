#include "agent/serve/haproxy_keeper.h"

#include <chrono>
#include <utility>

#include "agent/model/title.h"
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

// Statuses as the workers that accept have them; connections of all.
reconcile::HaproxyView view_of(const std::vector<haproxy::WorkerStats>& workers) {
  reconcile::HaproxyView view;
  for (const haproxy::WorkerStats& worker : workers) {
    if (worker.current && worker.answers) view.answers = true;
    if (worker.current) view.backends.insert(worker.backends.begin(), worker.backends.end());
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
                             haproxy::Instances& haproxy, const reconcile::Changes& changes,
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
    co_await revive();
    if (turn % kRevivesToAsk == 0) co_await ask();
    co_await wake_.wait_for(kReviveEvery);
  }
}

asio::awaitable<void> HaproxyKeeper::revive() {
  auto look = [this] { return haproxy_.revive(); };
  const auto revived = co_await workers_.haproxy.run(std::move(look));
  for (const auto& [load_balancer, done] : revived) {
    const std::string whose = "HAProxy of " + model::titled(changes_.model(), load_balancer);
    if (done) spdlog::error("{} had died: it was started again", whose);
    if (!done) spdlog::error("{}: {}", whose, done.error().message());
  }
}

// One after the other, so that whatever else is to be done comes between.
asio::awaitable<void> HaproxyKeeper::ask() {
  auto list = [this] { return haproxy_.names(); };
  const std::vector<base::Uuid> names = co_await workers_.haproxy.run(std::move(list));
  std::vector<haproxy::WorkerStats> all;
  bool all_answer = true;
  for (const base::Uuid& name : names) {
    auto look = [this, name] {
      asked_ = std::chrono::steady_clock::now();
      auto answer = haproxy_.stats(name);
      asked_ = std::chrono::steady_clock::time_point{};
      return answer;
    };
    const auto answer = co_await workers_.haproxy.run(std::move(look));
    all_answer &= !answer.is_silent;
    all.insert(all.end(), answer.workers.begin(), answer.workers.end());
  }
  note(all, all_answer);
}

bool HaproxyKeeper::answers() const {
  const auto asked = asked_.load();
  const bool waits = asked != std::chrono::steady_clock::time_point{} &&
                     std::chrono::steady_clock::now() - asked > kSilence;
  return !waits && findings_.haproxy().answers;
}

void HaproxyKeeper::note(const std::vector<haproxy::WorkerStats>& workers, bool all_answer) {
  statistics_.read("haproxy", readings(workers), listeners_of(changes_.model()));
  reconcile::HaproxyView view = view_of(workers);
  view.answers &= all_answer;
  findings_.note_haproxy(std::move(view));
}

}  // namespace serve
