// What the control socket shows of the running agent, from the datapath and the reconciler.
#pragma once

#include <string>
#include <vector>

#include "agent/control/operator.h"
#include "agent/datapath/datapath.h"
#include "agent/reconcile/live_reconciler.h"
#include "agent/statistics/statistics.h"
#include "haproxy/process.h"

namespace serve {

class RealOperator final : public control::Operator {
 public:
  // All of them outlive it.
  RealOperator(std::string network_namespace, datapath::Datapath& datapath,
               reconcile::LiveReconciler& reconciler, const haproxy::Process& haproxy,
               const statistics::Statistics& statistics)
      : namespace_(std::move(network_namespace)),
        datapath_(datapath),
        reconciler_(reconciler),
        haproxy_(haproxy),
        statistics_(statistics),
        started_(std::chrono::steady_clock::now()) {}

  boost::asio::awaitable<control::Status> status() override;
  boost::asio::awaitable<std::vector<control::ConnectedNetwork>> networks() override;
  boost::asio::awaitable<control::Verdicts> verdicts() override;
  boost::asio::awaitable<control::Counters> counters() override;
  boost::asio::awaitable<std::unique_ptr<control::FlowWalk>> walk_flows() override;

 private:
  std::string namespace_;
  datapath::Datapath& datapath_;
  reconcile::LiveReconciler& reconciler_;
  const haproxy::Process& haproxy_;
  const statistics::Statistics& statistics_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace serve
