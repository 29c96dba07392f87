// Upkeep: what runs all the time beside reconciling: the clock of the flow table, the sweep that
// ends expired flows and counts traffic, HAProxy's life, and the netlink watches that wake the
// reconciler.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>
#include <string>
#include <vector>

#include "agent/datapath/datapath.h"
#include "agent/datapath/flow_policy.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/grace.h"
#include "agent/reconcile/live_reconciler.h"
#include "agent/reconcile/worker.h"
#include "agent/statistics/statistics.h"
#include "haproxy/process.h"
#include "netns/watch.h"

namespace serve {

class Upkeep {
 public:
  // All of them outlive it.
  Upkeep(boost::asio::any_io_executor loop, std::string state_dir, datapath::Datapath& datapath,
         datapath::Grace grace, haproxy::Process& haproxy, reconcile::LiveReconciler& reconciler,
         statistics::Statistics& statistics);

  boost::asio::awaitable<void> keep_time();
  boost::asio::awaitable<void> sweep();
  // Keeps HAProxy alive while it is needed, and reads what it counts and finds.
  boost::asio::awaitable<void> keep_haproxy();
  // Keeps the statistics on disk.
  boost::asio::awaitable<void> keep_statistics();
  boost::asio::awaitable<void> follow(netns::Watch watch);
  // The tables have changed: flows may have lost their listener or member. Sweeps at once.
  void sweep_now();
  void stop();

 private:
  boost::asio::awaitable<void> pass();
  boost::asio::awaitable<void> release_ended();
  std::set<base::Uuid> listeners() const;
  void note(const std::vector<haproxy::WorkerStats>& workers);

  boost::asio::any_io_executor loop_;
  std::string state_dir_;
  datapath::Datapath& datapath_;
  datapath::Grace grace_;
  haproxy::Process& haproxy_;
  reconcile::LiveReconciler& reconciler_;
  statistics::Statistics& statistics_;
  reconcile::Worker grace_worker_;
  reconcile::Worker storage_worker_;
  boost::asio::steady_timer tick_, pause_, store_, revive_;
  bool sweep_requested_ = true;
  bool stopped_ = false;
};

}  // namespace serve
