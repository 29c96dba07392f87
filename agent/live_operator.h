// What the control socket shows of the running agent, from the datapath and the reconciler.
#pragma once

#include <string>

#include "agent/control/operator.h"
#include "agent/datapath/datapath.h"
#include "agent/live_reconciler.h"

namespace agent {

class LiveOperator final : public control::Operator {
 public:
  // Both outlive it.
  LiveOperator(std::string network_namespace, datapath::Datapath& datapath,
               LiveReconciler& reconciler)
      : namespace_(std::move(network_namespace)),
        datapath_(datapath),
        reconciler_(reconciler),
        started_(std::chrono::steady_clock::now()) {}

  boost::asio::awaitable<control::Status> status() override;
  boost::asio::awaitable<control::Verdicts> verdicts() override;
  boost::asio::awaitable<control::Counters> counters() override;
  boost::asio::awaitable<std::unique_ptr<control::FlowWalk>> walk_flows() override;

 private:
  std::string namespace_;
  datapath::Datapath& datapath_;
  LiveReconciler& reconciler_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace agent
