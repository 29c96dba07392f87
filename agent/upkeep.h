// Upkeep: what runs all the time beside reconciling: the clock of the flow table, the sweep that
// ends expired flows, and the netlink watches that wake the reconciler.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/datapath/datapath.h"
#include "agent/datapath/flow_policy.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/grace.h"
#include "agent/live_reconciler.h"
#include "agent/worker.h"
#include "netns/watch.h"

namespace agent {

class Upkeep {
 public:
  // All of them outlive it.
  Upkeep(boost::asio::any_io_executor loop, datapath::Datapath& datapath, datapath::Grace grace,
         LiveReconciler& reconciler);

  boost::asio::awaitable<void> keep_time();
  boost::asio::awaitable<void> sweep();
  boost::asio::awaitable<void> follow(netns::Watch watch);
  // The tables have changed: flows may have lost their listener or member. Sweeps at once.
  void hurry();
  void stop();

 private:
  boost::asio::awaitable<void> pass();
  boost::asio::awaitable<void> release_ended();

  boost::asio::any_io_executor loop_;
  datapath::Datapath& datapath_;
  datapath::Grace grace_;
  LiveReconciler& reconciler_;
  Worker grace_worker_;
  boost::asio::steady_timer tick_, pause_;
  bool hurried_ = true;
  bool stopped_ = false;
};

}  // namespace agent
