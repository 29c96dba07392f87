// HaproxyKeeper: keeps the HAProxies alive while they are needed, and reads what they count and
// find.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <vector>

#include "agent/reconcile/changes.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/findings.h"
#include "agent/reconcile/workers.h"
#include "agent/statistics/statistics.h"
#include "haproxy/instances.h"

namespace serve {

class HaproxyKeeper {
 public:
  // All of them outlive it.
  HaproxyKeeper(const boost::asio::any_io_executor& loop, reconcile::Workers& workers,
                haproxy::Instances& haproxy, const reconcile::Changes& changes,
                reconcile::Findings& findings, statistics::Statistics& statistics);

  // Until stop().
  boost::asio::awaitable<void> run();
  void stop();

  // Whether those that accept answered when they were asked last, one of them at least, and keep
  // nobody waiting since.
  bool answers() const;

 private:
  boost::asio::awaitable<void> revive();
  boost::asio::awaitable<void> ask();
  void note(const std::vector<haproxy::WorkerStats>& workers, bool all_answer);

  reconcile::Workers& workers_;
  haproxy::Instances& haproxy_;
  const reconcile::Changes& changes_;
  reconcile::Findings& findings_;
  statistics::Statistics& statistics_;
  std::atomic<std::chrono::steady_clock::time_point> asked_{};  // the epoch: it has answered
  reconcile::Event wake_;
  bool stopped_ = false;
};

}  // namespace serve
