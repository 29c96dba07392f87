// HaproxyKeeper: keeps HAProxy alive while it is needed, and reads what it counts and finds.
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
#include "haproxy/process.h"

namespace serve {

class HaproxyKeeper {
 public:
  // All of them outlive it.
  HaproxyKeeper(const boost::asio::any_io_executor& loop, reconcile::Workers& workers,
                haproxy::Process& haproxy, const reconcile::Changes& changes,
                reconcile::Findings& findings, statistics::Statistics& statistics);

  // Until stop().
  boost::asio::awaitable<void> run();
  void stop();

  // Whether the one that accepts answered when it was asked last, and keeps nobody waiting since.
  bool answers() const;

 private:
  struct Found {
    base::Result<bool> revived = false;
    base::Result<std::vector<haproxy::WorkerStats>> workers = std::vector<haproxy::WorkerStats>{};
  };
  void note(const std::vector<haproxy::WorkerStats>& workers);

  reconcile::Workers& workers_;
  haproxy::Process& haproxy_;
  const reconcile::Changes& changes_;
  reconcile::Findings& findings_;
  statistics::Statistics& statistics_;
  std::atomic<std::chrono::steady_clock::time_point> asked_{};  // the epoch: it has answered
  reconcile::Event wake_;
  bool stopped_ = false;
};

}  // namespace serve
