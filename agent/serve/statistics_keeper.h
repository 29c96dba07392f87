// StatisticsKeeper: keeps the statistics on disk, so that totals go on after a restart.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "agent/reconcile/event.h"
#include "agent/reconcile/workers.h"
#include "agent/statistics/statistics.h"

namespace serve {

class StatisticsKeeper {
 public:
  // All of them outlive it.
  StatisticsKeeper(const boost::asio::any_io_executor& loop, reconcile::Workers& workers,
                   const statistics::Statistics& statistics, std::string state_dir)
      : workers_(workers), statistics_(statistics), state_dir_(std::move(state_dir)), wake_(loop) {}

  // Until stop(); what was read last is stored by whoever ends the agent.
  boost::asio::awaitable<void> run();
  void stop();

 private:
  reconcile::Workers& workers_;
  const statistics::Statistics& statistics_;
  std::string state_dir_;
  reconcile::Event wake_;
  bool stopped_ = false;
};

}  // namespace serve
